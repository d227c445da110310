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

import java.lang.foreign.Arena;

import static io.millrace.efa.libfabric.FabricLayout.ATTR_SIZE;
import static io.millrace.efa.libfabric.FabricLayout.AV_ATTR_COUNT;
import static io.millrace.efa.libfabric.FabricLayout.AV_ATTR_TYPE;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ATTR_FORMAT;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ATTR_SIZE;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ATTR_WAIT_OBJ;
import static io.millrace.efa.libfabric.FabricLayout.DOMAIN_OPS;
import static io.millrace.efa.libfabric.FabricLayout.EP_CM;
import static io.millrace.efa.libfabric.FabricLayout.EP_OPS;
import static io.millrace.efa.libfabric.FabricLayout.FABRIC_OPS;
import static io.millrace.efa.libfabric.FabricLayout.FID_OPS;
import static io.millrace.efa.libfabric.FabricLayout.OPS_BIND;
import static io.millrace.efa.libfabric.FabricLayout.OPS_CM_GETNAME;
import static io.millrace.efa.libfabric.FabricLayout.OPS_CONTROL;
import static io.millrace.efa.libfabric.FabricLayout.OPS_DOMAIN_AV_OPEN;
import static io.millrace.efa.libfabric.FabricLayout.OPS_DOMAIN_CQ_OPEN;
import static io.millrace.efa.libfabric.FabricLayout.OPS_DOMAIN_ENDPOINT;
import static io.millrace.efa.libfabric.FabricLayout.OPS_EP_GETOPT;
import static io.millrace.efa.libfabric.FabricLayout.OPS_EP_SETOPT;
import static io.millrace.efa.libfabric.FabricLayout.OPS_FABRIC_DOMAIN;
import static io.millrace.efa.libfabric.FabricLayout.OPS_FABRIC_EQ_OPEN;

/**
 * Opens the objects of an endpoint in order, and closes them again when one fails.
 */
final class EndpointOpener
{
    private static final int MAX_NAME_LENGTH = 512;
    private static final int MIN_EFA_AV_COUNT = 16384;
    private static final int DEFAULT_CQ_FACTOR = 2;
    private static final long UNKNOWN = -1;
    /** Shorter than the packet of any EFA device: for one that tells neither its limit nor its MTU. */
    private static final long MIN_EFA_SEND_LENGTH = 4096;

    private final FabricApi api;

    EndpointOpener(final FabricApi api)
    {
        this.api = api;
    }

    NativeEndpoint open(final FabricNic nic, final EndpointOptions options)
    {
        if (FabricProvider.SHM == nic.provider())
        {
            ShmRegionFile.checkSpace();
        }

        final FabricInfo info = new FabricInfo(api.fi_dupinfo(nic.info().address()));
        final FabricObjects objects = new FabricObjects();
        try (Arena arena = Arena.ofConfined())
        {
            return new Opening(arena, nic, options, info, objects).open();
        }
        catch (final RuntimeException ex)
        {
            final FabricException failure = objects.closeAll(null);
            if (null != failure)
            {
                ex.addSuppressed(failure);
            }
            throw ex;
        }
        finally
        {
            api.fi_freeinfo(info.address());
        }
    }

    /** Depth to ask for: never above what the provider reports, which it may report as 0 for no limit. */
    static int depth(final int wanted, final long reported)
    {
        final int limit = reported <= 0 || reported > Integer.MAX_VALUE ? Integer.MAX_VALUE : (int)reported;
        return 0 == wanted ? limit : Math.min(wanted, limit);
    }

    /**
     * Longest message: efa-direct sends at most one packet, and its {@code max_msg_size} is that of RMA.
     *
     * @param direct     fabric efa-direct.
     * @param option     value of {@code FI_OPT_MAX_MSG_SIZE}, -1 if unknown.
     * @param linkMtu    bytes, 0 if unknown.
     * @param maxMessage {@code ep_attr->max_msg_size}.
     * @return bytes.
     */
    static long maxSendLength(final boolean direct, final long option, final long linkMtu, final long maxMessage)
    {
        if (UNKNOWN != option)
        {
            return FabricInfo.clamp(option);
        }
        return !direct ? maxMessage : linkMtu > 0 ? linkMtu : MIN_EFA_SEND_LENGTH;
    }

