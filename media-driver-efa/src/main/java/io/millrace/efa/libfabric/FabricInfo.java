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

import static io.millrace.efa.libfabric.FabricLayout.BUS_PCI_BUS;
import static io.millrace.efa.libfabric.FabricLayout.BUS_PCI_DEVICE;
import static io.millrace.efa.libfabric.FabricLayout.BUS_PCI_DOMAIN;
import static io.millrace.efa.libfabric.FabricLayout.BUS_PCI_FUNCTION;
import static io.millrace.efa.libfabric.FabricLayout.BUS_TYPE;
import static io.millrace.efa.libfabric.FabricLayout.DEVICE_NAME;
import static io.millrace.efa.libfabric.FabricLayout.DOMAIN_CQ_DATA_SIZE;
import static io.millrace.efa.libfabric.FabricLayout.DOMAIN_MR_CNT;
import static io.millrace.efa.libfabric.FabricLayout.DOMAIN_MR_KEY_SIZE;
import static io.millrace.efa.libfabric.FabricLayout.DOMAIN_MR_MODE;
import static io.millrace.efa.libfabric.FabricLayout.DOMAIN_NAME;
import static io.millrace.efa.libfabric.FabricLayout.EP_MAX_MSG_SIZE;
import static io.millrace.efa.libfabric.FabricLayout.FABRIC_NAME;
import static io.millrace.efa.libfabric.FabricLayout.FABRIC_PROV_NAME;
import static io.millrace.efa.libfabric.FabricLayout.FABRIC_PROV_VERSION;
import static io.millrace.efa.libfabric.FabricLayout.INFO_ADDR_FORMAT;
import static io.millrace.efa.libfabric.FabricLayout.INFO_CAPS;
import static io.millrace.efa.libfabric.FabricLayout.INFO_DOMAIN_ATTR;
import static io.millrace.efa.libfabric.FabricLayout.INFO_EP_ATTR;
import static io.millrace.efa.libfabric.FabricLayout.INFO_FABRIC_ATTR;
import static io.millrace.efa.libfabric.FabricLayout.INFO_MODE;
import static io.millrace.efa.libfabric.FabricLayout.INFO_NEXT;
import static io.millrace.efa.libfabric.FabricLayout.INFO_NIC;
import static io.millrace.efa.libfabric.FabricLayout.INFO_RX_ATTR;
import static io.millrace.efa.libfabric.FabricLayout.INFO_SRC_ADDR;
import static io.millrace.efa.libfabric.FabricLayout.INFO_SRC_ADDRLEN;
import static io.millrace.efa.libfabric.FabricLayout.INFO_TX_ATTR;
import static io.millrace.efa.libfabric.FabricLayout.LINK_MTU;
import static io.millrace.efa.libfabric.FabricLayout.LINK_SPEED;
import static io.millrace.efa.libfabric.FabricLayout.NIC_BUS_ATTR;
import static io.millrace.efa.libfabric.FabricLayout.NIC_DEVICE_ATTR;
import static io.millrace.efa.libfabric.FabricLayout.NIC_LINK_ATTR;
import static io.millrace.efa.libfabric.FabricLayout.RX_SIZE;
import static io.millrace.efa.libfabric.FabricLayout.TX_INJECT_SIZE;
import static io.millrace.efa.libfabric.FabricLayout.TX_OP_FLAGS;
import static io.millrace.efa.libfabric.FabricLayout.TX_SIZE;

/**
 * Reads a {@code struct fi_info} of libfabric by offset.
 *
 * @param address of the structure.
 */
record FabricInfo(long address)
{
    private static final long BITS_PER_MEGABIT = 1_000_000;

    private long attr(final int offset)
    {
        return RawMemory.getLong(address + offset);
    }

    private static String string(final long attr, final int offset)
    {
        final String text = 0 == attr ? null : RawMemory.getString(RawMemory.getLong(attr + offset));
        return null == text ? "" : text;
    }

    FabricInfo next()
    {
        final long next = attr(INFO_NEXT);
        return 0 == next ? null : new FabricInfo(next);
    }

    long caps()
    {
        return attr(INFO_CAPS);
    }

    long mode()
    {
        return attr(INFO_MODE);
    }

    int addressFormat()
    {
        return RawMemory.getInt(address + INFO_ADDR_FORMAT);
    }

