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

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.zip.CRC32C;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.device.KvEvent;
import io.millrace.bridge.staging.StagingSlot;
import org.agrona.collections.IntArrayList;
import org.agrona.concurrent.NanoClock;

/**
 * A transfer of a sender. Fields without a modifier belong to the sender's agent, volatile ones are read or written by
 * users' threads.
 */
final class OutboundTransfer implements KvTransfer
{
    /**
     * What the agent has to do next.
     */
    enum Phase
    {
        BEGIN,
        GRANT,
        STREAM,
        ACKNOWLEDGE,
        CANCELING,
        ENDING
    }

    static final int NO_LAYER = -1;

    final KvLayout layout;
    final KvBlocks blocks;
    final long[] blockHashes;
    final String modelTag;
    final int blockCount;
    final int tokenCount;
    final int tpRank;
    final int tpSize;
    final int ppRank;
    final int ppSize;
    final boolean isLayerwise;
    final KvEvent acquired;
    final long deadlineNs;
    final long timeoutNs;
    final long layerBytes;

    Phase phase = Phase.BEGIN;
    boolean isBegun;
    boolean isToldToEnd;
    long endingDeadlineNs;
    KvError endError = KvError.NONE;
    String endText;
    long creditLimit;

    /**
     * Planning: which range is copied next.
     */
    int planLayer = NO_LAYER;
    int planAttempt;
    int nextLayer;
    long planOffset;

    /**
     * Publishing: slots in order of their bytes.
     */
    final StagingSlot[] slots;
    int slotHead;
    int slotCount;
    int describedBlocks;
    int chunkCrcEnd;
    boolean isCommitDue;
    int commitLayer;
    int commitAttempt;
    final CRC32C crc = new CRC32C();
    final int[] layerChecksums;
    final boolean[] isAcked;
    final IntArrayList resends = new IntArrayList();
    final IntArrayList resendAttempts = new IntArrayList();
    int resendCount;

    private final long transferId;
    private final long requestId;
    private final long totalBytes;
    private final NanoClock clock;
    private final long submitNs;
    private final CompletableFuture<KvTransfer> future = new CompletableFuture<>();
    private volatile KvTransferState state = KvTransferState.WAITING;
    private volatile KvError error = KvError.NONE;
    private volatile String errorText;
    private volatile long bytesSent;
    private volatile long endNs;
    private volatile int layersAcked;
    private volatile int layersReady;
    private volatile boolean isCancelRequested;

    OutboundTransfer(
        final long transferId, final KvTransferRequest request, final int maxSlots, final NanoClock clock)
    {
        this.transferId = transferId;
        this.clock = clock;
        submitNs = clock.nanoTime();
        timeoutNs = request.timeoutNs();
        deadlineNs = submitNs + timeoutNs;
        requestId = request.requestId();
        layout = request.layout();
        blocks = request.blocks();
        blockCount = blocks.blockCount();
        blockHashes = request.blockHashes();
        modelTag = request.modelTag();
        tokenCount = request.tokenCount() < 0 ? blockCount * layout.tokensPerBlock() : request.tokenCount();
        tpRank = request.tpRank();
        tpSize = request.tpSize();
        ppRank = request.ppRank();
        ppSize = request.ppSize();
        isLayerwise = request.layerwise();
        acquired = request.acquired();
        layersReady = isLayerwise ? 0 : layout.layers();
        layerBytes = layout.layerBytes(blockCount);
        totalBytes = layout.totalBytes(blockCount);
        slots = new StagingSlot[maxSlots];
        layerChecksums = new int[layout.layers()];
        isAcked = new boolean[layout.layers()];
    }

    /**
     * Choose the layer to copy next: one that the receiver asked for again, else the next that is ready.
     *
     * @return false when there is none now.
     */
    boolean nextPlan()
    {
        if (NO_LAYER != planLayer)
        {
            return true;
        }
        if (!resends.isEmpty())
        {
            planLayer = resends.removeAt(0);
            planAttempt = resendAttempts.removeAt(0);
        }
        else if (nextLayer < layersReady)
        {
            planLayer = nextLayer++;
            planAttempt = 0;
        }
        else
        {
            return false;
        }
        planOffset = 0;
        return true;
    }

    boolean isAllPublished()
    {
        return 0 == slotCount && NO_LAYER == planLayer && resends.isEmpty() && nextLayer == layout.layers() &&
            !isCommitDue;
    }

    StagingSlot headSlot()
    {
        return 0 == slotCount ? null : slots[slotHead];
    }

    void pushSlot(final StagingSlot slot)
    {
        slots[(slotHead + slotCount++) % slots.length] = slot;
    }

    void popSlot()
    {
        slots[slotHead] = null;
        slotHead = (slotHead + 1) % slots.length;
        slotCount--;
    }

    void addBytesSent(final int bytes)
    {
        bytesSent = bytesSent + bytes;
    }

    void pending()
    {
        state = KvTransferState.PENDING;
    }

    void onLayerAck(final int layer)
    {
        if (!isAcked[layer])
        {
            isAcked[layer] = true;
            layersAcked = layersAcked + 1;
        }
    }

    void finish(final KvError finalError, final String text)
    {
        endNs = clock.nanoTime();
        error = finalError;
        errorText = text;
        state = finalError.terminalState();
        future.complete(this);
    }

    boolean isCancelRequested()
    {
        return isCancelRequested;
    }

    public long transferId()
    {
        return transferId;
    }

    public long requestId()
    {
        return requestId;
    }

    public KvTransferState state()
    {
        return state;
    }

    public long bytesSent()
    {
        return bytesSent;
    }

    public long totalBytes()
    {
        return totalBytes;
    }

    public int layersAcked()
    {
        return layersAcked;
    }

    public KvError error()
    {
        return error;
    }

    public String errorText()
    {
        return errorText;
    }

    public long durationNs()
    {
        return (state.isTerminal() ? endNs : clock.nanoTime()) - submitNs;
    }

    public synchronized void layerReady(final int layer)
    {
        if (layer < 0 || layer >= layout.layers())
        {
            throw new IllegalArgumentException(
                "layer=" + layer + " is out of range: use 0 to " + (layout.layers() - 1));
        }
        layersReady = Math.max(layersReady, layer + 1);
    }

    public void cancel()
    {
        isCancelRequested = true;
    }

    public CompletableFuture<KvTransfer> future()
    {
        return future;
    }

    public KvTransferState await(final long awaitTimeoutNs)
    {
        try
        {
            future.get(awaitTimeoutNs, TimeUnit.NANOSECONDS);
        }
        catch (final TimeoutException | ExecutionException ex)
        {
            return state;
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
        }
        return state;
    }

    public String toString()
    {
        return "KvTransfer{transferId=" + transferId + " requestId=" + requestId + " state=" + state +
            " bytesSent=" + bytesSent + "/" + totalBytes + " layersAcked=" + layersAcked + "/" + layout.layers() +
            " error=" + error + (null == errorText ? "" : " " + errorText) + "}";
    }
}
