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

import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32C;

import io.aeron.Image;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvGrant;
import io.millrace.bridge.KvInboundTransfer;
import io.millrace.bridge.KvTransferInfo;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.staging.StagingSlot;

/**
 * A transfer of a receiver. Fields without a modifier belong to the receiver's agent.
 */
final class InboundTransfer implements KvInboundTransfer
{
    static final int NO_LAYER = -1;
    private static final long AWAIT_PARK_NS = 20_000;

    final boolean isAnswered;
    final boolean isChecked;
    final boolean isMultiple;
    final long resumeTimeoutNs;
    final long beginNs;
    final int layers;
    final CRC32C crc = new CRC32C();
    final TermWindows windows = new TermWindows();
    final int[] layerChecksums;
    final int[] attempts;
    final int[] copiesInFlight;
    final boolean[] isCommitted;
    final boolean[] isLanded;

    Image image;
    boolean isCommitRepeated;
    long timeoutNs;
    long deadlineNs;
    long interruptedNs;

    /**
     * What is sent: blocks, from a layer on.
     */
    BlockRuns runs;
    KvBlocks carried;
    int fromLayer;

    /**
     * All data follows its begin at once.
     */
    boolean isEager;

    /**
     * What came early is not taken: the sender begins again.
     */
    boolean isDropping;

    /**
     * A commit came while a layer was damaged.
     */
    boolean isCommitPassedOver;

    int currentLayer = NO_LAYER;
    long nextOffset;
    StagingSlot slot;
    int slotsInFlight;
    long commitBytes;
    int checksum;
    int retries;
    long receivedBytes;
    long chunks;
    long duplicates;
    long landedBytes;
    long creditLimit;

    private int layersBefore;
    private volatile long layerBytes;
    private volatile KvTransferInfo info;
    private volatile KvBlocks blocks;
    private volatile KvTransferState state = KvTransferState.PENDING;
    private volatile KvError error = KvError.NONE;
    private volatile String errorText;
    private volatile int layersLanded;
    private volatile boolean isCancelRequested;
    private volatile boolean isInterrupted;
    private volatile boolean isCommitSeen;

    InboundTransfer(
        final KvTransferInfo info,
        final Image image,
        final boolean isAnswered,
        final boolean isChecked,
        final boolean isMultiple,
        final boolean isCommitRepeated,
        final long nowNs,
        final long timeoutNs,
        final long resumeTimeoutNs)
    {
        this.info = info;
        this.image = image;
        this.isAnswered = isAnswered;
        this.isChecked = isChecked;
        this.isMultiple = isMultiple;
        this.isCommitRepeated = isCommitRepeated;
        this.timeoutNs = timeoutNs;
        this.resumeTimeoutNs = resumeTimeoutNs;
        beginNs = nowNs;
        deadlineNs = nowNs + timeoutNs;
        layers = info.layout().layers();
        layerChecksums = new int[layers];
        attempts = new int[layers];
        copiesInFlight = new int[layers];
        isCommitted = new boolean[layers];
        isLanded = new boolean[layers];
    }

    long transferId()
    {
        return info.transferId();
    }

    /**
     * Land in these blocks. What is in them already counts as landed, unless other receivers need it or the stream is
     * sent as it is.
     */
    void grant(final KvGrant grant)
    {
        final int blockCount = info.blockCount();
        final boolean isAll = isMultiple || !isAnswered;
        runs = isAll ? BlockRuns.all(blockCount) : BlockRuns.missing(grant, blockCount);
        carried = runs.select(grant.blocks());
        layerBytes = info.layout().layerBytes(runs.blocks());
        fromLayer = isAll ? 0 : 0 == runs.blocks() ? layers : Math.min(layers, grant.layersPresent());
        for (int layer = 0; layer < fromLayer; layer++)
        {
            isCommitted[layer] = true;
            onLanded(layer);
        }
        layersBefore = fromLayer;
        blocks = grant.blocks();
    }

    /**
     * Forget what of a layer has come: its stream broke. The staging slot was given back.
     */
    void interrupt(final long nowNs)
    {
        isInterrupted = true;
        interruptedNs = nowNs;
        currentLayer = NO_LAYER;
        nextOffset = 0;
        crc.reset();
    }

    /**
     * Go on after the last layer of those that were committed without a gap.
     */
    void resume(final KvTransferInfo newInfo, final Image newImage, final long nowNs, final long newTimeoutNs)
    {
        interrupt(nowNs);
        isInterrupted = false;
        info = newInfo;
        image = newImage;
        timeoutNs = newTimeoutNs;
        deadlineNs = nowNs + newTimeoutNs;
        isCommitSeen = false;
        isEager = false;
        isDropping = false;
        receivedBytes = 0;
        landedBytes = 0;
        fromLayer = 0;
        while (fromLayer < layers && isCommitted[fromLayer])
        {
            fromLayer++;
        }
    }

