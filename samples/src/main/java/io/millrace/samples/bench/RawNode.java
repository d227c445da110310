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
package io.millrace.samples.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.CompletionBatch;
import io.millrace.efa.libfabric.CompletionError;
import io.millrace.efa.libfabric.EndpointOptions;
import io.millrace.efa.libfabric.FabricContexts;
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.LibFabric;
import io.millrace.efa.libfabric.MemoryRegion;
import io.millrace.efa.libfabric.NativeMemory;
import org.agrona.BitUtil;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.HexFormat;

/**
 * A side on libfabric itself. Round trips are messages, injected where they fit; a stream is writes with immediate into
 * a ring of the receiver, which says from time to time how far it has got.
 */
final class RawNode implements Node
{
    private static final int MAX_SLOTS = 256;
    // What Aeron's default receiver window of the same benchmark allows in flight, twice.
    private static final int RING_LENGTH = 4 << 20;
    private static final int MIN_SLOTS = 4;
    private static final int ACKS_PER_RING = 4;
    private static final int SMALL = 64;
    private static final int COMPLETIONS = 32;
    private static final long SEQUENCE_MASK = 0xFFFF_FFFFL;

    private final int size;
    private final boolean isStream;
    private final boolean isServer;
    private final int slots;
    private final int stride;
    private final FabricEndpoint endpoint;
    private final NativeMemory memory;
    private final MemoryRegion region;
    private final UnsafeBuffer buffer;
    private final FabricContexts contexts;
    private final CompletionBatch batch = new CompletionBatch(COMPLETIONS);
    private final CompletionError error = new CompletionError();
    private final boolean[] isBusy;
    // Slots for sending, then slots for receiving, both of the same stride, then small ones for acknowledgements.
    private final int receiveOffset;
    private final int ackOffset;
    private final boolean injects;

    private long peer = -1;
    private long remoteBase;
    private long remoteKey;
    private long sent;
    private long received;
    private long acknowledged;

    /**
     * Open an endpoint on the NIC that Millrace's driver would take first.
     *
     * @param order of the measurement.
     */
    RawNode(final Order order)
    {
        size = order.size();
        isStream = CaseKind.RTT != order.kind();
        isServer = order.isServer();
        stride = BitUtil.align(size, SMALL);
        final ProtocolChoice choice = ProtocolChoice.select(new EfaContext().protocol(order.protocol()));
        endpoint = LibFabric.load().open(choice.nics().getFirst(), EndpointOptions.defaults());
        slots = Math.min(Math.min(MAX_SLOTS, Math.min(endpoint.txDepth(), endpoint.rxDepth()) / 2),
            Math.max(MIN_SLOTS, RING_LENGTH / stride));
        isBusy = new boolean[slots];
        receiveOffset = slots * stride;
        ackOffset = 2 * receiveOffset;
        memory = NativeMemory.allocate(ackOffset + 2L * slots * SMALL);
        buffer = memory.buffer(0, (int)memory.length());
        region = endpoint.register(memory.address(), memory.length(),
            MemoryRegion.ACCESS_MESSAGE | MemoryRegion.ACCESS_WRITE_SOURCE | MemoryRegion.ACCESS_WRITE_TARGET);
        contexts = new FabricContexts(3 * slots);
        injects = size <= endpoint.injectLength();
        final long longest = isStream ? endpoint.maxRmaLength() : endpoint.maxSendLength();
        if (size > longest)
        {
            close();
            throw new IllegalStateException("provider " + choice.provider() + " carries at most " + longest +
                " bytes in one operation, " + size + " were asked for");
        }
        for (int i = 0; i < slots; i++)
        {
            post(i);
        }
    }

    private void post(final int slot)
    {
        final long address = memory.address() + (isStream ? ackOffset + (long)slot * SMALL :
            receiveOffset + (long)slot * stride);
        final int length = isStream ? SMALL : stride;
        require(endpoint.receive(address, length, region.descriptor(), contexts.address(slots + slot)));
    }

