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

import org.agrona.concurrent.UnsafeBuffer;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * An endpoint with registered buffers that keeps its completions, for tests of one thread.
 */
final class Peer implements AutoCloseable
{
    static final int BUFFER_LENGTH = 1 << 20;

    private static final int SLOTS = 1024;
    private static final long DEADLINE_NS = 20_000_000_000L;

    record Completion(int slot, long length, long data, boolean send, boolean receive, boolean write, boolean remote)
    {
    }

    final FabricEndpoint endpoint;
    final MemoryRegion region;
    final Deque<Completion> completions = new ArrayDeque<>();
    final Deque<CompletionError> errors = new ArrayDeque<>();
    final FabricContexts contexts = new FabricContexts(SLOTS);
    final UnsafeBuffer sendBuffer;
    final UnsafeBuffer receiveBuffer;
    private final NativeMemory memory = NativeMemory.allocate(2L * BUFFER_LENGTH);
    private final CompletionBatch batch = new CompletionBatch(16);

    Peer(final FabricNic nic)
    {
        this(nic, EndpointOptions.defaults());
    }

    Peer(final FabricNic nic, final EndpointOptions options)
    {
        endpoint = LibFabric.load().open(nic, options);
        sendBuffer = memory.buffer(0, BUFFER_LENGTH);
        receiveBuffer = memory.buffer(BUFFER_LENGTH, BUFFER_LENGTH);
        region = endpoint.register(memory.address(), memory.length(),
            MemoryRegion.ACCESS_MESSAGE | MemoryRegion.ACCESS_WRITE_SOURCE | MemoryRegion.ACCESS_WRITE_TARGET);
    }

    static FabricNic nic(final FabricProvider provider)
    {
        final List<FabricNic> nics = LibFabric.load().nics(provider);
        if (nics.isEmpty())
        {
            throw new AssertionError("libfabric at " + LibFabric.load().path() + " has no provider for " + provider);
        }
        // Loopback where there is one: tests need no network.
        return nics.getLast();
    }

    long sendAddress()
    {
        return memory.address();
    }

    long receiveAddress()
    {
        return memory.address() + BUFFER_LENGTH;
    }

    /** Where others write to so that it lands in the receive buffer. */
    long remoteReceiveAddress()
    {
        return region.remoteBase() + BUFFER_LENGTH;
    }

    void postReceive(final int offset, final int length, final int slot)
    {
        accepted(
            () -> endpoint.receive(receiveAddress() + offset, length, region.descriptor(), contexts.address(slot)),
            this);
    }

    void send(final Peer to, final long fiAddr, final int length, final long immediate, final int slot)
    {
        accepted(
            () -> endpoint.send(
                sendAddress(), length, region.descriptor(), immediate, fiAddr, contexts.address(slot)),
            this, to);
    }

    Completion awaitCompletion(final Peer other)
    {
        until(() -> !completions.isEmpty() || !errors.isEmpty(), this, other);
        if (!errors.isEmpty())
        {
            throw new AssertionError("error completion: " + errors.peek());
        }
        return completions.poll();
    }

    CompletionError awaitError(final Peer other)
    {
        until(() -> !errors.isEmpty(), this, other);
        return errors.poll();
    }

    void progress()
    {
        final int count = endpoint.poll(batch);
        if (-FabricErrors.EAVAIL == count)
        {
            final CompletionError error = new CompletionError();
            if (endpoint.readError(error))
            {
                errors.add(error);
            }
        }
        else if (count < 0)
        {
            throw new AssertionError("poll returned " + count + ": " + FabricErrors.text(count));
        }
        for (int i = 0; i < count; i++)
        {
            completions.add(new Completion(
                contexts.index(batch.context(i)), batch.length(i), batch.hasData(i) ? batch.data(i) : -1,
                batch.isSend(i), batch.isReceive(i), batch.isWrite(i), batch.isRemoteWrite(i)));
        }
    }

    static void until(final BooleanSupplier condition, final Peer... peers)
    {
        final long deadlineNs = System.nanoTime() + DEADLINE_NS;
        while (!condition.getAsBoolean())
        {
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw new AssertionError("condition did not come true within the deadline");
            }
            for (final Peer peer : peers)
            {
                peer.progress();
            }
        }
    }

    /** Repeat an operation while the provider says EAGAIN. */
    static void accepted(final LongSupplier operation, final Peer... peers)
    {
        final long[] result = { operation.getAsLong() };
        until(() ->
        {
            if (-FabricErrors.EAGAIN == result[0])
            {
                result[0] = operation.getAsLong();
            }
            return -FabricErrors.EAGAIN != result[0];
        }, peers);
        if (0 != result[0])
        {
            throw new AssertionError("operation returned " + result[0] + ": " + FabricErrors.text((int)result[0]));
        }
    }

    @Override
    public void close()
    {
        endpoint.close();
        memory.close();
        contexts.close();
        batch.close();
    }
}
