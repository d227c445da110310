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
package io.millrace.efa.contract;

import io.millrace.efa.libfabric.CompletionBatch;
import io.millrace.efa.libfabric.CompletionError;
import io.millrace.efa.libfabric.EndpointOptions;
import io.millrace.efa.libfabric.FabricContexts;
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.FabricNic;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.LibFabric;
import io.millrace.efa.libfabric.MemoryRegion;
import io.millrace.efa.libfabric.NativeMemory;
import org.agrona.UnsafeApi;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * An endpoint of a software provider under the contract, with memory, contexts and what has completed.
 */
final class Node implements AutoCloseable
{
    static final int BUFFER_LENGTH = 64 * 1024;
    private static final long DEADLINE_NS = TimeUnit.SECONDS.toNanos(60);

    record Completion(int slot, long length, long data, boolean isReceive, boolean isRemoteWrite)
    {
    }

    final FabricEndpoint endpoint;
    final FabricContexts contexts = new FabricContexts(4096);
    final MemoryRegion region;
    final List<Completion> completions = new ArrayList<>();
    final List<Integer> errors = new ArrayList<>();
    private final NativeMemory memory = NativeMemory.allocate(2 * BUFFER_LENGTH);
    private final CompletionBatch batch = new CompletionBatch(16);
    private final CompletionError error = new CompletionError();

    Node(final EfaContract contract, final FabricProvider provider)
    {
        this(contract, provider, EndpointOptions.defaults());
    }

    Node(final EfaContract contract, final FabricProvider provider, final EndpointOptions options)
    {
        final List<FabricNic> nics = LibFabric.load().nics(provider);
        endpoint = contract.apply(LibFabric.load().open(nics.getLast(), options));
        region = endpoint.register(memory.address(), memory.length(),
            MemoryRegion.ACCESS_MESSAGE | MemoryRegion.ACCESS_WRITE_SOURCE | MemoryRegion.ACCESS_WRITE_TARGET);
    }

    long connect(final Node other)
    {
        other.endpoint.insertAddress(endpoint.localAddress());
        return endpoint.insertAddress(other.endpoint.localAddress());
    }

    long sendAddress()
    {
        return memory.address();
    }

    long receiveAddress(final int offset)
    {
        return memory.address() + BUFFER_LENGTH + offset;
    }

    long remoteReceiveAddress(final int offset)
    {
        return region.remoteBase() + BUFFER_LENGTH + offset;
    }

    void fill(final int length, final byte value)
    {
        UnsafeApi.setMemory(sendAddress(), length, value);
    }

    byte received(final int offset)
    {
        return UnsafeApi.getByte(receiveAddress(offset));
    }

    void postReceive(final int offset, final int length, final int slot)
    {
        accepted(() -> endpoint.receive(receiveAddress(offset), length, region.descriptor(), contexts.address(slot)),
            this);
    }

    void send(final Node to, final long fiAddr, final int length, final int immediate, final int slot)
    {
        accepted(() -> endpoint.send(sendAddress(), length, region.descriptor(), immediate, fiAddr,
            contexts.address(slot)), this, to);
    }

    void progress()
    {
        final int count = endpoint.poll(batch);
        if (-FabricErrors.EAVAIL == count)
        {
            if (endpoint.readError(error))
            {
                errors.add(error.providerErrno());
            }
        }
        else if (count < 0)
        {
            throw new AssertionError("poll returned " + count);
        }

        for (int i = 0; i < count; i++)
        {
            completions.add(new Completion(contexts.index(batch.context(i)), batch.length(i), batch.data(i),
                batch.isReceive(i), batch.isRemoteWrite(i)));
        }
    }

    static void until(final BooleanSupplier condition, final Node... nodes)
    {
        final long deadlineNs = System.nanoTime() + DEADLINE_NS;
        while (!condition.getAsBoolean())
        {
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw new AssertionError("condition did not come true within the deadline");
            }
            for (final Node node : nodes)
            {
                node.progress();
            }
        }
    }

    static void accepted(final LongSupplier operation, final Node... nodes)
    {
        final long[] result = { operation.getAsLong() };
        until(() ->
        {
            if (-FabricErrors.EAGAIN == result[0])
            {
                result[0] = operation.getAsLong();
            }
            return -FabricErrors.EAGAIN != result[0];
        }, nodes);
        if (0 != result[0])
        {
            throw new AssertionError("operation returned " + result[0]);
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
