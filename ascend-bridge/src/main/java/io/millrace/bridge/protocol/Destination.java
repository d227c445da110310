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

import java.util.concurrent.atomic.AtomicBoolean;

import io.millrace.bridge.KvDestination;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvTransferState;

/**
 * One receiver of one transfer, as its sender sees it. Fields without a modifier belong to the sender's agent.
 */
final class Destination
{
    final Peer peer;
    boolean isGranted;
    int fromLayer;
    long creditLimit;

    /**
     * Its stream broke, and it may come back.
     */
    boolean isLost;

    /**
     * The transfer has ended for it alone, which it has not been told.
     */
    boolean isUntold;

    /**
     * It was told of a cancel that is for it alone, and has not confirmed.
     */
    boolean isCanceling;
    long cancelDeadlineNs;
    // Shared with those that come in its place: a user may hold on to either.
    private final AtomicBoolean isCancelRequested;
    private final Destination former;
    private final boolean[] isAcked;
    private volatile int layersAcked;
    private volatile KvTransferState state = KvTransferState.PENDING;
    private KvError error = KvError.NONE;
    private String errorText;

    Destination(final Peer peer, final int layers)
    {
        this(peer, layers, null);
    }

    private Destination(final Peer peer, final int layers, final Destination former)
    {
        this.peer = peer;
        this.former = former;
        isCancelRequested = null == former ? new AtomicBoolean() : former.isCancelRequested;
        isAcked = new boolean[layers];
    }

    /**
     * In place of this one, which was lost.
     */
    Destination replacement(final Peer newPeer)
    {
        // One that came back is no other.
        return new Destination(
            newPeer, isAcked.length, newPeer.receiverId() == peer.receiverId() && null != former ? former : this);
    }

    /**
     * Did it come in place of a receiver.
     */
    boolean hasReplaced(final long receiverId)
    {
        return null != former && (former.peer.receiverId() == receiverId || former.hasReplaced(receiverId));
    }

    void acked(final int layer)
    {
        if (!isAcked[layer])
        {
            isAcked[layer] = true;
            // The volatile store publishes the array element to users' threads.
            layersAcked = layersAcked + 1;
        }
    }

    boolean isAcked(final int layer)
    {
        return layersAcked > 0 && isAcked[layer];
    }

    int layersAcked()
    {
        return layersAcked;
    }

    void end(final KvError finalError, final String text)
    {
        if (!state.isTerminal())
        {
            error = finalError;
            errorText = text;
            state = finalError.terminalState();
        }
    }

    void requestCancel()
    {
        isCancelRequested.set(true);
    }

    boolean isCancelRequested()
    {
        return isCancelRequested.get();
    }

    /**
     * Does the transfer wait for what this receiver says of its layers.
     */
    boolean isTakingPart()
    {
        return !isLost && !isCanceling && !isEnded();
    }

    boolean isEnded()
    {
        return state.isTerminal();
    }

    boolean isFailed()
    {
        return state.isTerminal() && KvTransferState.COMPLETED != state;
    }

    KvError error()
    {
        return error;
    }

    String errorText()
    {
        return errorText;
    }

    KvDestination snapshot()
    {
        final KvTransferState seen = state;
        return new KvDestination(peer.receiverId(), seen, seen.isTerminal() ? error : KvError.NONE,
            seen.isTerminal() ? errorText : null, layersAcked);
    }
}
