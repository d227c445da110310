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

import java.lang.foreign.MemorySegment;

import static io.millrace.efa.libfabric.FabricLayout.CQ_ERROR_SIZE;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ERROR_SRC_ADDR;
import static io.millrace.efa.libfabric.FabricLayout.CQ_OPS;
import static io.millrace.efa.libfabric.FabricLayout.EP_MSG;
import static io.millrace.efa.libfabric.FabricLayout.EP_RMA;
import static io.millrace.efa.libfabric.FabricLayout.EQ_ERROR_ERRNO;
import static io.millrace.efa.libfabric.FabricLayout.EQ_ERROR_PROVIDER_ERRNO;
import static io.millrace.efa.libfabric.FabricLayout.EQ_OPS;
import static io.millrace.efa.libfabric.FabricLayout.IOV_BASE;
import static io.millrace.efa.libfabric.FabricLayout.IOV_DESC;
import static io.millrace.efa.libfabric.FabricLayout.IOV_LENGTH;
import static io.millrace.efa.libfabric.FabricLayout.MSG_ADDR;
import static io.millrace.efa.libfabric.FabricLayout.MSG_CONTEXT;
import static io.millrace.efa.libfabric.FabricLayout.MSG_DATA;
import static io.millrace.efa.libfabric.FabricLayout.MSG_DESC;
import static io.millrace.efa.libfabric.FabricLayout.MSG_IOV;
import static io.millrace.efa.libfabric.FabricLayout.MSG_IOV_COUNT;
import static io.millrace.efa.libfabric.FabricLayout.OPS_CQ_READ;
import static io.millrace.efa.libfabric.FabricLayout.OPS_CQ_READERR;
import static io.millrace.efa.libfabric.FabricLayout.OPS_EQ_READ;
import static io.millrace.efa.libfabric.FabricLayout.OPS_EQ_READERR;
import static io.millrace.efa.libfabric.FabricLayout.OPS_MSG_INJECTDATA;
import static io.millrace.efa.libfabric.FabricLayout.OPS_MSG_RECV;
import static io.millrace.efa.libfabric.FabricLayout.OPS_MSG_SENDDATA;
import static io.millrace.efa.libfabric.FabricLayout.OPS_MSG_SENDMSG;
import static io.millrace.efa.libfabric.FabricLayout.OPS_RMA_WRITE;
import static io.millrace.efa.libfabric.FabricLayout.OPS_RMA_WRITEDATA;

/**
 * An endpoint of libfabric. What providers only assert, or crash on, is checked here: addresses that are not inserted,
 * lengths, immediates that would be cut, use after close.
 */
final class NativeEndpoint implements FabricEndpoint
{
    private static final long ANY_SOURCE = -1L;
    private static final long IMMEDIATE_MASK_4 = 0xFFFF_FFFFL;
    private static final int EVENT_LENGTH = 256;

    private final EndpointParts parts;
    private final AddressVector addresses;
    private final MemoryRegions regions;
    private final NativeMemory scratch = NativeMemory.allocate(NativeMemory.PAGE_SIZE);
    private final long errorEntry = scratch.address();
    private final long eventEntry = errorEntry + CQ_ERROR_SIZE;
    private final long message = eventEntry + Long.BYTES + EVENT_LENGTH;

    private final long ep;
    private final long cq;
    private final long eq;
    private final int injectLength;
    private final long maxSendLength;
    private final long maxRmaLength;
    private final boolean isDeliveryAnswered;
    private final long immediateMask;
    private final MemorySegment recv;
    private final MemorySegment senddata;
    private final MemorySegment sendmsg;
    private final MemorySegment injectdata;
    private final MemorySegment write;
    private final MemorySegment writedata;
    private final MemorySegment cqRead;
    private final MemorySegment cqReadErr;
    private final MemorySegment eqRead;
    private final MemorySegment eqReadErr;
    private int eventErrno;
    private int eventProviderErrno;
    private boolean closed;

