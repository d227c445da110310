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

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.zip.CRC32C;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvDestination;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvFailurePolicy;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvPriority;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.device.CopyDirection;
import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.KvEvent;
import io.millrace.codecs.kv.KvMessages;
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
        BEGIN_AGAIN,
        GRANT,
        STREAM,
        ACKNOWLEDGE,
        INTERRUPTED,
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
    final long grantTimeoutNs;
    final long resumeTimeoutNs;
    final KvPriority priority;

    Phase phase = Phase.BEGIN;
    boolean isBegun;
    boolean isToldToEnd;
    long endingDeadlineNs;
    KvError endError = KvError.NONE;
    String endText;
    int attempt;

    /**
     * Sent without a grant.
     */
    boolean isEager;
    int protocolVersion = KvMessages.MIN_PROTOCOL_VERSION;
    long beginNs;
    long interruptedNs;
    long bytesBefore;
    boolean isCommitSent;

    /**
     * What the receiver wants: blocks, from a layer on.
     */
    BlockRuns runs;
    KvBlocks carried;
    long layerBytes;
    int fromLayer;

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
    final SlotRing slots;
    int describedRun;
    int describedBlocks;
    boolean isCommitDue;
    int commitLayer;
    int commitAttempt;
    final CRC32C crc = new CRC32C();
    final int[] layerChecksums;
    final IntArrayList resends = new IntArrayList();
    final IntArrayList resendAttempts = new IntArrayList();
    int resendCount;

    private boolean isAcquired;
    private final long transferId;
    private final long requestId;
    private final long totalBytes;
    private final KvFailurePolicy failurePolicy;
    private final NanoClock clock;
    private final long submitNs;
    private final CompletableFuture<KvTransfer> future = new CompletableFuture<>();
    private volatile KvTransferState state = KvTransferState.WAITING;
    private volatile KvError error = KvError.NONE;
    private volatile String errorText;
    private volatile long bytesSent;
    private volatile long endNs;
    private volatile Destinations destinations = Destinations.NONE;
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
        grantTimeoutNs = request.grantTimeoutNs();
        resumeTimeoutNs = request.resumeTimeoutNs();
        priority = request.priority();
        failurePolicy = request.failurePolicy();
        carry(BlockRuns.all(blockCount), 0);
        totalBytes = layout.totalBytes(blockCount);
        slots = new SlotRing(maxSlots);
        layerChecksums = new int[layout.layers()];
    }

    /**
     * Send these blocks from a layer on.
     */
    void carry(final BlockRuns newRuns, final int layer)
    {
        runs = newRuns;
        carried = newRuns.select(blocks);
        layerBytes = layout.layerBytes(newRuns.blocks());
        fromLayer = layer;
        nextLayer = layer;
    }

    // When nothing is repeated.
    long carriedBytes()
    {
        return layerBytes * (layout.layers() - fromLayer);
    }

    // Announced to these receivers.
    void begun(final Destinations newDestinations, final long nowNs)
    {
        // The same ones have been waited for since the first begin.
        beginNs = destinations == newDestinations ? beginNs : nowNs;
        destinations = newDestinations;
        isBegun = true;
        bytesBefore = bytesSent;
        state = KvTransferState.PENDING;
    }

    /**
     * Forget what was sent, after the stream broke or nothing of it was taken, and begin again. Its slots were given
     * back.
     */
    void restart()
    {
        attempt++;
        phase = Phase.BEGIN;
        isEager = false;
        carry(BlockRuns.all(blockCount), 0);
        planLayer = NO_LAYER;
        resends.clear();
        resendAttempts.clear();
        describedRun = 0;
        describedBlocks = 0;
        isCommitDue = false;
        isCommitSent = false;
        crc.reset();
    }

    /**
     * Has the producer reached the event that copies wait for.
     */
    boolean isAcquired()
    {
        isAcquired = isAcquired || null == acquired || acquired.isReached();
        return isAcquired;
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

    /**
     * Fill a batch with the copies of the next range.
     */
    void plan(final KvCopyBatch batch, final int length, final long hostAddress)
    {
        LayerPlanner.plan(batch, CopyDirection.DEVICE_TO_HOST, layout, carried, runs.blocks(), planLayer, planOffset,
            length, hostAddress);
    }

    /**
     * The next range is under way.
     */
    void planned(final int length)
    {
        planOffset += length;
        if (planOffset == layerBytes)
        {
            planLayer = NO_LAYER;
        }
    }

    /**
     * Is the last range of the last layer under way, and nothing to repeat.
     */
    boolean isAllPlanned()
    {
        return NO_LAYER == planLayer && resends.isEmpty() && nextLayer == layout.layers() && !isCommitDue;
    }

    void addBytesSent(final int bytes)
    {
        bytesSent = bytesSent + bytes;
    }

    Destinations receivers()
    {
        return destinations;
    }

    void finish(final KvError finalError, final String text)
    {
        destinations.end(finalError, text);
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
        return destinations.layersAcked(layout.layers());
    }

    public boolean isLayerAcked(final int layer)
    {
        checkLayer(layer);
        return destinations.isLayerAcked(layer);
    }

    public List<KvDestination> destinations()
    {
        return destinations.snapshot();
    }

    public KvFailurePolicy failurePolicy()
    {
        return failurePolicy;
    }

    public long remainingNs()
    {
        return deadlineNs - clock.nanoTime();
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
        checkLayer(layer);
        layersReady = Math.max(layersReady, layer + 1);
    }

    private void checkLayer(final int layer)
    {
        if (layer < 0 || layer >= layout.layers())
        {
            throw new IllegalArgumentException(
                "layer=" + layer + " is out of range: use 0 to " + (layout.layers() - 1));
        }
    }

    public void cancel()
    {
        isCancelRequested = true;
    }

    public void cancel(final long receiverId)
    {
        final Destinations now = destinations;
        final Destination destination = now.findNamed(receiverId);
        if (null == destination)
        {
            throw new IllegalArgumentException("receiverId=" + receiverId + " is no destination of transfer " +
                transferId + ": use one of " + now.snapshot());
        }
        if (1 == now.count())
        {
            cancel();
        }
        destination.requestCancel();
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
            " bytesSent=" + bytesSent + "/" + totalBytes + " layersAcked=" + layersAcked() + "/" + layout.layers() +
            " error=" + error + (null == errorText ? "" : " " + errorText) + "}";
    }
}
