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
package io.millrace.bridge.protocol;

import io.aeron.Image;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvDtype;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvFailurePolicy;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvTransferInfo;
import io.millrace.codecs.kv.ChecksumKind;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.TransferBeginDecoder;

/**
 * Checks a TransferBegin and enters its transfer.
 */
final class BeginReader
{
    private final ReceiverAgent agent;

    BeginReader(final ReceiverAgent agent)
    {
        this.agent = agent;
    }

    static String versions(final int minOfSender, final int maxOfSender)
    {
        return "sender speaks KV protocol " + minOfSender + " to " + maxOfSender + ", receiver speaks " +
            KvMessages.MIN_PROTOCOL_VERSION + " to " + KvMessages.PROTOCOL_VERSION + ": upgrade the older side";
    }

    /**
     * Enter the transfer.
     *
     * @return false when the message must come again, since a stream that listens to no answer has to wait.
     */
    boolean onBegin(final TransferBeginDecoder message, final Image image, final int sessionId)
    {
        final boolean isAnswered = !agent.ctx.replay() && !message.flags().unacknowledged();
        final long transferId = message.transferId();
        final InboundTransfer known = agent.find(transferId);
        if (null == known && agent.recent.contains(transferId))
        {
            if (!agent.ctx.replay() && KvError.UNKNOWN_TRANSFER != agent.recent.error(transferId))
            {
                onEnded(message, isAnswered);
                return true;
            }
            if (agent.ctx.replay() && message.attempt() > 0 && KvError.NONE == agent.recent.error(transferId))
            {
                // What follows was recorded for other receivers, which had lost the stream: all of it has landed here.
                return true;
            }
            // The same recording may be replayed again, and data may have come to a receiver before its begin.
            agent.recent.remove(transferId);
        }
        if (null != known && (known.isGranted() || known.isAnswered))
        {
            if (!known.isAnswered && known.hasArrived() && message.attempt() > known.info().attempt())
            {
                // As above, with copies that still run.
                agent.counters.increment(KvCounters.Kind.DUPLICATES);
            }
            else if (message.attempt() > known.info().attempt() && isSame(message, known.info()))
            {
                resume(message, known, image, sessionId);
            }
            else
            {
                onRepeated(message, known, sessionId);
            }
            return true;
        }
        if (null != known)
        {
            return agent.granting.allocate(known) || standsStill();
        }

        final KvTransferInfo info = check(message, sessionId, isAnswered);
        if (null == info)
        {
            return true;
        }
        final InboundTransfer orphan = isAnswered && message.resumeTimeoutNs() > 0 ?
            agent.findOrphan(info, message.flags().multiple()) : null;
        if (null != orphan)
        {
            resume(message, orphan, image, sessionId);
            return true;
        }
        if (agent.activeCount() >= agent.ctx.maxInFlight())
        {
            if (isAnswered)
            {
                refuse(message, true, KvError.OVERLOADED, agent.ctx.maxInFlight(), agent.activeCount() + 1,
                    "receiver has " + agent.activeCount() + " transfers in flight, maxInFlight=" +
                    agent.ctx.maxInFlight());
            }
            return isAnswered || standsStill();
        }

        final long timeoutNs = agent.ctx.replay() ? agent.ctx.replayTimeoutNs() : message.timeoutNs();
        final InboundTransfer transfer = new InboundTransfer(info, image, isAnswered,
            ChecksumKind.NONE != message.checksumKind(), message.flags().multiple(),
            isCommitRepeated(message, isAnswered),
            agent.clock.nanoTime(), timeoutNs, message.resumeTimeoutNs());
        transfer.isEager = isAnswered && message.flags().eager();
        agent.add(transfer);
        final boolean isSettled = agent.granting.allocate(transfer);
        if (!isSettled && transfer.isEager)
        {
            agent.granting.drop(transfer);
        }
        return isSettled || isAnswered || standsStill();
    }

    /**
     * The begin comes again. Until then nothing follows it that could repeat a damaged layer.
     */
    private boolean standsStill()
    {
        agent.failPassedOver();
        return false;
    }

    /**
     * May a commit that comes while a layer is damaged be followed by another.
     */
    private static boolean isCommitRepeated(final TransferBeginDecoder message, final boolean isAnswered)
    {
        return isAnswered || !message.flags().unacknowledged() &&
            message.protocolVersion() >= KvMessages.EARLY_COMMIT_PROTOCOL_VERSION;
    }

    private static boolean isSame(final TransferBeginDecoder message, final KvTransferInfo info)
    {
        return info.requestId() == message.requestId() && info.totalBytes() == message.totalBytes() &&
            info.blockCount() == message.blockCount();
    }

