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
package io.millrace.samples.embedded;

import io.aeron.Aeron;
import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveThreadingMode;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.millrace.archive.KvArchive;
import io.millrace.archive.KvRecording;
import io.millrace.archive.MillraceArchive;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferStats;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import io.millrace.efa.EfaMediaDriver;
import org.agrona.CloseHelper;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Driver, archive and bridge in one process. Prompts are sent as KV streams on one channel, received on another, which
 * is the same here so that one process is enough to see it work.
 */
public final class KvService implements KvReceiverListener, AutoCloseable
{
    private static final int STREAM_ID = 4001;
    private static final int REVERSE_STREAM_ID = 4002;
    private static final int CACHE_BLOCKS = 64;
    private static final int COUNTERS_LENGTH = 1 << 20;
    private static final int TERM_LENGTH = 1 << 22;
    private static final long START_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(30);

    private final KvLayout layout = KvLayout.parse("2x2x64", 128);
    private final HostDevice device = new HostDevice();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong landed = new AtomicLong();
    private final CountDownLatch cancelled = new CountDownLatch(1);
    private final String channel;
    private final long computeMs;
    private MillraceArchive archive;
    private Aeron aeron;
    private KvArchive archiveClient;
    private KvRecording recording;
    private PagedKvCache prompts;
    private PagedKvCache cache;
    private KvReceiver receiver;
    private KvSender sender;
    private volatile boolean isDraining;

    /**
     * Start everything.
     *
     * @param aeronDirectory   of the driver.
     * @param archiveDirectory of the recordings.
     * @param channel          of the KV streams, such as {@code aeron:ipc}.
     * @param computeMs        milliseconds that the blocks of a prompt take until they can be sent.
     */
    public KvService(
        final Path aeronDirectory, final Path archiveDirectory, final String channel, final long computeMs)
    {
        this.channel = channel;
        this.computeMs = computeMs;
        try
        {
            start(aeronDirectory, archiveDirectory);
        }
        catch (final RuntimeException ex)
        {
            close();
            throw ex;
        }
    }