    NativeEndpoint(final EndpointParts parts)
    {
        this.parts = parts;
        ep = parts.ep();
        cq = parts.cq();
        eq = parts.eq();
        addresses = new AddressVector(parts.nic(), parts.av(), parts.name().length);
        regions = new MemoryRegions(parts);
        injectLength = parts.injectLength();
        maxSendLength = parts.maxSendLength();
        immediateMask = parts.immediateLength() < Long.BYTES ? IMMEDIATE_MASK_4 : -1L;

        // Only now, after fi_enable: efa-direct exchanges tables in it.
        recv = function(ep, EP_MSG, OPS_MSG_RECV, "fi_recv");
        senddata = function(ep, EP_MSG, OPS_MSG_SENDDATA, "fi_senddata");
        isDeliveryAnswered = 0 != (parts.opFlags() & FabricFlags.DELIVERY_COMPLETE);
        sendmsg = isDeliveryAnswered ? function(ep, EP_MSG, OPS_MSG_SENDMSG, "fi_sendmsg") : MemorySegment.NULL;
        injectdata = function(ep, EP_MSG, OPS_MSG_INJECTDATA, "fi_injectdata");
        cqRead = function(cq, CQ_OPS, OPS_CQ_READ, "fi_cq_read");
        cqReadErr = function(cq, CQ_OPS, OPS_CQ_READERR, "fi_cq_readerr");
        final boolean rma = parts.maxRmaLength() > 0 && 0 != OpsTable.slotOrZero(ep, EP_RMA, OPS_RMA_WRITEDATA);
        maxRmaLength = rma ? parts.maxRmaLength() : 0;
        write = rma ? function(ep, EP_RMA, OPS_RMA_WRITE, "fi_write") : MemorySegment.NULL;
        writedata = rma ? function(ep, EP_RMA, OPS_RMA_WRITEDATA, "fi_writedata") : MemorySegment.NULL;
        RawMemory.putLong(message + MSG_IOV, message + IOV_BASE);
        RawMemory.putLong(message + MSG_DESC, message + IOV_DESC);
        RawMemory.putLong(message + MSG_IOV_COUNT, 1);
        eqRead = 0 == eq ? MemorySegment.NULL : function(eq, EQ_OPS, OPS_EQ_READ, "fi_eq_read");
        eqReadErr = 0 == eq ? MemorySegment.NULL : function(eq, EQ_OPS, OPS_EQ_READERR, "fi_eq_readerr");
    }

    private static MemorySegment function(final long fid, final int table, final int slot, final String call)
    {
        return MemorySegment.ofAddress(OpsTable.slot(fid, table, slot, call));
    }

    @Override
    public FabricNic nic()
    {
        return parts.nic();
    }

    @Override
    public int txDepth()
    {
        return parts.txDepth();
    }

    @Override
    public int rxDepth()
    {
        return parts.rxDepth();
    }

    @Override
    public int cqDepth()
    {
        return parts.cqDepth();
    }

    @Override
    public int injectLength()
    {
        return injectLength;
    }

    @Override
    public long maxSendLength()
    {
        return maxSendLength;
    }

    @Override
    public long maxRmaLength()
    {
        return maxRmaLength;
    }

    @Override
    public int immediateLength()
    {
        return parts.immediateLength();
    }

    @Override
    public boolean needsDescriptor()
    {
        return 0 != (parts.memoryMode() & FabricFlags.MR_LOCAL);
    }

    @Override
    public boolean virtualAddressing()
    {
        return regions.virtualAddressing();
    }

    @Override
    public boolean writeDataTakesReceive()
    {
        return 0 != (parts.mode() & FabricFlags.MODE_RX_CQ_DATA);
    }

    @Override
    public byte[] localAddress()
    {
        return parts.name().clone();
    }

    @Override
    public long insertAddress(final byte[] rawAddress)
    {
        return addresses.insert(rawAddress);
    }

    @Override
    public void removeAddress(final long fiAddr)
    {
        addresses.remove(fiAddr);
    }

    @Override
    public MemoryRegion register(final long address, final long length, final int access)
    {
        return regions.register(address, length, access);
    }

    @Override
    public long send(
        final long address,
        final int length,
        final long descriptor,
        final long immediate,
        final long fiAddr,
        final long context)
    {
        final int refusal = messageRefusal(length, maxSendLength, immediate, fiAddr);
        return 0 != refusal ? refusal :
            FabricCalls.senddata(senddata, ep, address, length, descriptor, immediate, fiAddr, context);
    }

    @Override
    public boolean isDeliveryAnswered()
    {
        return isDeliveryAnswered;
    }

    @Override
    public long sendUnanswered(
        final long address,
        final int length,
        final long descriptor,
        final long immediate,
        final long fiAddr,
        final long context)
    {
        if (!isDeliveryAnswered)
        {
            return send(address, length, descriptor, immediate, fiAddr, context);
        }
        final int refusal = messageRefusal(length, maxSendLength, immediate, fiAddr);
        if (0 != refusal)
        {
            return refusal;
        }
        RawMemory.putLong(message + IOV_BASE, address);
        RawMemory.putLong(message + IOV_LENGTH, length);
        RawMemory.putLong(message + IOV_DESC, descriptor);
        RawMemory.putLong(message + MSG_ADDR, fiAddr);
        RawMemory.putLong(message + MSG_CONTEXT, context);
        RawMemory.putLong(message + MSG_DATA, immediate);
        return FabricCalls.sendmsg(sendmsg, ep, message, FabricFlags.REMOTE_CQ_DATA | FabricFlags.COMPLETION);
    }

