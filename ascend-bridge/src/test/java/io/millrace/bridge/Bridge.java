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
package io.millrace.bridge;

import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.exceptions.AeronException;
import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.device.KvDevice;
import org.agrona.CloseHelper;
import org.agrona.concurrent.AgentTerminationException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

/**
 * A media driver, two devices with caches, and a sender and a receiver run by the test's own thread.
 */
final class Bridge implements AutoCloseable
{
    static final int STREAM_ID = 1001;
    static final int REVERSE_STREAM_ID = 1002;
    static final String IPC = "aeron:ipc?term-length=1m|mtu=65472";
    static final String IPC_REVERSE = "aeron:ipc?term-length=64k";
    static final String UDP =
        "aeron:udp?endpoint=localhost:" + Drivers.freePort() + "|term-length=1m" + Drivers.CHANNEL_PARAMETERS;
    static final String UDP_REVERSE =
        "aeron:udp?endpoint=localhost:" + Drivers.freePort() + "|term-length=64k" + Drivers.CHANNEL_PARAMETERS;
    static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);

    final MediaDriver driver;
    final Aeron aeron;
    final KvDevice sourceDevice;
    final KvDevice destinationDevice;
    final ConcurrentLinkedQueue<String> events = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<KvTransferStats> completed = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<KvInboundTransfer> begun = new ConcurrentLinkedQueue<>();
    final ConcurrentLinkedQueue<Throwable> errors = new ConcurrentLinkedQueue<>();
    final KvReceiverListener listener = new Recorder();
    final String channel;
    final String reverseChannel;
    KvSender sender;
    KvReceiver receiver;
    boolean isDriverLost;

    /**
     * Do host devices use staging too, as other devices always do.
     */
    boolean isStaged;

    Bridge(final boolean isUdp)
    {
        this(isUdp, new HostDevice(0, 1), new HostDevice(1, 1));
    }

    Bridge(final boolean isUdp, final KvDevice sourceDevice, final KvDevice destinationDevice)
    {
        this.sourceDevice = sourceDevice;
        this.destinationDevice = destinationDevice;
        channel = isUdp ? UDP : IPC;
        reverseChannel = isUdp ? UDP_REVERSE : IPC_REVERSE;
        Drivers.assumeWanted(isUdp, !(sourceDevice instanceof HostDevice));
        driver = MediaDriver.launchEmbedded(Drivers.prepare(new MediaDriver.Context()
            .aeronDirectoryName(CommonContext.generateRandomDirName())
            .threadingMode(ThreadingMode.SHARED)
            .publicationConnectionTimeoutNs(TimeUnit.SECONDS.toNanos(2))
            .imageLivenessTimeoutNs(TimeUnit.SECONDS.toNanos(2))
            .statusMessageTimeoutNs(TimeUnit.MILLISECONDS.toNanos(50))
            .timerIntervalNs(TimeUnit.MILLISECONDS.toNanos(20))
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true)));
        aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
    }

    private <C extends KvContext<C>> C staged(final C ctx, final KvDevice device)
    {
        return isStaged || !device.isHostAccessible() ? ctx.stagingConfig("4:1") : ctx;
    }

    KvSender.Context senderContext()
    {
        return staged(new KvSender.Context(), sourceDevice)
            .aeron(aeron)
            .channel(channel).streamId(STREAM_ID)
            .reverseChannel(reverseChannel).reverseStreamId(REVERSE_STREAM_ID)
            .device(sourceDevice)
            .counters(KvCounters.inMemory())
            .errorHandler(errors::add)
            .useAgentInvoker(true);
    }

    KvReceiver.Context receiverContext(final KvBlockAllocator allocator)
    {
        return staged(new KvReceiver.Context(), destinationDevice)
            .aeron(aeron)
            .channel(channel).streamId(STREAM_ID)
            .reverseChannel(reverseChannel).reverseStreamId(REVERSE_STREAM_ID)
            .device(destinationDevice)
            .allocator(allocator)
            .listener(listener)
            .counters(KvCounters.inMemory())
            .errorHandler(errors::add)
            .useAgentInvoker(true);
    }

    Bridge launch(final KvBlockAllocator allocator)
    {
        return launch(allocator, ctx -> ctx, ctx -> ctx);
    }

    Bridge launch(
        final KvBlockAllocator allocator,
        final UnaryOperator<KvSender.Context> senderTuning,
        final UnaryOperator<KvReceiver.Context> receiverTuning)
    {
        receiver = KvReceiver.launch(receiverTuning.apply(receiverContext(allocator)));
        sender = KvSender.launch(senderTuning.apply(senderContext()));
        return this;
    }

    /**
     * Blocks whose ids are not contiguous, with contents that depend on the seed.
     */
    KvBlocks source(final PagedKvCache cache, final int blockCount, final long seed)
    {
        final KvBlocks blocks = cache.allocate(blockCount);
        fill(sourceDevice, cache.layout(), blocks, seed);
        return blocks;
    }

    static PagedKvCache scattered(final KvDevice device, final KvLayout layout, final int capacity, final long seed)
    {
        final PagedKvCache cache = PagedKvCache.allocate(device, layout, capacity);
        final Random random = new Random(seed);
        final KvBlocks[] all = new KvBlocks[capacity];
        for (int i = 0; i < capacity; i++)
        {
            all[i] = cache.allocate(1);
        }
        for (int i = capacity - 1; i >= 0; i--)
        {
            final int other = random.nextInt(i + 1);
            final KvBlocks swapped = all[other];
            all[other] = all[i];
            cache.free(swapped);
        }
        return cache;
    }

    static void fill(final KvDevice device, final KvLayout layout, final KvBlocks blocks, final long seed)
    {
        final Random random = new Random(seed);
        final byte[] bytes = new byte[layout.partBytes()];
        for (int layer = 0; layer < layout.layers(); layer++)
        {
            for (int part = 0; part < layout.parts(); part++)
            {
                for (int block = 0; block < blocks.blockCount(); block++)
                {
                    random.nextBytes(bytes);
                    device.put(blocks.address(layer, part, block), bytes, 0, bytes.length);
                }
            }
        }
    }

    void assertSame(final KvLayout layout, final KvBlocks source, final KvBlocks destination)
    {
        final byte[] expected = new byte[layout.partBytes()];
        final byte[] actual = new byte[layout.partBytes()];
        for (int layer = 0; layer < layout.layers(); layer++)
        {
            for (int part = 0; part < layout.parts(); part++)
            {
                for (int block = 0; block < source.blockCount(); block++)
                {
                    sourceDevice.get(source.address(layer, part, block), expected, 0, expected.length);
                    destinationDevice.get(destination.address(layer, part, block), actual, 0, actual.length);
                    assertThat(actual).as("layer %d part %d block %d", layer, part, block).isEqualTo(expected);
                }
            }
        }
    }

    void runUntil(final BooleanSupplier condition)
    {
        final long startNs = System.nanoTime();
        while (!condition.getAsBoolean())
        {
            final int workCount = turn();
            if (System.nanoTime() - startNs > LIMIT_NS)
            {
                fail("not reached in time: events=" + events + " errors=" + errors);
            }
            if (0 == workCount)
            {
                Thread.yield();
            }
        }
        errors.forEach(error ->
        {
            if (!isDriverLost || !(error instanceof AeronException ||
                error instanceof AgentTerminationException))
            {
                throw new AssertionError(error);
            }
        });
    }

    int turn()
    {
        return (null == sender ? 0 : sender.invoker().invoke()) + (null == receiver ? 0 : receiver.invoker().invoke());
    }

    KvTransfer run(final KvTransferRequest request)
    {
        final KvTransfer transfer = sender.submit(request);
        runUntil(() -> transfer.state().isTerminal());
        return transfer;
    }

    /**
     * Close the sender while the receiver keeps working.
     */
    void closeSender()
    {
        sender.close();
        sender = null;
    }

    void closeReceiver()
    {
        receiver.close();
        receiver = null;
    }

    public void close()
    {
        CloseHelper.closeAll(sender, receiver, aeron, driver, sourceDevice, destinationDevice);
    }

    private final class Recorder implements KvReceiverListener
    {
        public void onTransferBegin(final KvInboundTransfer transfer)
        {
            begun.add(transfer);
        }

        public void onLayer(final KvInboundTransfer transfer, final int layer)
        {
            events.add("layer " + transfer.info().requestId() + " " + layer);
        }

        public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
        {
            completed.add(stats);
            events.add("complete " + requestId);
        }

        public void onTransferFailed(
            final long transferId, final long requestId, final KvError reason, final String text)
        {
            events.add("failed " + requestId + " " + reason + " " + text);
        }

        public void onRefused(final long transferId, final KvError reason, final String text)
        {
            events.add("refused " + reason + " " + text);
        }
    }
}
