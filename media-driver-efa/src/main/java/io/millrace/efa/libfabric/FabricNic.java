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
package io.millrace.efa.libfabric;

import java.lang.ref.Cleaner;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

import static java.nio.charset.StandardCharsets.US_ASCII;

/**
 * One NIC, or its stand-in, that a provider offers. Immutable; holds a copy of libfabric's description of it.
 */
public final class FabricNic
{
    private static final Cleaner CLEANER = Cleaner.create();
    private static final int IPV4_ADDRESS_OFFSET = 4;
    private static final int IPV4_ADDRESS_LENGTH = 4;
    private static final int IPV4_SOCKADDR_LENGTH = 16;
    private static final int IPV6_ADDRESS_OFFSET = 8;
    private static final int IPV6_ADDRESS_LENGTH = 16;
    private static final int IPV6_SOCKADDR_LENGTH = 28;

    private final FabricProvider provider;
    private final FabricInfo info;
    private final String providerName;
    private final String fabricName;
    private final String domainName;
    private final String deviceName;
    private final String pciAddress;
    private final int numaNode;
    private final int speedMbps;
    private final int providerVersion;
    private final String sourceAddressText;
    private final boolean ipv4;
    private final boolean linkLocal;
    private final boolean loopback;

    FabricNic(final FabricProvider provider, final FabricInfo info, final Sysfs sysfs)
    {
        this.provider = provider;
        this.info = info;
        providerName = info.providerName();
        fabricName = info.fabricName();
        domainName = info.domainName();
        deviceName = info.deviceName().isEmpty() ? domainName : info.deviceName();
        pciAddress = info.pciAddress();
        providerVersion = info.providerVersion();

        final byte[] source = info.sourceAddress();
        final InetAddress inetAddress = FabricProvider.TCP == provider ? inetAddress(source) : null;
        ipv4 = null != inetAddress && IPV4_SOCKADDR_LENGTH == source.length;
        linkLocal = null != inetAddress && inetAddress.isLinkLocalAddress();
        loopback = null != inetAddress && inetAddress.isLoopbackAddress();
        sourceAddressText = addressText(inetAddress, source, info.addressFormat());

        final boolean efa = FabricProvider.EFA == provider;
        final boolean tcp = FabricProvider.TCP == provider;
        numaNode = efa ? sysfs.infinibandNumaNode(deviceName) : tcp ? sysfs.netNumaNode(deviceName) : -1;
        final int linkSpeedMbps = info.linkSpeedMbps();
        speedMbps = 0 == linkSpeedMbps && tcp ? sysfs.netSpeedMbps(deviceName) : linkSpeedMbps;
    }

    /**
     * Let the description be freed when the NIC is no longer reachable.
     *
     * @param api that frees it.
     * @return this.
     */
    FabricNic owned(final FabricApi api)
    {
        final long address = info.address();
        CLEANER.register(this, () -> api.fi_freeinfo(address));
        return this;
    }

    private static InetAddress inetAddress(final byte[] socketAddress)
    {
        try
        {
            if (IPV4_SOCKADDR_LENGTH == socketAddress.length)
            {
                return InetAddress.getByAddress(Arrays.copyOfRange(
                    socketAddress, IPV4_ADDRESS_OFFSET, IPV4_ADDRESS_OFFSET + IPV4_ADDRESS_LENGTH));
            }
            if (IPV6_SOCKADDR_LENGTH == socketAddress.length)
            {
                return InetAddress.getByAddress(Arrays.copyOfRange(
                    socketAddress, IPV6_ADDRESS_OFFSET, IPV6_ADDRESS_OFFSET + IPV6_ADDRESS_LENGTH));
            }
            return null;
        }
        catch (final UnknownHostException ex)
        {
            throw new IllegalStateException(ex);
        }
    }

    private static String addressText(final InetAddress inetAddress, final byte[] source, final int format)
    {
        if (null != inetAddress)
        {
            return inetAddress.getHostAddress();
        }
        if (FabricFlags.ADDR_STR == format && source.length > 0)
        {
            return new String(source, 0, source.length - 1, US_ASCII);
        }
        return EfaAddress.isEfaAddress(source) ? EfaAddress.text(source) : "";
    }

    /**
     * Provider family.
     *
     * @return family, one for each protocol word.
     */
    public FabricProvider provider()
    {
        return provider;
    }

    /**
     * Name libfabric uses.
     *
     * @return such as {@code net} or {@code tcp;ofi_rxm}.
     */
    public String providerName()
    {
        return providerName;
    }

    /**
     * Fabric.
     *
     * @return such as {@code efa-direct}, or the network for tcp.
     */
    public String fabricName()
    {
        return fabricName;
    }

    /**
     * Domain.
     *
     * @return such as {@code rdmap79s0-rdm}, or the interface for tcp.
     */
    public String domainName()
    {
        return domainName;
    }

    /**
     * Device.
     *
     * @return such as {@code rdmap79s0}, or the domain's name where the provider names no device.
     */
    public String deviceName()
    {
        return deviceName;
    }

    /**
     * PCI address as sysfs writes it.
     *
     * @return address or an empty string.
     */
    public String pciAddress()
    {
        return pciAddress;
    }

    /**
     * NUMA node of the device.
     *
     * @return node, -1 if unknown.
     */
    public int numaNode()
    {
        return numaNode;
    }

    /**
     * Link speed in Mbit/s.
     *
     * @return speed, 0 if unknown.
     */
    public int speedMbps()
    {
        return speedMbps;
    }

    /**
     * Local address in the usual text form.
     *
     * @return address or an empty string.
     */
    public String sourceAddressText()
    {
        return sourceAddressText;
    }

    /**
     * Whether only this host can be reached through it by IP.
     *
     * @return true for the loopback interface.
     */
    public boolean loopback()
    {
        return loopback;
    }

    /**
     * Whether the NIC writes to peers' memory.
     *
     * @return false for EFA devices without RDMA write.
     */
    public boolean supportsRma()
    {
        return 0 != (info.caps() & FabricFlags.RMA);
    }

    /**
     * What must be equal on both sides for a connection: provider, EFA's fabric, and for shm the provider's version, as
     * its region has no compatible layout between versions.
     *
     * @return such as {@code efa/efa-direct}, {@code net}, {@code tcp;ofi_rxm} or {@code shm/117.0}.
     */
    public String wireName()
    {
        return switch (provider)
        {
            case EFA -> providerName + "/" + fabricName;
            case SHM -> providerName + "/" + (providerVersion >>> 16) + "." + (providerVersion & 0xFFFF);
            case TCP -> providerName;
        };
    }

    FabricInfo info()
    {
        return info;
    }

    boolean ipv4()
    {
        return ipv4;
    }

    boolean linkLocal()
    {
        return linkLocal;
    }

    @Override
    public String toString()
    {
        return wireName() + " " + domainName + (sourceAddressText.isEmpty() ? "" : " " + sourceAddressText) +
            (pciAddress.isEmpty() ? "" : " " + pciAddress);
    }
}
