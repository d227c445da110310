/*
 * Copyright 2026 The Millrace Authors.
 *
 * Licensed under the Apache License, Version 2.0 (the "License");
 * you may not use this file except in compliance with the License.
 * You may obtain a copy of the License at
 *
 * https://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 */
package io.millrace.efa;

import io.aeron.exceptions.ConfigurationException;
import org.agrona.SystemUtil;

import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * Names, defaults and readers of Millrace's driver properties. A property may also be given as environment variable:
 * {@code millrace.efa.nak.delay} as {@code MILLRACE_EFA_NAK_DELAY}; the property wins.
 */
public final class EfaConfiguration
{
    /**
     * Property name for the protocol: {@code auto | efa | tcp | shm | udp}.
     */
    public static final String PROTOCOL_PROP_NAME = "millrace.efa.protocol";

    /**
     * Environment variable for the protocol, looked at when {@link #PROTOCOL_PROP_NAME} is not set.
     */
    public static final String PROTOCOL_ENV_NAME = "MILLRACE_PROTOCOL";

    /**
     * Default protocol word.
     */
    public static final String PROTOCOL_DEFAULT = "auto";

    /**
     * Property name for the number of rails of each agent. 0 means all allowed NICs of {@code efa}, else one rail.
     */
    public static final String RAILS_PROP_NAME = "millrace.efa.rails";

    /**
     * Default number of rails.
     */
    public static final int RAILS_DEFAULT = 0;

    /**
     * Upper bound of rails of an agent, the bound of the handshake.
     */
    public static final int RAILS_MAX = 64;

    /**
     * Property name for the comma separated NICs that may be used, by device or domain name. Empty means all.
     */
    public static final String NICS_PROP_NAME = "millrace.efa.nics";

    /**
     * Property name for the interval of Hellos on a linked channel.
     */
    public static final String KEEPALIVE_INTERVAL_PROP_NAME = "millrace.efa.keepalive.interval";

    /**
     * Default interval of Hellos on a linked channel: a restarted peer is noticed within it.
     */
    public static final long KEEPALIVE_INTERVAL_DEFAULT_NS = TimeUnit.MILLISECONDS.toNanos(500);

    /**
     * Property name for how long a link outlives the last answer of its peer.
     */
    public static final String LINK_TIMEOUT_PROP_NAME = "millrace.efa.link.timeout";

    /**
     * Default link timeout: longer than the pauses of garbage collection or of a stopped process that UDP survives.
     */
    public static final long LINK_TIMEOUT_DEFAULT_NS = TimeUnit.SECONDS.toNanos(5);

    /**
     * Property name for how long a peer that is alive over UDP may leave Hellos unanswered before that is counted as
     * a fallback, or, with {@code fabric=required}, as an error of the channel.
     */
    public static final String HANDSHAKE_TIMEOUT_PROP_NAME = "millrace.efa.handshake.timeout";

    /**
     * Default handshake timeout: longer than a busy machine takes to open its rails.
     */
    public static final long HANDSHAKE_TIMEOUT_DEFAULT_NS = TimeUnit.SECONDS.toNanos(10);

    /**
     * Property name for the delay of NAKs that {@link EfaMediaDriver#install} sets on a context where the user set
     * none. It has to outlast the skew between rails, as SRD does not order.
     */
    public static final String NAK_DELAY_PROP_NAME = "millrace.efa.nak.delay";

    /**
     * Default NAK delay.
     */
    public static final long NAK_DELAY_DEFAULT_NS = TimeUnit.MILLISECONDS.toNanos(2);

    /**
     * Property name for the number of send slots and of receive slots of a rail. Bounded by what the provider reports.
     */
    public static final String RAIL_SLOTS_PROP_NAME = "millrace.efa.rail.slots";

    /**
     * Default number of slots of a rail.
     */
    public static final int RAIL_SLOTS_DEFAULT = 256;

    /**
     * Channel URI parameter that says what a channel wants from rails.
     */
    public static final String FABRIC_PARAM_NAME = "fabric";

    /**
     * Value of {@link #FABRIC_PARAM_NAME}: falling back to UDP is an error of the channel.
     */
    public static final String FABRIC_REQUIRED = "required";