    private void start(final Path aeronDirectory, final Path archiveDirectory)
    {
        final MediaDriver.Context driverContext = new MediaDriver.Context()
            .aeronDirectoryName(aeronDirectory.toString())
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true)
            .ipcTermBufferLength(TERM_LENGTH)
            .publicationTermBufferLength(TERM_LENGTH)
            .counterValuesBufferLength(COUNTERS_LENGTH)
            .threadingMode(ThreadingMode.SHARED)
            .sharedIdleStrategy(idle());
        // install() gives a stock context Millrace's rails; the rest is as with any Aeron driver.
        archive = MillraceArchive.launch(EfaMediaDriver.install(driverContext), new Archive.Context()
            .archiveDir(archiveDirectory.toFile())
            .threadingMode(ArchiveThreadingMode.SHARED)
            .idleStrategySupplier(KvService::idle));
        aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(archive.aeronDirectoryName()));
        archiveClient = KvArchive.connect(archive.clientContext().aeron(aeron));
        recording = archiveClient.record(channel, STREAM_ID, SourceLocation.LOCAL);

        prompts = PagedKvCache.allocate(device, layout, CACHE_BLOCKS);
        cache = PagedKvCache.allocate(device, layout, CACHE_BLOCKS);
        receiver = KvReceiver.launch(new KvReceiver.Context().aeron(aeron)
            .channel(channel).streamId(STREAM_ID).reverseChannel(channel).reverseStreamId(REVERSE_STREAM_ID)
            .device(device).allocator(cache).listener(this).idleStrategy(idle()));
        sender = KvSender.launch(new KvSender.Context().aeron(aeron)
            .channel(channel).streamId(STREAM_ID).reverseChannel(channel).reverseStreamId(REVERSE_STREAM_ID)
            .device(device).idleStrategy(idle()));
        recording.awaitStart(START_TIMEOUT_NS);
    }

    private static IdleStrategy idle()
    {
        return new BackoffIdleStrategy(10, 20, 1_000, TimeUnit.MILLISECONDS.toNanos(1));
    }

    /**
     * Send the KV blocks of a prompt, and wait until they are in the receiver's memory.
     *
     * @param tokens of the prompt.
     * @return the ended transfer.
     * @throws KvException              if the transfer failed.
     * @throws IllegalStateException    while the service drains, or when all blocks are in use.
     * @throws IllegalArgumentException if the prompt is empty or longer than the cache.
     */
    public KvTransfer prefill(final int tokens)
    {
        final int blockCount = layout.blocksFor(tokens);
        if (tokens < 1 || blockCount > CACHE_BLOCKS)
        {
            throw new IllegalArgumentException("tokens=" + tokens + ": from 1 to " +
                CACHE_BLOCKS * layout.tokensPerBlock() + ", what the cache holds");
        }
        inFlight.incrementAndGet();
        try
        {
            // After the increment: whoever drains sees this request, or this request sees that it drains.
            if (isDraining)
            {
                throw new IllegalStateException("draining");
            }
            final KvBlocks blocks = prompts.allocate(blockCount);
            if (null == blocks)
            {
                throw new IllegalStateException("all blocks are in use");
            }
            try
            {
                // Here a model would compute the blocks, and call layerReady() after each layer.
                compute();
                return sender.send(new KvTransferRequest()
                    .requestId(requests.incrementAndGet()).layout(layout).blocks(blocks).tokenCount(tokens));
            }
            finally
            {
                prompts.free(blocks);
            }
        }
        finally
        {
            inFlight.decrementAndGet();
        }
    }

    private void compute()
    {
        try
        {
            if (computeMs > 0 && cancelled.await(computeMs, TimeUnit.MILLISECONDS))
            {
                throw new IllegalStateException("cancelled: the service ends");
            }
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted: the service ends", ex);
        }
    }

    /**
     * {@inheritDoc}
     */
    public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
    {
        // Here a decode process would go on with the blocks, and free them when its answer is complete.
        landed.addAndGet(stats.transfer().info().totalBytes());
        cache.free(stats.transfer().blocks());
    }

    /**
     * {@inheritDoc}
     */
    public void onTransferFailed(final long transferId, final long requestId, final KvError reason, final String text)
    {
        System.err.println("request " + requestId + " failed (" + reason + "): " + text);
    }

    /**
     * State for a load balancer.
     *
     * @return {@code starting}, {@code up} or {@code draining}.
     */
    public String state()
    {
        return isDraining ? "draining" : sender.isConnected() ? "up" : "starting";
    }

    /**
     * Requests that are being served.
     *
     * @return now.
     */
    public int inFlight()
    {
        return inFlight.get();
    }

    /**
     * Bytes that arrived in the receiver's memory.
     *
     * @return since the start.
     */
    public long landedBytes()
    {
        return landed.get();
    }

    /**
     * Bytes on disk.
     *
     * @return position of the recording.
     */
    public long recordedBytes()
    {
        return recording.position();
    }

    /**
     * Take no more requests, and wait for those that are being served.
     *
     * @param timeoutNs to wait at most.
     * @return false if some were not done by then.
     * @throws InterruptedException if the wait was interrupted.
     */
    public boolean drain(final long timeoutNs) throws InterruptedException
    {
        isDraining = true;
        final long deadlineNs = System.nanoTime() + timeoutNs;
        while (inFlight.get() > 0)
        {
            if (System.nanoTime() - deadlineNs > 0)
            {
                return false;
            }
            TimeUnit.MILLISECONDS.sleep(1);
        }
        return true;
    }

    /**
     * End what did not drain: requests that are being served fail at once.
     */
    public void cancel()
    {
        isDraining = true;
        cancelled.countDown();
        CloseHelper.quietClose(sender);
    }

    /**
     * Close in the order in which things depend on each other: streams, recording, client, archive, driver, memory.
     */
    public void close()
    {
        isDraining = true;
        CloseHelper.quietCloseAll(sender, receiver, recording, archiveClient, aeron, archive, prompts, cache, device);
    }
}