    byte[] sourceAddress()
    {
        final long source = attr(INFO_SRC_ADDR);
        return 0 == source ? new byte[0] : RawMemory.getBytes(source, (int)attr(INFO_SRC_ADDRLEN));
    }

    long txDepth()
    {
        return RawMemory.getLong(attr(INFO_TX_ATTR) + TX_SIZE);
    }

    void txDepth(final long depth)
    {
        RawMemory.putLong(attr(INFO_TX_ATTR) + TX_SIZE, depth);
    }

    long opFlags()
    {
        return RawMemory.getLong(attr(INFO_TX_ATTR) + TX_OP_FLAGS);
    }

    long rxDepth()
    {
        return RawMemory.getLong(attr(INFO_RX_ATTR) + RX_SIZE);
    }

    void rxDepth(final long depth)
    {
        RawMemory.putLong(attr(INFO_RX_ATTR) + RX_SIZE, depth);
    }

    long injectSize()
    {
        return RawMemory.getLong(attr(INFO_TX_ATTR) + TX_INJECT_SIZE);
    }

    /** Bytes, {@link Long#MAX_VALUE} for the 2^64 - 1 of providers that segment. */
    long maxMessageSize()
    {
        return clamp(RawMemory.getLong(attr(INFO_EP_ATTR) + EP_MAX_MSG_SIZE));
    }

    int memoryMode()
    {
        return RawMemory.getInt(attr(INFO_DOMAIN_ATTR) + DOMAIN_MR_MODE);
    }

    long memoryKeySize()
    {
        return RawMemory.getLong(attr(INFO_DOMAIN_ATTR) + DOMAIN_MR_KEY_SIZE);
    }

    long memoryRegionCount()
    {
        return RawMemory.getLong(attr(INFO_DOMAIN_ATTR) + DOMAIN_MR_CNT);
    }

    long immediateSize()
    {
        return RawMemory.getLong(attr(INFO_DOMAIN_ATTR) + DOMAIN_CQ_DATA_SIZE);
    }

    String domainName()
    {
        return string(attr(INFO_DOMAIN_ATTR), DOMAIN_NAME);
    }

    long fabricAttr()
    {
        return attr(INFO_FABRIC_ATTR);
    }

    String fabricName()
    {
        return string(fabricAttr(), FABRIC_NAME);
    }

    String providerName()
    {
        return string(fabricAttr(), FABRIC_PROV_NAME);
    }

    int providerVersion()
    {
        return RawMemory.getInt(fabricAttr() + FABRIC_PROV_VERSION);
    }

    private long nicAttr(final int offset)
    {
        final long nic = attr(INFO_NIC);
        return 0 == nic ? 0 : RawMemory.getLong(nic + offset);
    }

    String deviceName()
    {
        return string(nicAttr(NIC_DEVICE_ATTR), DEVICE_NAME);
    }

    /** PCI address as sysfs writes it, or an empty string. */
    String pciAddress()
    {
        final long bus = nicAttr(NIC_BUS_ATTR);
        if (0 == bus || FabricFlags.BUS_PCI != RawMemory.getInt(bus + BUS_TYPE))
        {
            return "";
        }
        return String.format(
            "%04x:%02x:%02x.%x",
            RawMemory.getUnsignedShort(bus + BUS_PCI_DOMAIN),
            RawMemory.getUnsignedByte(bus + BUS_PCI_BUS),
            RawMemory.getUnsignedByte(bus + BUS_PCI_DEVICE),
            RawMemory.getUnsignedByte(bus + BUS_PCI_FUNCTION));
    }

    /** Link speed, 0 if unknown. */
    int linkSpeedMbps()
    {
        final long link = nicAttr(NIC_LINK_ATTR);
        return 0 == link ? 0 : (int)(RawMemory.getLong(link + LINK_SPEED) / BITS_PER_MEGABIT);
    }

    /** Longest packet of the link in bytes, 0 if unknown. */
    long linkMtuLength()
    {
        final long link = nicAttr(NIC_LINK_ATTR);
        return 0 == link ? 0 : RawMemory.getLong(link + LINK_MTU);
    }

    static long clamp(final long unsignedSize)
    {
        return unsignedSize < 0 ? Long.MAX_VALUE : unsignedSize;
    }
}