    private EfaConfiguration()
    {
    }

    /**
     * The protocol word of the property, else of the environment, else {@link #PROTOCOL_DEFAULT}.
     *
     * @return the word as given, not yet checked.
     */
    public static String protocol()
    {
        final String property = System.getProperty(PROTOCOL_PROP_NAME);
        if (null != property)
        {
            return property;
        }

        final String environment = System.getenv(PROTOCOL_ENV_NAME);
        return null != environment ? environment : value(PROTOCOL_PROP_NAME, PROTOCOL_DEFAULT);
    }

    /**
     * Number of rails asked for.
     *
     * @return 0 to {@link #RAILS_MAX}.
     */
    public static int rails()
    {
        return intInRange(RAILS_PROP_NAME, RAILS_DEFAULT, 0, RAILS_MAX);
    }

    /**
     * Allow list of NICs.
     *
     * @return comma separated names, empty for all.
     */
    public static String nics()
    {
        return value(NICS_PROP_NAME, "");
    }

    /**
     * Interval of Hellos on a linked channel.
     *
     * @return nanoseconds, at least 10 ms.
     */
    public static long keepaliveIntervalNs()
    {
        return durationNs(
            KEEPALIVE_INTERVAL_PROP_NAME, KEEPALIVE_INTERVAL_DEFAULT_NS, TimeUnit.MILLISECONDS.toNanos(10));
    }

    /**
     * How long a link outlives the last answer of its peer.
     *
     * @return nanoseconds, at least 100 ms.
     */
    public static long linkTimeoutNs()
    {
        return durationNs(LINK_TIMEOUT_PROP_NAME, LINK_TIMEOUT_DEFAULT_NS, TimeUnit.MILLISECONDS.toNanos(100));
    }

    /**
     * How long a live peer may leave Hellos unanswered.
     *
     * @return nanoseconds, at least 100 ms.
     */
    public static long handshakeTimeoutNs()
    {
        return durationNs(
            HANDSHAKE_TIMEOUT_PROP_NAME, HANDSHAKE_TIMEOUT_DEFAULT_NS, TimeUnit.MILLISECONDS.toNanos(100));
    }

    /**
     * Delay of NAKs on fabric channels.
     *
     * @return nanoseconds.
     */
    public static long nakDelayNs()
    {
        return durationNs(NAK_DELAY_PROP_NAME, NAK_DELAY_DEFAULT_NS, 0);
    }

    /**
     * Slots of a rail.
     *
     * @return 16 to 16384.
     */
    public static int railSlots()
    {
        return intInRange(RAIL_SLOTS_PROP_NAME, RAIL_SLOTS_DEFAULT, 16, 16384);
    }

    private static String value(final String name, final String defaultValue)
    {
        final String environment = System.getenv(name.toUpperCase(Locale.ROOT).replace('.', '_'));
        return System.getProperty(name, null != environment ? environment : defaultValue);
    }

    private static int intInRange(final String name, final int defaultValue, final int min, final int max)
    {
        final String text = value(name, null);
        if (null == text)
        {
            return defaultValue;
        }

        try
        {
            final int parsed = Integer.parseInt(text.trim());
            if (parsed >= min && parsed <= max)
            {
                return parsed;
            }
        }
        catch (final NumberFormatException ignore)
        {
            // answered below, with the same sentence as a number out of range
        }

        throw new ConfigurationException(
            name + "=" + text + ": a whole number from " + min + " to " + max + " is needed, default " + defaultValue);
    }

    private static long durationNs(final String name, final long defaultNs, final long minNs)
    {
        final String text = value(name, null);
        if (null == text)
        {
            return defaultNs;
        }

        try
        {
            final long parsed = SystemUtil.parseDuration(name, text);
            if (parsed >= minNs)
            {
                return parsed;
            }
        }
        catch (final NumberFormatException ignore)
        {
            // answered below, with the same sentence as a duration out of range
        }

        throw new ConfigurationException(name + "=" + text + ": a duration with unit (ns, us, ms, s) of at least " +
            minNs + "ns is needed, default " + defaultNs + "ns");
    }
}
