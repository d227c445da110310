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
package io.millrace.efa.rail;

import io.millrace.efa.libfabric.CompletionBatch;
import io.millrace.efa.libfabric.CompletionError;
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.FabricException;

/**
 * Reads a rail's completion queue: send slots are released, what arrived is handed on. Owned by the rail's agent.
 */
final class RailCompletions implements AutoCloseable
{
    private static final int COMPLETIONS_PER_READ = 32;
    private static final int READS_PER_POLL = 4;

    private final Rail rail;
    private final FabricEndpoint endpoint;
    private final SendSlots slots;
    private final RailBuffers buffers;
    private final int sendSlots;
    private final CompletionBatch completions = new CompletionBatch(COMPLETIONS_PER_READ);
    private final CompletionError completionError = new CompletionError();
    private RailCounters counters;
    private RailListener listener;

    RailCompletions(final Rail rail, final SendSlots slots, final RailBuffers buffers, final int sendSlots)
    {
        this.rail = rail;
        this.endpoint = rail.endpoint();
        this.slots = slots;
        this.buffers = buffers;
        this.sendSlots = sendSlots;
    }

    void attach(final RailCounters counters, final RailListener listener)
    {
        this.counters = counters;
        this.listener = listener;
    }

    /**
     * Read completions and dispatch what arrived.
     *
     * @return bytes received.
     */
    int poll()
    {
        int bytesReceived = 0;

        for (int read = 0; read < READS_PER_POLL && rail.isUsable(); read++)
        {
            final int count = endpoint.poll(completions);
            if (count > 0)
            {
                for (int i = 0; i < count; i++)
                {
                    bytesReceived += onCompletion(i);
                }
            }
            else if (-FabricErrors.EAVAIL == count)
            {
                onErrorCompletion();
            }
            else if (0 != count && -FabricErrors.EAGAIN != count)
            {
                rail.onFailure("completion queue: " + FabricErrors.text(-count));
            }

            if (count < COMPLETIONS_PER_READ)
            {
                break;
            }
        }

        return bytesReceived;
    }

    @Override
    public void close()
    {
        completions.close();
    }

    private int onCompletion(final int i)
    {
        final int owner = buffers.owner(completions.context(i));
        if (completions.isRemoteWrite(i))
        {
            if (owner >= sendSlots)
            {
                buffers.onReceived(owner);
            }

            final int written = listener.onWrite(completions.data(i), completions.length(i));
            counters.bytesReceived.getAndAddRelease(written);
            counters.messagesReceived.incrementRelease();
            return written;
        }

        if (owner < sendSlots)
        {
            if (owner >= 0)
            {
                releaseSendSlot(owner);
            }
            return 0;
        }

        final int length = (int)completions.length(i);
        counters.bytesReceived.getAndAddRelease(length);
        counters.messagesReceived.incrementRelease();
        listener.onMessage(completions.data(i) & 0xFFFF_FFFFL, buffers.receiveAddress(owner), length);
        buffers.onReceived(owner);

        return length;
    }

    private void onErrorCompletion()
    {
        try
        {
            if (!endpoint.readError(completionError))
            {
                return;
            }
        }
        catch (final FabricException ex)
        {
            rail.onFailure("completion queue: " + ex.getMessage());
            return;
        }

        counters.errors.incrementRelease();
        final int owner = buffers.owner(completionError.context());
        if (owner >= sendSlots)
        {
            buffers.onReceived(owner);
        }
        else if (owner >= 0)
        {
            final RailPeer peer = slots.peer(owner);
            releaseSendSlot(owner);
            rail.onPeerFailure(peer, completionError.text());
        }
    }

    private void releaseSendSlot(final int slot)
    {
        slots.release(slot);
        counters.outstandingBytes.setRelease(slots.outstandingBytes());
    }
}