    /**
     * {@inheritDoc}
     */
    public void describe(final ObjectNode event)
    {
        event
            .put("address", HexFormat.of().formatHex(endpoint.localAddress()))
            .put("key", region.key())
            .put("base", region.remoteBase() + receiveOffset);
    }

    /**
     * {@inheritDoc}
     */
    public void connect(final JsonNode description)
    {
        peer = endpoint.insertAddress(HexFormat.of().parseHex(description.path("address").asText()));
        remoteKey = description.path("key").asLong();
        remoteBase = description.path("base").asLong();
    }

    /**
     * {@inheritDoc}
     */
    public boolean isConnected()
    {
        return -1 != peer;
    }

    /**
     * {@inheritDoc}
     */
    public void work()
    {
        if (isStream && !isServer)
        {
            poll(null);
        }
    }

    /**
     * {@inheritDoc}
     */
    public void progress()
    {
        // Completions of sends come with those of receives, and those are being handled.
    }

    /**
     * {@inheritDoc}
     */
    public boolean offer(final long first, final long second)
    {
        final int slot = (int)(sent % slots);
        if (isBusy[slot] || isStream && sent - acknowledged >= slots)
        {
            return false;
        }
        final int offset = slot * stride;
        final long address = memory.address() + offset;
        buffer.putLong(offset, first);
        buffer.putLong(offset + Long.BYTES, second);
        final long result = isStream ?
            endpoint.writeData(address, size, region.descriptor(), sent & SEQUENCE_MASK, peer, remoteBase + offset,
                remoteKey, contexts.address(slot)) :
            injects ? endpoint.inject(address, size, sent & SEQUENCE_MASK, peer) :
            endpoint.sendUnanswered(
                address, size, region.descriptor(), sent & SEQUENCE_MASK, peer, contexts.address(slot));
        if (-FabricErrors.EAGAIN == result)
        {
            return false;
        }
        require(result);
        isBusy[slot] = isStream || !injects;
        sent++;
        return true;
    }

    /**
     * {@inheritDoc}
     */
    public int poll(final Handler handler)
    {
        final int count = endpoint.poll(batch);
        if (count < 0)
        {
            endpoint.readError(error);
            throw new IllegalStateException("completion queue: " + FabricErrors.text(-count) + " " + error);
        }
        for (int i = 0; i < count; i++)
        {
            final int slot = contexts.index(batch.context(i));
            if (batch.isRemoteWrite(i))
            {
                onArrival(handler, receiveOffset + (int)(received % slots) * stride);
            }
            else if (batch.isReceive(i))
            {
                final int received = slot - slots;
                if (isStream)
                {
                    acknowledged = buffer.getLong(ackOffset + received * SMALL);
                }
                else
                {
                    onArrival(handler, receiveOffset + received * stride);
                }
                post(received);
            }
            else if (slot >= 0 && slot < slots)
            {
                isBusy[slot] = false;
            }
        }
        if (isStream && isServer)
        {
            acknowledge();
        }
        return count;
    }

    private void onArrival(final Handler handler, final int offset)
    {
        received++;
        handler.onFragment(buffer.getLong(offset), buffer.getLong(offset + Long.BYTES), size, true, true);
    }

    private void acknowledge()
    {
        if (received - acknowledged >= Math.max(1, slots / ACKS_PER_RING))
        {
            final int offset = ackOffset + slots * SMALL;
            buffer.putLong(offset, received);
            final long result = endpoint.inject(memory.address() + offset, Long.BYTES, 0, peer);
            if (-FabricErrors.EAGAIN != result)
            {
                require(result);
                acknowledged = received;
            }
        }
    }

    private static void require(final long result)
    {
        if (0 != result)
        {
            throw new IllegalStateException("libfabric refused an operation: " + FabricErrors.text((int)-result));
        }
    }

    /**
     * {@inheritDoc}
     */
    public void verify()
    {
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        endpoint.close();
        memory.close();
        contexts.close();
        batch.close();
    }
}