    @Override
    public long inject(final long address, final int length, final long immediate, final long fiAddr)
    {
        final int refusal = messageRefusal(length, injectLength, immediate, fiAddr);
        return 0 != refusal ? refusal :
            FabricCalls.injectdata(injectdata, ep, address, length, immediate, fiAddr);
    }

    private int messageRefusal(final int length, final long maxLength, final long immediate, final long fiAddr)
    {
        if (length < 0 || length > maxLength)
        {
            return -FabricErrors.EMSGSIZE;
        }
        return !addresses.isLive(fiAddr) || 0 != (immediate & ~immediateMask) ? -FabricErrors.EINVAL : 0;
    }

    @Override
    public long receive(final long address, final long length, final long descriptor, final long context)
    {
        if (closed)
        {
            return -FabricErrors.EBADF;
        }
        return FabricCalls.recv(recv, ep, address, length, descriptor, ANY_SOURCE, context);
    }

    @Override
    public long write(
        final long address,
        final long length,
        final long descriptor,
        final long fiAddr,
        final long remoteAddress,
        final long key,
        final long context)
    {
        if (length < 0 || length > maxRmaLength)
        {
            return 0 == maxRmaLength ? -FabricErrors.ENOSYS : -FabricErrors.EMSGSIZE;
        }
        if (!addresses.isLive(fiAddr))
        {
            return -FabricErrors.EINVAL;
        }
        return FabricCalls.write(write, ep, address, length, descriptor, fiAddr, remoteAddress, key, context);
    }

    @Override
    public long writeData(
        final long address,
        final long length,
        final long descriptor,
        final long immediate,
        final long fiAddr,
        final long remoteAddress,
        final long key,
        final long context)
    {
        if (length < 0 || length > maxRmaLength)
        {
            return 0 == maxRmaLength ? -FabricErrors.ENOSYS : -FabricErrors.EMSGSIZE;
        }
        if (!addresses.isLive(fiAddr) || 0 != (immediate & ~immediateMask))
        {
            return -FabricErrors.EINVAL;
        }
        return FabricCalls.writedata(
            writedata, ep, address, length, descriptor, immediate, fiAddr, remoteAddress, key, context);
    }

    @Override
    public int poll(final CompletionBatch batch)
    {
        if (closed)
        {
            return -FabricErrors.EBADF;
        }
        final long result = FabricCalls.cqRead(cqRead, cq, batch.address(), batch.capacity());
        return -FabricErrors.EAGAIN == result ? 0 : (int)result;
    }

    @Override
    public boolean readError(final CompletionError error)
    {
        if (closed)
        {
            return false;
        }
        // Zeroed, since providers read err_data_size, and with the source address that fi_cq_readerr() presets.
        RawMemory.zero(errorEntry, CQ_ERROR_SIZE);
        RawMemory.putLong(errorEntry + CQ_ERROR_SRC_ADDR, -1);
        final long result = FabricCalls.cqRead(cqReadErr, cq, errorEntry, 0);
        if (result < 0 && -FabricErrors.EAGAIN != result)
        {
            throw new FabricException("fi_cq_readerr", (int)result, "on " + parts.nic());
        }
        if (result <= 0)
        {
            return false;
        }
        error.read(parts.nic().provider(), errorEntry);
        return true;
    }

    @Override
    public int pollEvents()
    {
        if (0 == eq || closed)
        {
            return 0;
        }
        final long buffer = eventEntry + Long.BYTES;
        final long result = FabricCalls.eqRead(eqRead, eq, eventEntry, buffer, EVENT_LENGTH);
        if (-FabricErrors.EAVAIL == result)
        {
            RawMemory.zero(buffer, EVENT_LENGTH);
            FabricCalls.cqRead(eqReadErr, eq, buffer, 0);
            eventErrno = RawMemory.getInt(buffer + EQ_ERROR_ERRNO);
            eventProviderErrno = RawMemory.getInt(buffer + EQ_ERROR_PROVIDER_ERRNO);
            return 1;
        }
        return result > 0 ? 1 : 0;
    }

    @Override
    public String eventErrorText()
    {
        return 0 == eventErrno ? null :
            FabricErrors.text(eventErrno) + " (" + eventErrno + "), " + EfaErrors.text(eventProviderErrno);
    }

    @Override
    public void close()
    {
        if (closed)
        {
            return;
        }
        closed = true;
        addresses.close();
        final FabricException endpointFailure = parts.objects().closeLast();
        final FabricException failure = parts.objects().closeAll(regions.closeAll(endpointFailure));
        scratch.close();
        if (null != failure)
        {
            throw failure;
        }
    }
}
