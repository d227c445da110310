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

import io.aeron.logbuffer.ControlledFragmentHandler;
import io.aeron.logbuffer.FrameDescriptor;
import io.aeron.logbuffer.Header;
import io.millrace.codecs.kv.BlockDescriptorDecoder;
import io.millrace.codecs.kv.CancelDecoder;
import io.millrace.codecs.kv.CancelEncoder;
import io.millrace.codecs.kv.KvChunkDecoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.LayerCommitDecoder;
import io.millrace.codecs.kv.MessageHeaderDecoder;
import io.millrace.codecs.kv.MessageHeaderEncoder;
import io.millrace.codecs.kv.TransferBeginDecoder;
import io.millrace.codecs.kv.TransferCommitDecoder;
import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Passes the wanted blocks of a replayed range on to a receiver, and nothing else.
 */
final class FetchFilter implements ControlledFragmentHandler
{
    private static final int CACHE_LINE = 64;

    private final Long2ObjectHashMap<TransferCut> cutById = new Long2ObjectHashMap<>();
    private final FetchFeed feed;
    private final MessageHeaderDecoder messageHeader = new MessageHeaderDecoder();
    private final TransferBeginDecoder begin = new TransferBeginDecoder();
    private final BlockDescriptorDecoder descriptor = new BlockDescriptorDecoder();
    private final KvChunkDecoder chunk = new KvChunkDecoder();
    private final LayerCommitDecoder layerCommit = new LayerCommitDecoder();
    private final TransferCommitDecoder transferCommit = new TransferCommitDecoder();
    private final CancelDecoder cancel = new CancelDecoder();
    private final CancelEncoder newCancel = new CancelEncoder();
    private UnsafeBuffer target = new UnsafeBuffer();
    private ControlledFragmentHandler receiver;

    FetchFilter(final FetchFeed feed)
    {
        this.feed = feed;
    }

    void add(final long transferId, final TransferCut cut)
    {
        cutById.put(transferId, cut);
    }

    FetchFilter receiver(final ControlledFragmentHandler newReceiver)
    {
        receiver = newReceiver;
        return this;
    }

    public Action onFragment(final DirectBuffer buffer, final int offset, final int length, final Header header)
    {
        final boolean isWhole =
            FrameDescriptor.UNFRAGMENTED == (byte)(header.flags() & FrameDescriptor.UNFRAGMENTED);
        final int templateId = isWhole ? KvMessages.check(buffer, offset, length) : -1;
        // The transfer's id is the first field of every message but Hello, which is of no use here.
        final TransferCut cut = switch (templateId)
        {
            case TransferBeginDecoder.TEMPLATE_ID, BlockDescriptorDecoder.TEMPLATE_ID, KvChunkDecoder.TEMPLATE_ID,
                LayerCommitDecoder.TEMPLATE_ID, TransferCommitDecoder.TEMPLATE_ID, CancelDecoder.TEMPLATE_ID ->
                cutById.get(chunk.wrap(buffer, offset + MessageHeaderDecoder.ENCODED_LENGTH,
                    KvChunkDecoder.BLOCK_LENGTH, KvChunkDecoder.SCHEMA_VERSION).transferId());
            default -> null;
        };
        if (null == cut)
        {
            return Action.CONTINUE;
        }

        ensureCapacity(length);
        final int newLength = rewrite(cut, templateId, buffer, offset, length);
        final Action action = 0 == newLength ? Action.CONTINUE : receiver.onFragment(target, 0, newLength, header);
        if (Action.ABORT != action)
        {
            if (KvChunkDecoder.TEMPLATE_ID == templateId)
            {
                cut.onChunkTaken(chunk, buffer, target, newLength);
            }
            else if (TransferCommitDecoder.TEMPLATE_ID == templateId)
            {
                feed.onCommitted(cut.newId);
            }
        }
        return action;
    }

    private int rewrite(
        final TransferCut cut, final int templateId, final DirectBuffer buffer, final int offset, final int length)
    {
        return switch (templateId)
        {
            case TransferBeginDecoder.TEMPLATE_ID ->
                cut.begin(begin.wrapAndApplyHeader(buffer, offset, messageHeader), buffer, offset, length, target);
            case BlockDescriptorDecoder.TEMPLATE_ID ->
                cut.descriptor(descriptor.wrapAndApplyHeader(buffer, offset, messageHeader), target);
            case KvChunkDecoder.TEMPLATE_ID ->
                cut.chunk(chunk.wrapAndApplyHeader(buffer, offset, messageHeader), buffer, target);
            case LayerCommitDecoder.TEMPLATE_ID ->
                cut.layerCommit(layerCommit.wrapAndApplyHeader(buffer, offset, messageHeader), target);
            case TransferCommitDecoder.TEMPLATE_ID ->
                cut.commit(transferCommit.wrapAndApplyHeader(buffer, offset, messageHeader), target);
            default ->
            {
                cancel.wrapAndApplyHeader(buffer, offset, messageHeader);
                target.putBytes(0, buffer, offset, length);
                newCancel.wrap(target, MessageHeaderEncoder.ENCODED_LENGTH).transferId(cut.newId);
                yield length;
            }
        };
    }

    private void ensureCapacity(final int length)
    {
        if (target.capacity() < length)
        {
            target = new UnsafeBuffer(BufferUtil.allocateDirectAligned(length, CACHE_LINE));
        }
    }
}