    private final class Opening
    {
        private final Arena arena;
        private final FabricNic nic;
        private final EndpointOptions options;
        private final FabricInfo info;
        private final FabricObjects objects;
        private final boolean efa;
        private final long out;

        private Opening(
            final Arena arena,
            final FabricNic nic,
            final EndpointOptions options,
            final FabricInfo info,
            final FabricObjects objects)
        {
            this.arena = arena;
            this.nic = nic;
            this.options = options;
            this.info = info;
            this.objects = objects;
            efa = FabricProvider.EFA == nic.provider();
            out = zeroed(Long.BYTES);
        }

        private long zeroed(final long length)
        {
            return arena.allocate(length, Long.BYTES).address();
        }

        private NativeEndpoint open()
        {
            final int txDepth = depth(options.txDepth(), info.txDepth());
            final int rxDepth = depth(options.rxDepth(), info.rxDepth());
            info.txDepth(txDepth);
            info.rxDepth(rxDepth);
            final int cqDepth = 0 != options.cqDepth() ? options.cqDepth() :
                (int)Math.min(1 << 20, (efa ? 1L : DEFAULT_CQ_FACTOR) * ((long)txDepth + rxDepth));

            // shm's first endpoint installs signal handlers; its file, which they would remove, comes with fi_enable.
            final long ep = SignalGuard.guarded(() -> openObjects(cqDepth));
            final long eq = efa ? eventQueue : 0;
            bind(ep, cq, FabricFlags.SEND | FabricFlags.RECV, "completion queue");
            bind(ep, av, 0, "address vector");
            if (0 != eq)
            {
                bind(ep, eq, 0, "event queue");
                setEfaOptions(ep);
            }
            OpsTable.checked("fi_enable", nic.toString(),
                OpsTable.slot(ep, FID_OPS, OPS_CONTROL, "fi_enable"), ep, FabricFlags.CONTROL_ENABLE, 0L);

            final byte[] name = name(ep);
            if (FabricProvider.SHM == nic.provider())
            {
                ShmRegionFile.reserve(name);
            }
            return new NativeEndpoint(new EndpointParts(
                nic, objects, domain, ep, cq, av, eq, name, txDepth, rxDepth, cqDepth, injectLength(ep),
                maxSend(ep), maxRma(ep), (int)Math.min(Long.BYTES, info.immediateSize()), info.memoryMode(),
                info.memoryKeySize(), info.mode(), info.opFlags()));
        }

        private long domain;
        private long eventQueue;
        private long cq;
        private long av;

        private long openObjects(final int cqDepth)
        {
            final int result = api.fi_fabric(info.fabricAttr(), out, 0);
            if (result < 0)
            {
                throw new FabricException("fi_fabric", result, nic.toString());
            }
            final long fabric = objects.push("fabric", RawMemory.getLong(out));
            domain = opened("fi_domain", "domain", fabric, FABRIC_OPS, OPS_FABRIC_DOMAIN, info.address());
            if (efa)
            {
                // Without an event queue EFA's provider aborts the process on an error that fits no completion.
                eventQueue = opened(
                    "fi_eq_open", "event queue", fabric, FABRIC_OPS, OPS_FABRIC_EQ_OPEN, zeroed(ATTR_SIZE));
            }

            final long cqAttr = zeroed(ATTR_SIZE);
            RawMemory.putLong(cqAttr + CQ_ATTR_SIZE, cqDepth);
            RawMemory.putInt(cqAttr + CQ_ATTR_FORMAT, FabricFlags.CQ_FORMAT_DATA);
            RawMemory.putInt(cqAttr + CQ_ATTR_WAIT_OBJ, FabricFlags.WAIT_NONE);
            cq = opened("fi_cq_open", "completion queue", domain, DOMAIN_OPS, OPS_DOMAIN_CQ_OPEN, cqAttr);

            final long avAttr = zeroed(ATTR_SIZE);
            RawMemory.putInt(avAttr + AV_ATTR_TYPE, FabricFlags.AV_TABLE);
            RawMemory.putLong(avAttr + AV_ATTR_COUNT, efa ? MIN_EFA_AV_COUNT : 0);
            av = opened("fi_av_open", "address vector", domain, DOMAIN_OPS, OPS_DOMAIN_AV_OPEN, avAttr);
            return opened("fi_endpoint", "endpoint", domain, DOMAIN_OPS, OPS_DOMAIN_ENDPOINT, info.address());
        }

