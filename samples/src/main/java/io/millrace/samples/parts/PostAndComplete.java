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
package io.millrace.samples.parts;

import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.CompletionBatch;
import io.millrace.efa.libfabric.EndpointOptions;
import io.millrace.efa.libfabric.FabricContexts;
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.LibFabric;
import io.millrace.efa.libfabric.MemoryRegion;
import io.millrace.efa.libfabric.NativeMemory;
import org.agrona.CloseHelper;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import java.util.concurrent.TimeUnit;

/**
 * Calls of libfabric: an empty read of completions, and a message from one endpoint of {@code shm} to another with its
 * post, its completion and the receive that is posted again.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PostAndComplete
{
    private static final int COMPLETIONS = 32;
    private static final int RECEIVE_LENGTH = 8192;

    /**
     * A message.
     */
    @State(Scope.Thread)
    public static class Message
    {
        /**
         * Bytes of it.
         */
        @Param({ "64", "288", "1344" })
        public int size;
    }

    private FabricEndpoint sender;
    private FabricEndpoint receiver;
    private NativeMemory memory;
    private FabricContexts contexts;
    private CompletionBatch batch;
    private long descriptor;
    private long peer;

    /**
     * Open both endpoints.
     */
    @Setup
    public void open()
    {
        final ProtocolChoice choice = ProtocolChoice.select(new EfaContext().protocol("shm"));
        sender = LibFabric.load().open(choice.nics().getFirst(), EndpointOptions.defaults());
        receiver = LibFabric.load().open(choice.nics().getFirst(), EndpointOptions.defaults());
        memory = NativeMemory.allocate(2 * RECEIVE_LENGTH);
        contexts = new FabricContexts(1);
        batch = new CompletionBatch(COMPLETIONS);
        descriptor = receiver.register(memory.address(), memory.length(), MemoryRegion.ACCESS_MESSAGE).descriptor();
        peer = sender.insertAddress(receiver.localAddress());
        receive();
    }

    /**
     * Close them.
     */
    @TearDown
    public void close()
    {
        CloseHelper.closeAll(sender, receiver, memory, contexts, batch);
    }

    /**
     * A look at a completion queue that has nothing.
     *
     * @return completions.
     */
    @Benchmark
    public int emptyRead()
    {
        return sender.poll(batch);
    }

    /**
     * A message and its completion.
     *
     * @param message to send.
     * @return completions.
     */
    @Benchmark
    public int postAndComplete(final Message message)
    {
        while (0 != sender.inject(memory.address(), message.size, 1, peer))
        {
            receiver.poll(batch);
        }
        int count;
        do
        {
            count = receiver.poll(batch);
        }
        while (0 == count);
        receive();
        return count;
    }

    private void receive()
    {
        if (0 != receiver.receive(
            memory.address() + RECEIVE_LENGTH, RECEIVE_LENGTH, descriptor, contexts.address(0)))
        {
            throw new IllegalStateException("a receive cannot be posted");
        }
    }
}