    /**
     * Did a sender before leave this behind, that now begins the same request in another session.
     */
    boolean isLeftBehindBy(final KvTransferInfo other, final boolean isOtherMultiple)
    {
        return isAnswered && resumeTimeoutNs > 0 && isMultiple == isOtherMultiple &&
            info.sessionId() != other.sessionId() && info.requestId() == other.requestId() &&
            info.blockCount() == other.blockCount() &&
            info.layout().equals(other.layout()) && info.modelTag().equals(other.modelTag()) &&
            info.tpRank() == other.tpRank() && info.tpSize() == other.tpSize() &&
            info.ppRank() == other.ppRank() && info.ppSize() == other.ppSize();
    }

    /**
     * May the sender commit layers from this one on. Where it has several receivers, it repeats what one of them lacks:
     * layers that were committed here before are no harm.
     */
    boolean isCommitFrom(final int layer)
    {
        return layer == fromLayer || !isAnswered || isMultiple && layer < fromLayer;
    }

    /**
     * Has a layer come that did not match, and not again yet.
     */
    boolean isDamaged(final int layer)
    {
        return !isCommitted[layer] && attempts[layer] > 0;
    }

    /**
     * The first layer that did not match and has not come again, or NO_LAYER.
     */
    int damagedLayer()
    {
        for (int layer = 0; layer < layers; layer++)
        {
            if (isDamaged(layer))
            {
                return layer;
            }
        }
        return NO_LAYER;
    }

    /**
     * A commit adds up.
     */
    void commit(final long bytes, final int newChecksum)
    {
        checksum = newChecksum;
        commitBytes = bytes;
        isCommitSeen = true;
    }

    /**
     * Is there nothing that the sender may leave out.
     */
    boolean isAllWanted()
    {
        return 0 == fromLayer && runs.blocks() == info.blockCount();
    }

    /**
     * Payload bytes of a layer that are sent.
     */
    long layerBytes()
    {
        return layerBytes;
    }

    boolean isGranted()
    {
        return null != blocks;
    }

    boolean isCancelRequested()
    {
        return isCancelRequested;
    }

    void onLanded(final int layer)
    {
        isLanded[layer] = true;
        // The volatile store publishes the array element to awaitLayer.
        layersLanded = layersLanded + 1;
    }

    int layersLanded()
    {
        return layersLanded;
    }

    void finish(final KvError finalError, final String text)
    {
        errorText = text;
        error = finalError;
        state = finalError.terminalState();
    }

    public KvTransferInfo info()
    {
        return info;
    }

    public KvBlocks blocks()
    {
        return blocks;
    }

    public KvTransferState state()
    {
        return state;
    }

    public KvError error()
    {
        return error;
    }

    public String errorText()
    {
        return errorText;
    }

    public int layersReady()
    {
        return layersLanded;
    }

    public long bytesLanded()
    {
        return (layersLanded - layersBefore) * layerBytes;
    }

    public boolean hasArrived()
    {
        return isCommitSeen;
    }

    public boolean isInterrupted()
    {
        return isInterrupted && !state.isTerminal();
    }

    public boolean isLayerReady(final int layer)
    {
        if (layer < 0 || layer >= layers)
        {
            throw new IllegalArgumentException("layer=" + layer + " is out of range: use 0 to " + (layers - 1));
        }
        return layersLanded > 0 && isLanded[layer];
    }

    public boolean awaitLayer(final int layer, final long awaitTimeoutNs)
    {
        final long startNs = System.nanoTime();
        while (!isLayerReady(layer))
        {
            if (state.isTerminal())
            {
                if (isLayerReady(layer))
                {
                    return true;
                }
                throw new KvException(error, "transfer " + info.transferId() + " of request " + info.requestId() +
                    " ended without layer " + layer + ": " + errorText);
            }
            if (System.nanoTime() - startNs >= awaitTimeoutNs || Thread.currentThread().isInterrupted())
            {
                return false;
            }
            LockSupport.parkNanos(AWAIT_PARK_NS);
        }
        return true;
    }

    public void cancel()
    {
        isCancelRequested = true;
    }

    public String toString()
    {
        return "KvInboundTransfer{" + info + " state=" + state + " layersLanded=" + layersLanded + " error=" + error +
            (null == errorText ? "" : " " + errorText) + "}";
    }
}
