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

/**
 * Configuration of the rails of a media driver, beside the {@link io.aeron.driver.MediaDriver.Context} that keeps all
 * that Aeron knows of. Fields that are not set take their value from {@link EfaConfiguration}.
 */
public final class EfaContext implements Cloneable
{
    private String protocol;
    private Integer rails;
    private String nics;
    private Long keepaliveIntervalNs;
    private Long linkTimeoutNs;
    private Long handshakeTimeoutNs;
    private Long nakDelayNs;
    private Integer railSlots;

    /**
     * Create a context with nothing set.
     */
    public EfaContext()
    {
    }

    /**
     * Check what was set and take the rest from the configuration.
     *
     * @return this for a fluent API.
     * @throws ConfigurationException naming value, rule and remedy.
     */
    public EfaContext conclude()
    {
        if (null == protocol)
        {
            protocol = EfaConfiguration.protocol();
        }

        if (null == rails)
        {
            rails = EfaConfiguration.rails();
        }
        else if (rails < 0 || rails > EfaConfiguration.RAILS_MAX)
        {
            throw new ConfigurationException("rails=" + rails + ": 0 (as many as fit the protocol) to " +
                EfaConfiguration.RAILS_MAX + " are possible");
        }

        nics = null == nics ? EfaConfiguration.nics() : nics;
        keepaliveIntervalNs =
            null == keepaliveIntervalNs ? EfaConfiguration.keepaliveIntervalNs() : keepaliveIntervalNs;
        linkTimeoutNs = null == linkTimeoutNs ? EfaConfiguration.linkTimeoutNs() : linkTimeoutNs;
        handshakeTimeoutNs = null == handshakeTimeoutNs ? EfaConfiguration.handshakeTimeoutNs() : handshakeTimeoutNs;
        nakDelayNs = null == nakDelayNs ? EfaConfiguration.nakDelayNs() : nakDelayNs;
        railSlots = null == railSlots ? EfaConfiguration.railSlots() : railSlots;

        if (linkTimeoutNs <= keepaliveIntervalNs)
        {
            throw new ConfigurationException(EfaConfiguration.LINK_TIMEOUT_PROP_NAME + "=" + linkTimeoutNs +
                "ns has to exceed " + EfaConfiguration.KEEPALIVE_INTERVAL_PROP_NAME + "=" + keepaliveIntervalNs + "ns");
        }

        return this;
    }

    /**
     * Copy of this context as it stands.
     *
     * @return the copy.
     */
    @Override
    public EfaContext clone()
    {
        try
        {
            return (EfaContext)super.clone();
        }
        catch (final CloneNotSupportedException ex)
        {
            throw new IllegalStateException(ex);
        }
    }

    /**
     * Protocol word.
     *
     * @return {@code auto | efa | tcp | shm | udp}.
     * @see EfaConfiguration#PROTOCOL_PROP_NAME
     */
    public String protocol()
    {
        return protocol;
    }

    /**
     * Protocol word.
     *
     * @param protocol {@code auto | efa | tcp | shm | udp}.
     * @return this for a fluent API.
     * @see EfaConfiguration#PROTOCOL_PROP_NAME
     */
    public EfaContext protocol(final String protocol)
    {
        this.protocol = protocol;
        return this;
    }

    /**
     * Number of rails of each agent.
     *
     * @return 0 for as many as fit the protocol.
     * @see EfaConfiguration#RAILS_PROP_NAME
     */
    public int rails()
    {
        return null == rails ? EfaConfiguration.RAILS_DEFAULT : rails;
    }

    /**
     * Number of rails of each agent.
     *
     * @param rails 0 for as many as fit the protocol.
     * @return this for a fluent API.
     * @see EfaConfiguration#RAILS_PROP_NAME
     */
    public EfaContext rails(final int rails)
    {
        this.rails = rails;
        return this;
    }

    /**
     * NICs that may be used.
     *
     * @return comma separated device or domain names, empty for all.
     * @see EfaConfiguration#NICS_PROP_NAME
     */
    public String nics()
    {
        return nics;
    }

    /**
     * NICs that may be used.
     *
     * @param nics comma separated device or domain names, empty for all.
     * @return this for a fluent API.
     * @see EfaConfiguration#NICS_PROP_NAME
     */
    public EfaContext nics(final String nics)
    {
        this.nics = nics;
        return this;
    }

