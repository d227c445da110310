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

import io.aeron.archive.codecs.SourceLocation;
import io.millrace.archive.KvArchive;
import io.millrace.archive.KvRecording;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.samples.failure.CommandFailure;
import org.agrona.CloseHelper;

import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The prefill node of a trace's pass: computes blocks, sends them, and has them recorded on the way, in recordings of a
 * length.
 */
final class TraceSender implements AutoCloseable
{
    static final int STREAM_ID = 3001;
    static final int IN_FLIGHT = 4;

    private static final long TIMEOUT_NS = TimeUnit.SECONDS.toNanos(60);

    private final TracePassOptions options;
    private final KvLayout layout;
    private final String modelTag;
    private final TraceNode prefill;
    private final KvArchive client;
    private final Channels channels;
    private final Map<Long, long[]> expected;
    private final ArrayDeque<Sent> inFlight = new ArrayDeque<>();
    private KvSender sender;
    private KvRecording recording;
    private long sentSinceRotation;
    private long nextTransfer;
    private long recordedBytes;

    private record Sent(KvTransfer transfer, KvBlocks blocks)
    {
    }

    /**
     * @param expected that takes the block hashes of each request before it is sent.
     */
    TraceSender(
        final TracePassOptions options,
        final KvLayout layout,
        final String modelTag,
        final TraceNode prefill,
        final KvArchive client,
        final Channels channels,
        final Map<Long, long[]> expected)
    {
        this.options = options;
        this.layout = layout;
        this.modelTag = modelTag;
        this.prefill = prefill;
        this.client = client;
        this.channels = channels;
        this.expected = expected;
        beginRecording();
    }

    long recordedBytes()
    {
        return recordedBytes;
    }

    /**
     * Compute blocks and send them in one transfer.
     */
    void send(final long[] hashes)
    {
        awaitTransfers(IN_FLIGHT - 1);
        final KvBlocks source = prefill.cache().allocate(hashes.length);
        for (int i = 0; i < hashes.length; i++)
        {
            prefill.fill(source, i, hashes[i]);
        }
        final long requestId = nextTransfer++;
        expected.put(requestId, hashes);
        inFlight.add(new Sent(sender.submit(new KvTransferRequest()
            .requestId(requestId)
            .layout(layout)
            .blocks(source)
            .blockHashes(hashes)
            .modelTag(modelTag)
            .timeoutNs(TIMEOUT_NS)), source));
        sentSinceRotation += hashes.length * (long)layout.blockBytesPerLayer() * layout.layers();
        if (sentSinceRotation >= options.recordingBytes())
        {
            // Of several recordings the coldest can go; of one only the start.
            endRecording();
            beginRecording();
        }
    }

    /**
     * Wait until no more than some transfers are in flight.
     */
    void awaitTransfers(final int left)
    {
        while (inFlight.size() > left)
        {
            final Sent sent = inFlight.remove();
            if (KvTransferState.COMPLETED != sent.transfer().await(TIMEOUT_NS))
            {
                throw CommandFailure.failed("a transfer is " + sent.transfer().state() + ": " +
                    sent.transfer().errorText());
            }
            prefill.cache().free(sent.blocks());
        }
    }

    /**
     * End the stream and its recording.
     */
    void endRecording()
    {
        awaitTransfers(0);
        CloseHelper.close(sender);
        recordedBytes += recording.awaitStop(TIMEOUT_NS).bytes();
    }

    private void beginRecording()
    {
        recording = client.record(channels.toServer(), STREAM_ID, SourceLocation.LOCAL);
        sender = KvSender.launch(new KvSender.Context()
            .aeron(prefill.aeron())
            .channel(channels.toServer())
            .streamId(STREAM_ID)
            .reverseChannel(channels.toClient())
            .reverseStreamId(STREAM_ID + 1)
            .device(prefill.device())
            .idleStrategy(TraceNode.idleStrategy()));
        sentSinceRotation = 0;
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.close(sender);
    }
}
