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
import io.millrace.efa.libfabric.FabricProvider;

import java.security.SecureRandom;

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
    private String zeroCopy;
    private Integer zeroCopyThresholdLength;
    private String placement;
    private Integer placementThresholdLength;
    private Long logPagesPerNic;
    private Long logPagesPerRegion;
    private Integer railWindowLength;
    private String authKeyFile;
    private Long conductorCycleThresholdNs;
    private ContractMode contract;
    private String contractWeatherFile;
    private Long contractSeed;

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

        rails = null == rails ? EfaConfiguration.rails() :
            PropertySource.checked(EfaConfiguration.RAILS_PROP_NAME, rails, 0, EfaConfiguration.RAILS_MAX);
        nics = null == nics ? EfaConfiguration.nics() : nics;
        keepaliveIntervalNs = null == keepaliveIntervalNs ? EfaConfiguration.keepaliveIntervalNs() :
            PropertySource.checkedNs(EfaConfiguration.KEEPALIVE_INTERVAL_PROP_NAME, keepaliveIntervalNs,
            EfaConfiguration.KEEPALIVE_INTERVAL_MIN_NS);
        linkTimeoutNs = null == linkTimeoutNs ? EfaConfiguration.linkTimeoutNs() : PropertySource.checkedNs(
            EfaConfiguration.LINK_TIMEOUT_PROP_NAME, linkTimeoutNs, EfaConfiguration.TIMEOUT_MIN_NS);
        handshakeTimeoutNs = null == handshakeTimeoutNs ? EfaConfiguration.handshakeTimeoutNs() :
            PropertySource.checkedNs(EfaConfiguration.HANDSHAKE_TIMEOUT_PROP_NAME, handshakeTimeoutNs,
            EfaConfiguration.TIMEOUT_MIN_NS);
        if (null != nakDelayNs)
        {
            PropertySource.checkedNs(EfaConfiguration.NAK_DELAY_PROP_NAME, nakDelayNs, 0);
        }
        else if (EfaConfiguration.isSet(EfaConfiguration.NAK_DELAY_PROP_NAME))
        {
            nakDelayNs = EfaConfiguration.nakDelayNs();
        }
        railSlots = null == railSlots ? EfaConfiguration.railSlots() : PropertySource.checked(
            EfaConfiguration.RAIL_SLOTS_PROP_NAME, railSlots, EfaConfiguration.RAIL_SLOTS_MIN,
            EfaConfiguration.RAIL_SLOTS_MAX);
        conductorCycleThresholdNs = null == conductorCycleThresholdNs ? EfaConfiguration.conductorCycleThresholdNs() :
            PropertySource.checkedNs(
            EfaConfiguration.CONDUCTOR_CYCLE_THRESHOLD_PROP_NAME, conductorCycleThresholdNs, 1);
        authKeyFile = null == authKeyFile ? EfaConfiguration.authKeyFile() : authKeyFile;

        contract = null == contract ? EfaConfiguration.contract() : contract;
        contractWeatherFile =
            null == contractWeatherFile ? EfaConfiguration.contractWeatherFile() : contractWeatherFile;
        contractSeed = null == contractSeed ? EfaConfiguration.contractSeed() : contractSeed;
        if (ContractMode.OFF == contract && (!contractWeatherFile.isEmpty() || null != contractSeed))
        {
            throw new ConfigurationException(EfaConfiguration.CONTRACT_PROP_NAME + "=off, but " +
                EfaConfiguration.CONTRACT_WEATHER_FILE_PROP_NAME + " or " + EfaConfiguration.CONTRACT_SEED_PROP_NAME +
                " is set: set the contract to lenient or strict, or remove these");
        }
        if (ContractMode.OFF != contract && null == contractSeed)
        {
            contractSeed = new SecureRandom().nextLong();
        }

        zeroCopy = null == zeroCopy ? EfaConfiguration.zeroCopy() :
            EfaConfiguration.requireSwitch(EfaConfiguration.ZERO_COPY_PROP_NAME, zeroCopy);
        zeroCopyThresholdLength = null == zeroCopyThresholdLength ? EfaConfiguration.zeroCopyThresholdLength() :
            PropertySource.checked(
            EfaConfiguration.ZERO_COPY_THRESHOLD_LENGTH_PROP_NAME, zeroCopyThresholdLength, -1, 1 << 30);
        placement = null == placement ? EfaConfiguration.placement() :
            EfaConfiguration.requireSwitch(EfaConfiguration.PLACEMENT_PROP_NAME, placement);
        placementThresholdLength = null == placementThresholdLength ? EfaConfiguration.placementThresholdLength() :
            PropertySource.checked(
            EfaConfiguration.PLACEMENT_THRESHOLD_LENGTH_PROP_NAME, placementThresholdLength, -1, 1 << 30);
        logPagesPerNic = null == logPagesPerNic ? EfaConfiguration.logPagesPerNic() :
            PropertySource.checked(EfaConfiguration.LOG_PAGES_PER_NIC_PROP_NAME, logPagesPerNic, 0, Long.MAX_VALUE);
        logPagesPerRegion = null == logPagesPerRegion ? EfaConfiguration.logPagesPerRegion() :
            PropertySource.checked(
            EfaConfiguration.LOG_PAGES_PER_REGION_PROP_NAME, logPagesPerRegion, 0, Long.MAX_VALUE);
        railWindowLength = null == railWindowLength ? EfaConfiguration.railWindowLength() :
            PropertySource.checked(EfaConfiguration.RAIL_WINDOW_LENGTH_PROP_NAME, railWindowLength, 0, 1 << 30);

        if (linkTimeoutNs <= keepaliveIntervalNs)
        {
            throw new ConfigurationException(EfaConfiguration.LINK_TIMEOUT_PROP_NAME + "=" + linkTimeoutNs +
                "ns has to exceed " + EfaConfiguration.KEEPALIVE_INTERVAL_PROP_NAME + "=" + keepaliveIntervalNs +
                "ns: raise the one or lower the other");
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
     * Delay of NAKs set by {@link EfaMediaDriver#install}, where none is set that of all protocols but {@code tcp}.
     *
     * @return nanoseconds.
     * @see EfaConfiguration#NAK_DELAY_PROP_NAME
     */
    public long nakDelayNs()
    {
        return null == nakDelayNs ? EfaConfiguration.NAK_DELAY_DEFAULT_NS : nakDelayNs;
    }

    /**
     * Delay of NAKs with more than one rail.
     *
     * @param protocol in use, as the default depends on it.
     * @return nanoseconds.
     */
    public long nakDelayNs(final String protocol)
    {
        return null != nakDelayNs ? nakDelayNs : FabricProvider.TCP.word().equals(protocol) ?
            EfaConfiguration.NAK_DELAY_TCP_DEFAULT_NS : EfaConfiguration.NAK_DELAY_DEFAULT_NS;
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
     * File of pre-shared keys that handshakes are sealed with.
     *
     * @return path of the file, empty for none.
     * @see EfaConfiguration#AUTH_KEY_FILE_PROP_NAME
     */
    public String authKeyFile()
    {
        return authKeyFile;
    }

    /**
     * File of pre-shared keys that handshakes are sealed with.
     *
     * @param authKeyFile path of the file, empty for none.
     * @return this for a fluent API.
     * @see EfaConfiguration#AUTH_KEY_FILE_PROP_NAME
     */
    public EfaContext authKeyFile(final String authKeyFile)
    {
        this.authKeyFile = authKeyFile;
        return this;
    }

    /**
     * EFA's rules on top of any provider.
     *
     * @return what happens when one is broken.
     * @see EfaConfiguration#CONTRACT_PROP_NAME
     */
    public ContractMode contract()
    {
        return null == contract ? ContractMode.OFF : contract;
    }

    /**
     * EFA's rules on top of any provider.
     *
     * @param contract what happens when one is broken.
     * @return this for a fluent API.
     * @see EfaConfiguration#CONTRACT_PROP_NAME
     */
    public EfaContext contract(final ContractMode contract)
    {
        this.contract = contract;
        return this;
    }

    /**
     * Duty cycle of the fabric conductor from which on it is counted as a stall.
     *
     * @return nanoseconds.
     * @see EfaConfiguration#CONDUCTOR_CYCLE_THRESHOLD_PROP_NAME
     */
    public long conductorCycleThresholdNs()
    {
        return null == conductorCycleThresholdNs ?
            EfaConfiguration.CONDUCTOR_CYCLE_THRESHOLD_DEFAULT_NS : conductorCycleThresholdNs;
    }

    /**
     * Duty cycle of the fabric conductor from which on it is counted as a stall.
     *
     * @param conductorCycleThresholdNs nanoseconds.
     * @return this for a fluent API.
     * @see EfaConfiguration#CONDUCTOR_CYCLE_THRESHOLD_PROP_NAME
     */
    public EfaContext conductorCycleThresholdNs(final long conductorCycleThresholdNs)
    {
        this.conductorCycleThresholdNs = conductorCycleThresholdNs;
        return this;
    }

    /**
     * File that describes the device and the weather of the contract.
     *
     * @return path of a properties file, empty for none.
     * @see EfaConfiguration#CONTRACT_WEATHER_FILE_PROP_NAME
     */
    public String contractWeatherFile()
    {
        return null == contractWeatherFile ? "" : contractWeatherFile;
    }

    /**
     * File that describes the device and the weather of the contract.
     *
     * @param contractWeatherFile path of a properties file, empty for none.
     * @return this for a fluent API.
     * @see EfaConfiguration#CONTRACT_WEATHER_FILE_PROP_NAME
     */
    public EfaContext contractWeatherFile(final String contractWeatherFile)
    {
        this.contractWeatherFile = contractWeatherFile;
        return this;
    }

    /**
     * Seed of the contract's weather.
     *
     * @return the seed, 0 before it is set or concluded.
     * @see EfaConfiguration#CONTRACT_SEED_PROP_NAME
     */
    public long contractSeed()
    {
        return null == contractSeed ? 0 : contractSeed;
    }

    /**
     * Seed of the contract's weather.
     *
     * @param contractSeed the seed.
     * @return this for a fluent API.
     * @see EfaConfiguration#CONTRACT_SEED_PROP_NAME
     */
    public EfaContext contractSeed(final long contractSeed)
    {
        this.contractSeed = contractSeed;
        return this;
    }

    /**
     * Whether messages are sent from terms without a copy.
     *
     * @return {@code auto | on | off}.
     * @see EfaConfiguration#ZERO_COPY_PROP_NAME
     */
    public String zeroCopy()
    {
        return null == zeroCopy ? EfaConfiguration.ZERO_COPY_DEFAULT : zeroCopy;
    }

    /**
     * Whether messages are sent from terms without a copy.
     *
     * @param zeroCopy {@code auto | on | off}.
     * @return this for a fluent API.
     * @see EfaConfiguration#ZERO_COPY_PROP_NAME
     */
    public EfaContext zeroCopy(final String zeroCopy)
    {
        this.zeroCopy = zeroCopy;
        return this;
    }

    /**
     * Shortest message that is sent from a term without a copy.
     *
     * @return bytes, -1 for what suits the protocol.
     * @see EfaConfiguration#ZERO_COPY_THRESHOLD_LENGTH_PROP_NAME
     */
    public int zeroCopyThresholdLength()
    {
        return null == zeroCopyThresholdLength ?
            EfaConfiguration.ZERO_COPY_THRESHOLD_LENGTH_DEFAULT : zeroCopyThresholdLength;
    }

    /**
     * Shortest message that is sent from a term without a copy.
     *
     * @param zeroCopyThresholdLength bytes, -1 for what suits the protocol.
     * @return this for a fluent API.
     * @see EfaConfiguration#ZERO_COPY_THRESHOLD_LENGTH_PROP_NAME
     */
    public EfaContext zeroCopyThresholdLength(final int zeroCopyThresholdLength)
    {
        this.zeroCopyThresholdLength = zeroCopyThresholdLength;
        return this;
    }

    /**
     * Whether frames are written into images of peers, and by peers into images here.
     *
     * @return {@code auto | on | off}.
     * @see EfaConfiguration#PLACEMENT_PROP_NAME
     */
    public String placement()
    {
        return null == placement ? EfaConfiguration.PLACEMENT_DEFAULT : placement;
    }

    /**
     * Whether frames are written into images of peers, and by peers into images here.
     *
     * @param placement {@code auto | on | off}.
     * @return this for a fluent API.
     * @see EfaConfiguration#PLACEMENT_PROP_NAME
     */
    public EfaContext placement(final String placement)
    {
        this.placement = placement;
        return this;
    }

    /**
     * Shortest frame that is written into an image.
     *
     * @return bytes, -1 for what suits the protocol.
     * @see EfaConfiguration#PLACEMENT_THRESHOLD_LENGTH_PROP_NAME
     */
    public int placementThresholdLength()
    {
        return null == placementThresholdLength ?
            EfaConfiguration.PLACEMENT_THRESHOLD_LENGTH_DEFAULT : placementThresholdLength;
    }

    /**
     * Shortest frame that is written into an image.
     *
     * @param placementThresholdLength bytes, -1 for what suits the protocol.
     * @return this for a fluent API.
     * @see EfaConfiguration#PLACEMENT_THRESHOLD_LENGTH_PROP_NAME
     */
    public EfaContext placementThresholdLength(final int placementThresholdLength)
    {
        this.placementThresholdLength = placementThresholdLength;
        return this;
    }

    /**
     * Pages of logs that may be registered with a NIC.
     *
     * @return pages.
     * @see EfaConfiguration#LOG_PAGES_PER_NIC_PROP_NAME
     */
    public long logPagesPerNic()
    {
        return null == logPagesPerNic ? EfaConfiguration.LOG_PAGES_PER_NIC_DEFAULT : logPagesPerNic;
    }

    /**
     * Pages of logs that may be registered with a NIC.
     *
     * @param logPagesPerNic pages.
     * @return this for a fluent API.
     * @see EfaConfiguration#LOG_PAGES_PER_NIC_PROP_NAME
     */
    public EfaContext logPagesPerNic(final long logPagesPerNic)
    {
        this.logPagesPerNic = logPagesPerNic;
        return this;
    }

    /**
     * Pages that a registered log may have.
     *
     * @return pages.
     * @see EfaConfiguration#LOG_PAGES_PER_REGION_PROP_NAME
     */
    public long logPagesPerRegion()
    {
        return null == logPagesPerRegion ? EfaConfiguration.LOG_PAGES_PER_REGION_DEFAULT : logPagesPerRegion;
    }

    /**
     * Pages that a registered log may have.
     *
     * @param logPagesPerRegion pages.
     * @return this for a fluent API.
     * @see EfaConfiguration#LOG_PAGES_PER_REGION_PROP_NAME
     */
    public EfaContext logPagesPerRegion(final long logPagesPerRegion)
    {
        this.logPagesPerRegion = logPagesPerRegion;
        return this;
    }

    /**
     * Receiver window of images whose frames travel on rails.
     *
     * @return bytes.
     * @see EfaConfiguration#RAIL_WINDOW_LENGTH_PROP_NAME
     */
    public int railWindowLength()
    {
        return null == railWindowLength ? EfaConfiguration.RAIL_WINDOW_LENGTH_DEFAULT : railWindowLength;
    }

    /**
     * Receiver window of images whose frames travel on rails.
     *
     * @param railWindowLength bytes.
     * @return this for a fluent API.
     * @see EfaConfiguration#RAIL_WINDOW_LENGTH_PROP_NAME
     */
    public EfaContext railWindowLength(final int railWindowLength)
    {
        this.railWindowLength = railWindowLength;
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
            "\n    zeroCopy='" + zeroCopy + '\'' +
            "\n    zeroCopyThresholdLength=" + zeroCopyThresholdLength +
            "\n    placement='" + placement + '\'' +
            "\n    placementThresholdLength=" + placementThresholdLength +
            "\n    logPagesPerNic=" + logPagesPerNic +
            "\n    logPagesPerRegion=" + logPagesPerRegion +
            "\n    railWindowLength=" + railWindowLength +
            "\n    authKeyFile='" + authKeyFile + '\'' +
            "\n    conductorCycleThresholdNs=" + conductorCycleThresholdNs +
            "\n    contract=" + contract +
            "\n    contractWeatherFile='" + contractWeatherFile + '\'' +
            "\n    contractSeed=" + contractSeed +
            "\n}";
    }
}
