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
import io.millrace.efa.contract.ContractMode;

import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Names, defaults and readers of Millrace's driver properties. A property may also be given as environment variable:
 * {@code millrace.efa.nak.delay} as {@code MILLRACE_EFA_NAK_DELAY}. What a program sets on {@link EfaContext} wins over
 * the property, the property over the variable, the variable over the default.
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
     * Shortest interval of Hellos.
     */
    static final long KEEPALIVE_INTERVAL_MIN_NS = TimeUnit.MILLISECONDS.toNanos(10);

    /**
     * Property name for how long a link outlives the last answer of its peer.
     */
    public static final String LINK_TIMEOUT_PROP_NAME = "millrace.efa.link.timeout";

    /**
     * Default link timeout: longer than the pauses of garbage collection or of a stopped process that UDP survives.
     */
    public static final long LINK_TIMEOUT_DEFAULT_NS = TimeUnit.SECONDS.toNanos(5);

    /**
     * Shortest timeout of links and of handshakes.
     */
    static final long TIMEOUT_MIN_NS = TimeUnit.MILLISECONDS.toNanos(100);

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
     * Default NAK delay on {@code tcp}, whose rails queue for milliseconds in the kernel and lose nothing themselves.
     */
    public static final long NAK_DELAY_TCP_DEFAULT_NS = TimeUnit.MILLISECONDS.toNanos(20);

    /**
     * Property name for the number of send slots and of receive slots of a rail. Bounded by what the provider reports.
     */
    public static final String RAIL_SLOTS_PROP_NAME = "millrace.efa.rail.slots";

    /**
     * Default number of slots of a rail.
     */
    public static final int RAIL_SLOTS_DEFAULT = 256;

    /**
     * Property name for the file of pre-shared keys that handshakes are sealed with. Empty means none.
     */
    public static final String AUTH_KEY_FILE_PROP_NAME = "millrace.efa.auth.key.file";

    /**
     * Fewest slots of a rail.
     */
    static final int RAIL_SLOTS_MIN = 16;

    /**
     * Most slots of a rail.
     */
    static final int RAIL_SLOTS_MAX = 16384;

    /**
     * Property name for the duty cycle of the fabric conductor from which on it is counted as a stall.
     */
    public static final String CONDUCTOR_CYCLE_THRESHOLD_PROP_NAME = "millrace.efa.conductor.cycle.threshold";

    /**
     * Default threshold, that of Aeron's own conductor.
     */
    public static final long CONDUCTOR_CYCLE_THRESHOLD_DEFAULT_NS = TimeUnit.MILLISECONDS.toNanos(100);

    /**
     * Property name for EFA's rules on top of any provider: {@code off | lenient | strict}.
     */
    public static final String CONTRACT_PROP_NAME = "millrace.efa.contract";

    /**
     * Default of the contract.
     */
    public static final String CONTRACT_DEFAULT = "off";

    /**
     * Property name for the file that describes the device and the weather of the contract.
     */
    public static final String CONTRACT_WEATHER_FILE_PROP_NAME = "millrace.efa.contract.weather.file";

    /**
     * Property name for the seed of the contract's weather, by default another one at each start.
     */
    public static final String CONTRACT_SEED_PROP_NAME = "millrace.efa.contract.seed";

    /**
     * Property name for whether messages are sent from terms without a copy: {@code auto | on | off}.
     */
    public static final String ZERO_COPY_PROP_NAME = "millrace.efa.zero.copy";

    /**
     * Default of {@link #ZERO_COPY_PROP_NAME}.
     */
    public static final String ZERO_COPY_DEFAULT = "auto";

    /**
     * Property name for the shortest message that is sent from a term without a copy.
     */
    public static final String ZERO_COPY_THRESHOLD_LENGTH_PROP_NAME = "millrace.efa.zero.copy.threshold.length";

    /**
     * Default of {@link #ZERO_COPY_THRESHOLD_LENGTH_PROP_NAME}.
     */
    public static final int ZERO_COPY_THRESHOLD_LENGTH_DEFAULT = -1;

    /**
     * Property name for whether frames are written into images of peers, and by peers into images here:
     * {@code auto | on | off}.
     */
    public static final String PLACEMENT_PROP_NAME = "millrace.efa.placement";

    /**
     * Default of {@link #PLACEMENT_PROP_NAME}.
     */
    public static final String PLACEMENT_DEFAULT = "auto";

    /**
     * Property name for the shortest frame that is written into an image.
     */
    public static final String PLACEMENT_THRESHOLD_LENGTH_PROP_NAME = "millrace.efa.placement.threshold.length";

    /**
     * Default of {@link #PLACEMENT_THRESHOLD_LENGTH_PROP_NAME}.
     */
    public static final int PLACEMENT_THRESHOLD_LENGTH_DEFAULT = -1;

    /**
     * Property name for the pages of logs that may be registered with a NIC.
     */
    public static final String LOG_PAGES_PER_NIC_PROP_NAME = "millrace.efa.log.pages.per.nic";

    /**
     * Default of {@link #LOG_PAGES_PER_NIC_PROP_NAME}.
     */
    public static final long LOG_PAGES_PER_NIC_DEFAULT = 22_000_000L;

    /**
     * Property name for the pages that a registered log may have.
     */
    public static final String LOG_PAGES_PER_REGION_PROP_NAME = "millrace.efa.log.pages.per.region";

    /**
     * Default of {@link #LOG_PAGES_PER_REGION_PROP_NAME}.
     */
    public static final long LOG_PAGES_PER_REGION_DEFAULT = 1_000_000L;

    /**
     * Property name for the receiver window of images whose frames travel on rails, where neither channel nor driver
     * set one.
     */
    public static final String RAIL_WINDOW_LENGTH_PROP_NAME = "millrace.efa.rail.window.length";

    /**
     * Default of {@link #RAIL_WINDOW_LENGTH_PROP_NAME}.
     */
    public static final int RAIL_WINDOW_LENGTH_DEFAULT = 4 * 1024 * 1024;

    private static final List<String> SWITCH = List.of("auto", "on", "off");

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
        return null != environment && !environment.isBlank() ?
            environment : value(PROTOCOL_PROP_NAME, PROTOCOL_DEFAULT);
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
            KEEPALIVE_INTERVAL_PROP_NAME, KEEPALIVE_INTERVAL_DEFAULT_NS, KEEPALIVE_INTERVAL_MIN_NS);
    }

    /**
     * How long a link outlives the last answer of its peer.
     *
     * @return nanoseconds, at least 100 ms.
     */
    public static long linkTimeoutNs()
    {
        return durationNs(LINK_TIMEOUT_PROP_NAME, LINK_TIMEOUT_DEFAULT_NS, TIMEOUT_MIN_NS);
    }

    /**
     * How long a live peer may leave Hellos unanswered.
     *
     * @return nanoseconds, at least 100 ms.
     */
    public static long handshakeTimeoutNs()
    {
        return durationNs(HANDSHAKE_TIMEOUT_PROP_NAME, HANDSHAKE_TIMEOUT_DEFAULT_NS, TIMEOUT_MIN_NS);
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

    static boolean isSet(final String name)
    {
        return null != value(name, null);
    }

    /**
     * Slots of a rail.
     *
     * @return 16 to 16384.
     */
    public static int railSlots()
    {
        return intInRange(RAIL_SLOTS_PROP_NAME, RAIL_SLOTS_DEFAULT, RAIL_SLOTS_MIN, RAIL_SLOTS_MAX);
    }

    /**
     * Duty cycle of the fabric conductor from which on it is counted as a stall.
     *
     * @return nanoseconds, at least 1.
     */
    public static long conductorCycleThresholdNs()
    {
        return durationNs(CONDUCTOR_CYCLE_THRESHOLD_PROP_NAME, CONDUCTOR_CYCLE_THRESHOLD_DEFAULT_NS, 1);
    }

    /**
     * File of pre-shared keys.
     *
     * @return its path, empty for none.
     */
    public static String authKeyFile()
    {
        return value(AUTH_KEY_FILE_PROP_NAME, "");
    }

    /**
     * Mode of the EFA contract.
     *
     * @return the mode.
     */
    public static ContractMode contract()
    {
        final String text = value(CONTRACT_PROP_NAME, CONTRACT_DEFAULT);
        final ContractMode mode = ContractMode.of(text);
        if (null == mode)
        {
            throw new ConfigurationException(
                CONTRACT_PROP_NAME + "=" + text + ": one of off, lenient, strict is needed");
        }

        return mode;
    }

    /**
     * File that describes the device and the weather of the contract.
     *
     * @return path of a properties file, empty for none.
     */
    public static String contractWeatherFile()
    {
        return value(CONTRACT_WEATHER_FILE_PROP_NAME, "");
    }

    /**
     * Seed of the contract's weather.
     *
     * @return the seed, or null for a random one.
     */
    public static Long contractSeed()
    {
        final String text = value(CONTRACT_SEED_PROP_NAME, null);
        try
        {
            return null == text ? null : Long.valueOf(text.trim());
        }
        catch (final NumberFormatException ignore)
        {
            throw new ConfigurationException(
                CONTRACT_SEED_PROP_NAME + "=" + text + ": a whole number of 64 bits is needed");
        }
    }

    private static String value(final String name, final String defaultValue)
    {
        return PropertySource.SYSTEM.text(name, defaultValue);
    }

    /**
     * Whether messages are sent from terms without a copy.
     *
     * @return {@code auto | on | off}.
     */
    public static String zeroCopy()
    {
        return word(ZERO_COPY_PROP_NAME, ZERO_COPY_DEFAULT);
    }

    /**
     * Shortest message that is sent from a term without a copy.
     *
     * @return bytes, -1 for what suits the protocol.
     */
    public static int zeroCopyThresholdLength()
    {
        return intInRange(ZERO_COPY_THRESHOLD_LENGTH_PROP_NAME, ZERO_COPY_THRESHOLD_LENGTH_DEFAULT, -1, 1 << 30);
    }

    /**
     * Whether frames are written into images of peers, and by peers into images here.
     *
     * @return {@code auto | on | off}.
     */
    public static String placement()
    {
        return word(PLACEMENT_PROP_NAME, PLACEMENT_DEFAULT);
    }

    /**
     * Shortest frame that is written into an image.
     *
     * @return bytes, -1 for what suits the protocol.
     */
    public static int placementThresholdLength()
    {
        return intInRange(PLACEMENT_THRESHOLD_LENGTH_PROP_NAME, PLACEMENT_THRESHOLD_LENGTH_DEFAULT, -1, 1 << 30);
    }

    /**
     * Pages of logs that may be registered with a NIC.
     *
     * @return pages.
     */
    public static long logPagesPerNic()
    {
        return PropertySource.SYSTEM.number(LOG_PAGES_PER_NIC_PROP_NAME, LOG_PAGES_PER_NIC_DEFAULT, 0, Long.MAX_VALUE);
    }

    /**
     * Pages that a registered log may have.
     *
     * @return pages.
     */
    public static long logPagesPerRegion()
    {
        return PropertySource.SYSTEM.number(
            LOG_PAGES_PER_REGION_PROP_NAME, LOG_PAGES_PER_REGION_DEFAULT, 0, Long.MAX_VALUE);
    }

    /**
     * Receiver window of images whose frames travel on rails.
     *
     * @return bytes.
     */
    public static int railWindowLength()
    {
        return intInRange(RAIL_WINDOW_LENGTH_PROP_NAME, RAIL_WINDOW_LENGTH_DEFAULT, 0, 1 << 30);
    }

    /**
     * One of the words {@code auto | on | off}.
     *
     * @param name of the property.
     * @param word that was given.
     * @return the word.
     * @throws ConfigurationException for any other.
     */
    static String requireSwitch(final String name, final String word)
    {
        if (!SWITCH.contains(word))
        {
            throw new ConfigurationException(name + "=" + word + ": one of " + SWITCH + " is needed");
        }

        return word;
    }

    private static String word(final String name, final String defaultValue)
    {
        return requireSwitch(name, value(name, defaultValue).trim());
    }

    private static int intInRange(final String name, final int defaultValue, final int min, final int max)
    {
        return (int)PropertySource.SYSTEM.number(name, defaultValue, min, max);
    }

    private static long durationNs(final String name, final long defaultNs, final long minNs)
    {
        return PropertySource.SYSTEM.durationNs(name, defaultNs, minNs);
    }
}