        private long opened(
            final String call, final String name, final long parent, final int ops, final int slot, final long attr)
        {
            RawMemory.putLong(out, 0);
            OpsTable.checked(call, nic.toString(), OpsTable.slot(parent, ops, slot, call), parent, attr, out, 0L);
            return objects.push(name, RawMemory.getLong(out));
        }

        private void bind(final long ep, final long fid, final long flags, final String what)
        {
            OpsTable.checked("fi_ep_bind", "binding the " + what + " on " + nic,
                OpsTable.slot(ep, FID_OPS, OPS_BIND, "fi_ep_bind"), ep, fid, flags);
        }

        private void setEfaOptions(final long ep)
        {
            if (options.rnrRetry() >= 0)
            {
                final long value = zeroed(Long.BYTES);
                RawMemory.putLong(value, options.rnrRetry());
                OpsTable.checked("fi_setopt", "FI_OPT_EFA_RNR_RETRY=" + options.rnrRetry() + " on " + nic +
                    ": leave rnrRetry at -1 for a device that cannot",
                    OpsTable.slot(ep, EP_OPS, OPS_EP_SETOPT, "fi_setopt"), ep, FabricFlags.OPT_ENDPOINT,
                    FabricFlags.OPT_EFA_RNR_RETRY, value, (long)Long.BYTES);
            }

            // bool false, one byte: no shm below the fabric efa. Versions without the option obey the hints alone.
            OpsTable.callInt(OpsTable.slot(ep, EP_OPS, OPS_EP_SETOPT, "fi_setopt"), ep, FabricFlags.OPT_ENDPOINT,
                FabricFlags.OPT_SHARED_MEMORY_PERMITTED, zeroed(Long.BYTES), 1L);
        }

        private long option(final long ep, final int name)
        {
            if (!efa)
            {
                return UNKNOWN;
            }
            final long value = zeroed(Long.BYTES);
            final long length = zeroed(Long.BYTES);
            RawMemory.putLong(length, Long.BYTES);
            final int result = OpsTable.callInt(OpsTable.slot(ep, EP_OPS, OPS_EP_GETOPT, "fi_getopt"), ep,
                FabricFlags.OPT_ENDPOINT, name, value, length);
            return 0 == result ? RawMemory.getLong(value) : UNKNOWN;
        }

        private int injectLength(final long ep)
        {
            final long value = option(ep, FabricFlags.OPT_INJECT_MSG_SIZE);
            return (int)Math.min(Integer.MAX_VALUE, FabricInfo.clamp(UNKNOWN == value ? info.injectSize() : value));
        }

        private long maxSend(final long ep)
        {
            final boolean direct = efa && "efa-direct".equals(nic.fabricName());
            return maxSendLength(direct, option(ep, FabricFlags.OPT_MAX_MSG_SIZE), info.linkMtuLength(),
                info.maxMessageSize());
        }

        private long maxRma(final long ep)
        {
            if (!nic.supportsRma())
            {
                return 0;
            }
            final long value = option(ep, FabricFlags.OPT_MAX_RMA_SIZE);
            return UNKNOWN == value ? info.maxMessageSize() : FabricInfo.clamp(value);
        }

        private byte[] name(final long ep)
        {
            final long buffer = zeroed(MAX_NAME_LENGTH);
            final long length = zeroed(Long.BYTES);
            RawMemory.putLong(length, MAX_NAME_LENGTH);
            OpsTable.checked("fi_getname", nic.toString(),
                OpsTable.slot(ep, EP_CM, OPS_CM_GETNAME, "fi_getname"), ep, buffer, length);
            return RawMemory.getBytes(buffer, (int)RawMemory.getLong(length));
        }
    }
}
