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
package io.millrace.efa.link;

import io.millrace.efa.rail.Rail;

import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;

/**
 * Proves the paths of a link, in both directions, before it carries frames: a probe goes out on each path and is
 * answered by the peer. That makes the provider's connections, so that the first frame costs what every other does. The
 * sender begins, and the receiver follows when it hears it, so that one link makes no two connections at once. Owned by
 * the link's agent.
 */
final class WarmUp
{
    private static final long REPEAT_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private final RailPath[] paths;
    private final long peerHandle;
    private final long token;
    private final LongConsumer onDone;
    private final long all;
    private boolean isStarted;
    private boolean isDone;
    private long lastProbedNs;
    private long posted;
    private long answered;
    private long answersDue;

    /**
     * Create.
     *
     * @param paths      to the peer, at least one and at most 64.
     * @param peerHandle what to put in the immediate.
     * @param token      that the peer knows from the handshake.
     * @param isStarted  true for the side that begins.
     * @param onDone     told once, on the agent, which paths were answered, a bit for each.
     */
    WarmUp(
        final RailPath[] paths,
        final long peerHandle,
        final long token,
        final boolean isStarted,
        final LongConsumer onDone)
    {
        this.paths = paths;
        this.peerHandle = peerHandle & 0xFFFF_FFFFL;
        this.token = token;
        this.isStarted = isStarted;
        this.onDone = onDone;
        this.all = -1L >>> (Long.SIZE - paths.length);
    }

    /**
     * A probe or an answer of the peer arrived.
     *
     * @param address of the message.
     * @return false when it is none of this link.
     */
    boolean onProbe(final long address)
    {
        final int path = RailProbe.path(address);
        if (token != RailProbe.token(address) || path < 0 || path >= Long.SIZE)
        {
            return false;
        }

        if (RailProbe.isAnswer(address))
        {
            answered |= all & 1L << path;
        }
        else
        {
            isStarted = true;
            answersDue |= 1L << path;
        }

        return true;
    }

    /**
     * Post what is to be posted.
     *
     * @param nowNs time of a monotonic clock.
     * @param probe to encode into.
     * @return false when nothing is left to do for now.
     */
    boolean doWork(final long nowNs, final RailProbe probe)
    {
        if (isStarted && !isDone)
        {
            if (nowNs - lastProbedNs > REPEAT_INTERVAL_NS)
            {
                lastProbedNs = nowNs;
                posted = answered;
            }
            posted |= post(probe, false, all & ~posted);
        }
        answersDue &= ~post(probe, true, answersDue);

        if (!isDone && all == answered)
        {
            finish();
        }

        return !isDone || 0 != answersDue;
    }

    /**
     * Wait no longer for paths that were not answered.
     */
    void finish()
    {
        isDone = true;
        onDone.accept(answered);
    }

    /**
     * The paths that were answered.
     */
    RailPath[] provenPaths()
    {
        final RailPath[] proven = new RailPath[Long.bitCount(answered)];
        for (int i = 0, next = 0; i < paths.length; i++)
        {
            if (0 != (answered & 1L << i))
            {
                proven[next++] = paths[i];
            }
        }

        return proven;
    }

    private long post(final RailProbe probe, final boolean isAnswer, final long wanted)
    {
        long done = 0;
        for (long left = wanted; 0 != left; left &= left - 1)
        {
            final int index = Long.numberOfTrailingZeros(left);
            final RailPath path = paths[index % paths.length];
            if (Rail.BUSY != path.rail().send(
                path.peer(), probe.encode(isAnswer, token, index), RailProbe.LENGTH, peerHandle, 1, 0))
            {
                done |= 1L << index;
            }
        }

        return done;
    }
}
