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
package io.millrace.samples.demo;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.archive.KvRecordingInfo;
import io.millrace.archive.KvReplay;
import io.millrace.archive.KvReplayState;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvInboundTransfer;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvTransferInfo;
import io.millrace.bridge.KvTransferStats;
import io.millrace.bridge.PagedKvCache;
import org.agrona.CloseHelper;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The decode side: lands KV blocks in its device memory and checks every one of them against content that it computes
 * itself. The digest over what landed goes to the parent, which compares it with the prefill side's.
 */
public final class DecodeChild implements ChildMain.Role, KvReceiverListener
{
    private static final long POLL_MS = 50;
    private static final long START_MARGIN_MS = 30_000;

    private record Outcome(KvInboundTransfer transfer, String failure)
    {
        KvInboundTransfer checkedTransfer()
        {
            if (null != failure)
            {
                throw new IllegalStateException(failure);
            }
            return transfer;
        }
    }

    private final ParentLink link;
    private final Orders orders;
    private final DemoNode node;
    private final PagedKvCache cache;
    private final Recorder recorder;
    private final KvReceiver receiver;
    private final BlockingQueue<Outcome> outcomes = new LinkedBlockingQueue<>();
    private final BlockCheck check;
    private volatile long landedBytes;

    private DecodeChild(final ParentLink link)
    {
        this.link = link;
        orders = link.orders(Orders.class);
        final KvLayout layout = KvLayout.parse(orders.model(), orders.tokensPerBlock());
        node = new DemoNode(orders);
        check = new BlockCheck(node.device(), layout, orders.seed());
        cache = PagedKvCache.allocate(node.device(), layout, orders.capacityBlocks());
        recorder = null == orders.archiveDirectory() ? null : new Recorder(orders, node);
        receiver = KvReceiver.launch(receiverContext()
            .aeron(node.aeron())
            .channel(orders.channel())
            .streamId(Orders.STREAM_ID)
            .reverseChannel(orders.reverseChannel())
            .reverseStreamId(Orders.REVERSE_STREAM_ID));
    }

    /**
     * Started by the demonstration, not by a user.
     *
     * @param args unused.
     */
    public static void main(final String[] args)
    {
        ChildMain.run(DecodeChild::new, Orders::tidy);
    }

    /**
     * {@inheritDoc}
     */
    public void run() throws Exception
    {
        if (null != recorder)
        {
            // The publication is to find the recorder and the receiver when it begins.
            link.send(ParentLink.event("started"));
        }
        link.send(node.awaitReady());
        for (long i = 0; i < orders.requests(); i++)
        {
            link.send(verify(awaitTransfer(), "landed"));
        }
        link.expectCommand("finish");
        link.send(node.counters(receiver.counters().get(KvCounters.Kind.CHECKSUM_ERRORS)));
        if (null != recorder)
        {
            link.expectCommand("replay");
            replay();
        }
        link.expectCommand("exit");
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(receiver, recorder, cache, node);
    }

    /**
     * {@inheritDoc}
     */
    public void onLayer(final KvInboundTransfer transfer, final int layer)
    {
        final KvTransferInfo info = transfer.info();
        landedBytes = transfer.layersReady() * info.layout().layerBytes(info.blockCount());
    }

    /**
     * {@inheritDoc}
     */
    public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
    {
        outcomes.add(new Outcome(stats.transfer(), null));
    }

    /**
     * {@inheritDoc}
     */
    public void onTransferFailed(
        final long transferId, final long requestId, final KvError reason, final String text)
    {
        outcomes.add(new Outcome(null, "request " + requestId + " failed (" + reason + "): " + text));
    }

    private KvInboundTransfer awaitTransfer() throws InterruptedException
    {
        // Filling the request comes before its transfer, and before the first one the start of the other side.
        final long timeoutMs = START_MARGIN_MS + 2 * orders.transferTimeoutMs();
        final long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        long landedBefore = -1;
        while (true)
        {
            final Outcome outcome = outcomes.poll(POLL_MS, TimeUnit.MILLISECONDS);
            if (null != outcome)
            {
                return outcome.checkedTransfer();
            }
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw new IllegalStateException("no transfer arrived within " + timeoutMs + " ms");
            }
            // Only progress is a sign of life: otherwise a stream that hangs would never be noticed.
            final long landed = landedBytes;
            if (landed != landedBefore)
            {
                landedBefore = landed;
                link.heartbeat(landed);
            }
        }
    }

    private void replay() throws InterruptedException
    {
        final KvRecordingInfo info = recorder.awaitEnd();
        link.send(ParentLink.event("recorded"));
        long mismatches = 0;
        long digest = 0;
        long landedBefore = 0;
        try (KvReplay replay = recorder.replay(
            info, orders.transferTimeoutMs() * Math.max(1, orders.requests()), receiverContext()))
        {
            while (!replay.state().isTerminal() || !outcomes.isEmpty())
            {
                final Outcome outcome = outcomes.poll(POLL_MS, TimeUnit.MILLISECONDS);
                if (null != outcome)
                {
                    final KvInboundTransfer transfer = outcome.checkedTransfer();
                    verify(transfer, "replayed");
                    mismatches += check.mismatches();
                    // A sum: a small transfer may find blocks earlier than a large one before it.
                    digest += BlockDigest.combine(transfer.info().requestId(), check.digest());
                }
                if (replay.bytesReplayed() != landedBefore)
                {
                    landedBefore = replay.bytesReplayed();
                    link.heartbeat(landedBefore);
                }
            }
            if (KvReplayState.COMPLETED != replay.state())
            {
                throw new IllegalStateException("replay of recording " + info.recordingId() + " is " +
                    replay.state() + " (" + replay.error() + "): " + replay.errorText());
            }
            link.send(ParentLink.event("archived")
                .put("recordedBytes", info.bytes())
                .put("replayedBytes", replay.bytesReplayed())
                .put("requests", replay.transfersCompleted())
                .put("mismatches", mismatches)
                .put("digest", digest));
        }
    }

    private KvReceiver.Context receiverContext()
    {
        return new KvReceiver.Context()
            .device(node.device())
            .allocator(cache)
            .listener(this)
            .idleStrategy(DemoNode.idleStrategy());
    }

    private ObjectNode verify(final KvInboundTransfer transfer, final String event)
    {
        final KvTransferInfo info = transfer.info();
        final KvBlocks blocks = transfer.blocks();
        check.run(info.requestId(), blocks, () -> link.heartbeat(info.totalBytes()));
        cache.free(blocks);
        landedBytes = 0;
        return ParentLink.event(event)
            .put("request", info.requestId())
            .put("tokens", info.tokenCount())
            .put("bytes", info.totalBytes())
            .put("mismatches", check.mismatches())
            .put("digest", check.digest());
    }
}
