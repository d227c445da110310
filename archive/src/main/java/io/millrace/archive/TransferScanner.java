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
package io.millrace.archive;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.FrameDescriptor;
import io.aeron.logbuffer.Header;
import io.aeron.protocol.DataHeaderFlyweight;
import io.millrace.archive.index.StoredTransfer;
import io.millrace.codecs.kv.BlockDescriptorDecoder;
import io.millrace.codecs.kv.CancelDecoder;
import io.millrace.codecs.kv.KvChunkDecoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.LayerCommitDecoder;
import io.millrace.codecs.kv.MessageHeaderDecoder;
import io.millrace.codecs.kv.TransferBeginDecoder;
import io.millrace.codecs.kv.TransferCommitDecoder;
import org.agrona.BitUtil;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.EpochClock;

/**
 * Finds committed transfers in the frames of one recording: those with hashes of their blocks, of which every layer is
 * there and matches its checksum. Frames that are no KV messages are passed over.
 */
final class TransferScanner implements FragmentHandler
{
    /**
     * Transfers in flight at a time; of more, the oldest can only be ones that were never committed.
     */
    private static final int MAX_OPEN = 1024;

    private final long recordingId;
    private final EpochClock clock;
    private final Committed onCommitted;
    private final LinkedHashMap<Long, ScannedTransfer> open = new LinkedHashMap<>();
    private final LinkedHashSet<Long> whole = new LinkedHashSet<>();
    private final Map<Long, String> damaged = new LinkedHashMap<>();
    private final MessageHeaderDecoder messageHeader = new MessageHeaderDecoder();
    private final TransferBeginDecoder begin = new TransferBeginDecoder();
    private final BlockDescriptorDecoder descriptor = new BlockDescriptorDecoder();
    private final KvChunkDecoder chunk = new KvChunkDecoder();
    private final LayerCommitDecoder layerCommit = new LayerCommitDecoder();
    private final TransferCommitDecoder transferCommit = new TransferCommitDecoder();
    private final CancelDecoder cancel = new CancelDecoder();
    private long position;
    private long kvMessages;
    private long committedTransfers;

    /**
     * Takes committed transfers.
     */
    @FunctionalInterface
    interface Committed
    {
        void onCommitted(StoredTransfer transfer, String tag, long[] hashes);
    }

    TransferScanner(final long recordingId, final EpochClock clock, final Committed onCommitted)
    {
        this.recordingId = recordingId;
        this.clock = clock;
        this.onCommitted = onCommitted;
    }

    public void onFragment(final DirectBuffer buffer, final int offset, final int length, final Header header)
    {
        position = header.position();
        final boolean isWhole =
            FrameDescriptor.UNFRAGMENTED == (byte)(header.flags() & FrameDescriptor.UNFRAGMENTED);
        final int templateId = isWhole ? KvMessages.check(buffer, offset, length) : -1;
        kvMessages += templateId < 0 ? 0 : 1;
        switch (templateId)
        {
            case TransferBeginDecoder.TEMPLATE_ID -> onBegin(buffer, offset, length);
            case BlockDescriptorDecoder.TEMPLATE_ID -> onDescriptor(buffer, offset);
            case KvChunkDecoder.TEMPLATE_ID -> onChunk(buffer, offset);
            case LayerCommitDecoder.TEMPLATE_ID -> onLayerCommit(buffer, offset);
            case TransferCommitDecoder.TEMPLATE_ID -> onCommit(buffer, offset);
            case CancelDecoder.TEMPLATE_ID ->
            {
                // One that is for a single receiver ends nothing for the others, nor for a recording.
                if (0 == cancel.wrapAndApplyHeader(buffer, offset, messageHeader).receiverId())
                {
                    open.remove(cancel.transferId());
                }
            }
            default ->
            {
            }
        }
    }

    /**
     * Forget what is in flight: what follows does not join on to what was seen.
     */
    void skipTo(final long newPosition)
    {
        open.clear();
        position = newPosition;
    }

    /**
     * From where a later scan finds all that this one has not told.
     */
    long resumePosition()
    {
        long least = position;
        for (final ScannedTransfer transfer : open.values())
        {
            least = Math.min(least, transfer.position);
        }
        return least;
    }

    long committedTransfers()
    {
        return committedTransfers;
    }

    long kvMessages()
    {
        return kvMessages;
    }

    /**
     * Layers whose bytes were not those of their checksum and that no repeat followed.
     */
    List<String> damaged()
    {
        return List.copyOf(damaged.values());
    }

    private void onBegin(final DirectBuffer buffer, final int offset, final int length)
    {
        begin.wrapAndApplyHeader(buffer, offset, messageHeader);
        if (open.containsKey(begin.transferId()) || begin.attempt() > 0 && whole.contains(begin.transferId()))
        {
            // Said again until blocks were granted, or since the stream broke behind a commit.
            return;
        }
        whole.remove(begin.transferId());
        if (open.size() == MAX_OPEN)
        {
            final Map.Entry<Long, ScannedTransfer> oldest = open.entrySet().iterator().next();
            open.remove(oldest.getKey());
        }
        final int frameLength = BitUtil.align(
            length + DataHeaderFlyweight.HEADER_LENGTH, FrameDescriptor.FRAME_ALIGNMENT);
        open.put(begin.transferId(), new ScannedTransfer(begin, position - frameLength));
    }

    private void onDescriptor(final DirectBuffer buffer, final int offset)
    {
        final ScannedTransfer transfer =
            open.get(descriptor.wrapAndApplyHeader(buffer, offset, messageHeader).transferId());
        if (null != transfer && 0 == descriptor.layer())
        {
            transfer.onHashes(descriptor);
        }
    }

    private void onChunk(final DirectBuffer buffer, final int offset)
    {
        final ScannedTransfer transfer = open.get(chunk.wrapAndApplyHeader(buffer, offset, messageHeader).transferId());
        if (null != transfer)
        {
            transfer.onChunk(chunk, buffer);
        }
    }

    private void onLayerCommit(final DirectBuffer buffer, final int offset)
    {
        final ScannedTransfer transfer =
            open.get(layerCommit.wrapAndApplyHeader(buffer, offset, messageHeader).transferId());
        if (null != transfer)
        {
            transfer.onLayerCommit(layerCommit);
        }
    }

    private void onCommit(final DirectBuffer buffer, final int offset)
    {
        final long transferId = transferCommit.wrapAndApplyHeader(buffer, offset, messageHeader).transferId();
        final ScannedTransfer transfer = open.get(transferId);
        if (null == transfer)
        {
            return;
        }

        // Layers that are asked for again after the first commit bring a second one.
        if (transfer.isWhole())
        {
            open.remove(transferId);
            damaged.remove(transfer.position);
            if (whole.size() == MAX_OPEN)
            {
                whole.remove(whole.iterator().next());
            }
            whole.add(transferId);
            committedTransfers++;
            if (transfer.hasHashes())
            {
                onCommitted.onCommitted(transfer.stored(recordingId, position, (int)transferCommit.checksum(),
                    clock.time()), transfer.tag, transfer.hashes());
            }
        }
        else if (transfer.isRest())
        {
            open.remove(transferId);
        }
        else if (transfer.isDamaged())
        {
            damaged.put(transfer.position, "transfer " + transferId + " of recording " + recordingId + " at position " +
                transfer.position + ": bytes of a layer do not match its checksum");
        }
    }
}