    /**
     * Interval of Hellos on a linked channel.
     *
     * @return nanoseconds.
     * @see EfaConfiguration#KEEPALIVE_INTERVAL_PROP_NAME
     */
    public long keepaliveIntervalNs()
    {
        return null == keepaliveIntervalNs ? EfaConfiguration.KEEPALIVE_INTERVAL_DEFAULT_NS : keepaliveIntervalNs;
    }

    /**
     * Interval of Hellos on a linked channel.
     *
     * @param keepaliveIntervalNs nanoseconds.
     * @return this for a fluent API.
     * @see EfaConfiguration#KEEPALIVE_INTERVAL_PROP_NAME
     */
    public EfaContext keepaliveIntervalNs(final long keepaliveIntervalNs)
    {
        this.keepaliveIntervalNs = keepaliveIntervalNs;
        return this;
    }

    /**
     * How long a link outlives the last answer of its peer.
     *
     * @return nanoseconds.
     * @see EfaConfiguration#LINK_TIMEOUT_PROP_NAME
     */
    public long linkTimeoutNs()
    {
        return null == linkTimeoutNs ? EfaConfiguration.LINK_TIMEOUT_DEFAULT_NS : linkTimeoutNs;
    }

    /**
     * How long a link outlives the last answer of its peer.
     *
     * @param linkTimeoutNs nanoseconds.
     * @return this for a fluent API.
     * @see EfaConfiguration#LINK_TIMEOUT_PROP_NAME
     */
    public EfaContext linkTimeoutNs(final long linkTimeoutNs)
    {
        this.linkTimeoutNs = linkTimeoutNs;
        return this;
    }

    /**
     * How long a peer that is alive over UDP may leave Hellos unanswered.
     *
     * @return nanoseconds.
     * @see EfaConfiguration#HANDSHAKE_TIMEOUT_PROP_NAME
     */
    public long handshakeTimeoutNs()
    {
        return null == handshakeTimeoutNs ? EfaConfiguration.HANDSHAKE_TIMEOUT_DEFAULT_NS : handshakeTimeoutNs;
    }

    /**
     * How long a peer that is alive over UDP may leave Hellos unanswered.
     *
     * @param handshakeTimeoutNs nanoseconds.
     * @return this for a fluent API.
     * @see EfaConfiguration#HANDSHAKE_TIMEOUT_PROP_NAME
     */
    public EfaContext handshakeTimeoutNs(final long handshakeTimeoutNs)
    {
        this.handshakeTimeoutNs = handshakeTimeoutNs;
        return this;
    }

    /**
     * Delay of NAKs set by {@link EfaMediaDriver#install}.
     *
     * @return nanoseconds.
     * @see EfaConfiguration#NAK_DELAY_PROP_NAME
     */
    public long nakDelayNs()
    {
        return null == nakDelayNs ? EfaConfiguration.NAK_DELAY_DEFAULT_NS : nakDelayNs;
    }

    /**
     * Delay of NAKs set by {@link EfaMediaDriver#install}.
     *
     * @param nakDelayNs nanoseconds.
     * @return this for a fluent API.
     * @see EfaConfiguration#NAK_DELAY_PROP_NAME
     */
    public EfaContext nakDelayNs(final long nakDelayNs)
    {
        this.nakDelayNs = nakDelayNs;
        return this;
    }

    /**
     * Send slots, and receive slots, of a rail.
     *
     * @return the number of slots.
     * @see EfaConfiguration#RAIL_SLOTS_PROP_NAME
     */
    public int railSlots()
    {
        return null == railSlots ? EfaConfiguration.RAIL_SLOTS_DEFAULT : railSlots;
    }

    /**
     * Send slots, and receive slots, of a rail.
     *
     * @param railSlots the number of slots.
     * @return this for a fluent API.
     * @see EfaConfiguration#RAIL_SLOTS_PROP_NAME
     */
    public EfaContext railSlots(final int railSlots)
    {
        this.railSlots = railSlots;
        return this;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public String toString()
    {
        return "EfaContext{" +
            "\n    protocol='" + protocol + '\'' +
            "\n    rails=" + rails +
            "\n    nics='" + nics + '\'' +
            "\n    keepaliveIntervalNs=" + keepaliveIntervalNs +
            "\n    linkTimeoutNs=" + linkTimeoutNs +
            "\n    handshakeTimeoutNs=" + handshakeTimeoutNs +
            "\n    nakDelayNs=" + nakDelayNs +
            "\n    railSlots=" + railSlots +
            "\n}";
    }
}