    /**
     * The sender has not heard of the end, or uses an id twice.
     */
    private void onEnded(final TransferBeginDecoder message, final boolean isAnswered)
    {
        final long transferId = message.transferId();
        final KvError error = agent.recent.error(transferId);
        if (isAnswered && message.attempt() > 0 && KvError.NONE == error)
        {
            agent.writer.transferAck(transferId, message.totalBytes(), agent.recent.checksum(transferId), 0);
        }
        else if (isAnswered && message.attempt() > 0)
        {
            agent.writer.reject(transferId, error, 0, 0, "transfer " + transferId + " ended with " + error +
                " while its stream was broken");
        }
        else
        {
            final String text = "transfer " + transferId + " has ended already";
            agent.writer.reject(transferId, KvError.DUPLICATE_TRANSFER, 0, 0, text);
            agent.events.onRefused(transferId, KvError.DUPLICATE_TRANSFER, text);
        }
    }

    private void resume(
        final TransferBeginDecoder message, final InboundTransfer known, final Image image, final int sessionId)
    {
        final KvTransferInfo info = known.info();
        known.isCommitRepeated = isCommitRepeated(message, known.isAnswered);
        agent.resume(known, new KvTransferInfo(message.transferId(), info.requestId(), info.modelTag(), info.layout(),
            info.blockCount(), info.tokenCount(), info.totalBytes(), info.tpRank(), info.tpSize(), info.ppRank(),
            info.ppSize(), sessionId, message.attempt(), info.policy()), image, message.timeoutNs(),
            message.flags().eager());
    }

    private void onRepeated(final TransferBeginDecoder message, final InboundTransfer known, final int sessionId)
    {
        final KvTransferInfo info = known.info();
        if (info.sessionId() == sessionId && isSame(message, info))
        {
            agent.counters.increment(KvCounters.Kind.DUPLICATES);
            if (known.isAnswered && known.isGranted() && !known.isDropping)
            {
                agent.writer.allocate(known);
            }
        }
        else
        {
            // Only told here: a Reject would end the transfer that is in flight under this id.
            agent.events.onRefused(known.transferId(), KvError.DUPLICATE_TRANSFER, "transfer " + known.transferId() +
                " is in flight for request " + info.requestId() + " with " + info.totalBytes() +
                " bytes, now begun for request " + message.requestId() + " with " + message.totalBytes());
        }
    }

    private KvTransferInfo check(
        final TransferBeginDecoder message, final int sessionId, final boolean isAnswered)
    {
        final int version = message.protocolVersion();
        if (version < KvMessages.MIN_PROTOCOL_VERSION || version > KvMessages.PROTOCOL_VERSION)
        {
            refuse(message, isAnswered, KvError.VERSION_MISMATCH, KvMessages.PROTOCOL_VERSION, version,
                versions(version, version));
            return null;
        }
        if (message.dtypeRaw() >= KvDtype.values().length)
        {
            refuse(message, isAnswered, KvError.BAD_LAYOUT, KvDtype.values().length - 1, message.dtypeRaw(),
                "dtype " + message.dtypeRaw() + " is not known, the highest is " + (KvDtype.values().length - 1));
            return null;
        }

        final KvLayout layout;
        try
        {
            layout = new KvLayout(message.layers(), message.kvHeads(), message.headDim(),
                KvDtype.values()[message.dtypeRaw()], message.tokensPerBlock(), message.parts());
        }
        catch (final IllegalArgumentException ex)
        {
            refuse(message, isAnswered, KvError.BAD_LAYOUT, 0, 0, ex.getMessage());
            return null;
        }

        final long blockCount = message.blockCount();
        final long expected = blockCount < 1 || blockCount > Integer.MAX_VALUE ? 0 : layout.totalBytes((int)blockCount);
        if (0 == expected || message.blockBytes() != layout.blockBytesPerLayer() || message.totalBytes() != expected ||
            message.tokenCount() > blockCount * layout.tokensPerBlock() || message.timeoutNs() <= 0 ||
            message.resumeTimeoutNs() < 0)
        {
            refuse(message, isAnswered, KvError.BAD_LAYOUT, expected, message.totalBytes(), "begin of " + blockCount +
                " blocks of " + message.blockBytes() + " bytes, " + message.tokenCount() + " tokens, " +
                message.totalBytes() + " bytes in " + message.timeoutNs() + " ns does not add up for " + layout);
            return null;
        }

        return new KvTransferInfo(
            message.transferId(),
            message.requestId(),
            message.modelTag(),
            layout,
            (int)blockCount,
            (int)message.tokenCount(),
            expected,
            message.tpRank(),
            message.tpSize(),
            message.ppRank(),
            message.ppSize(),
            sessionId,
            message.attempt(),
            KvFailurePolicy.ofWireValue(message.failurePolicyRaw()));
    }

    private void refuse(
        final TransferBeginDecoder message,
        final boolean isAnswered,
        final KvError error,
        final long expected,
        final long actual,
        final String text)
    {
        final long transferId = message.transferId();
        if (isAnswered)
        {
            agent.writer.reject(transferId, error, expected, actual, text);
        }
        agent.recent.add(transferId, error, 0);
        agent.events.onRefusedBegin(transferId, message.requestId(),
            KvFailurePolicy.ofWireValue(message.failurePolicyRaw()), error, text);
    }
}
