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
package io.millrace.efa.rail;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * A remote rail in the address vector of a local one. libfabric counts neither references nor operations in flight of
 * an entry, and sending to a removed one is a SIGSEGV on EFA, so both are counted here: references by the fabric
 * conductor, operations by the agent that owns the rail.
 */
public final class RailPeer
{
    private static final int MAX_UNANSWERED_BYTES = 16 * 1024;

    /**
     * A stream goes to other rails from twice that on.
     */
    private static final int MAX_OUTSTANDING_BYTES = 64 * 1024;
    private static final long ANSWER_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(10);

    private final AddressKey key;
    private final long fiAddr;
    private int references;
    private int inFlight;
    private long outstandingBytes;
    private long slowAtCheck;
    private long answerDueNs;
    private int unansweredBytes;
    private boolean isAnswerAsked;
    private boolean failed;
    private boolean retired;
    private volatile boolean removed;

    RailPeer(final AddressKey key, final long fiAddr)
    {
        this.key = key;
        this.fiAddr = fiAddr;
    }

    AddressKey key()
    {
        return key;
    }

    /**
     * Is this the remote rail of an address?
     *
     * @param address raw libfabric address.
     * @return true if it is.
     */
    public boolean isAt(final byte[] address)
    {
        return Arrays.equals(key.address(), address);
    }

    long fiAddr()
    {
        return fiAddr;
    }

    int acquire()
    {
        return ++references;
    }

    int release()
    {
        return --references;
    }

    /**
     * Does a link refer to it? Fabric conductor only.
     *
     * @return true if one does.
     */
    public boolean isReferenced()
    {
        return references > 0;
    }

    int inFlight()
    {
        return inFlight;
    }

    /**
     * Bytes posted to it on its rail and not yet completed. Agent only.
     *
     * @return bytes.
     */
    public long outstandingBytes()
    {
        return outstandingBytes;
    }

    void onPosted(final int length)
    {
        ++inFlight;
        outstandingBytes += length;
    }

    void onCompleted(final int length)
    {
        --inFlight;
        outstandingBytes -= length;
    }

    /**
     * Is the next message one that the peer has to answer? What is never answered tells neither that a link is down
     * nor how much is under way; and where much is, each message is.
     *
     * @param nowNs time of {@link System#nanoTime()}.
     * @return false if it may complete before it has arrived.
     */
    boolean isAnswerDue(final long nowNs)
    {
        return !isAnswerAsked || unansweredBytes >= MAX_UNANSWERED_BYTES ||
            outstandingBytes >= MAX_OUTSTANDING_BYTES || nowNs - answerDueNs >= 0;
    }

    /**
     * Bytes sent since a message was posted that the peer answers, whose answer is one for them all.
     */
    int unansweredBytes()
    {
        return unansweredBytes;
    }

    void onAnswerAsked(final long nowNs)
    {
        isAnswerAsked = true;
        unansweredBytes = 0;
        answerDueNs = nowNs + ANSWER_INTERVAL_NS;
    }

    void onUnanswered(final int length)
    {
        unansweredBytes += length;
    }

    /**
     * Number of the rail's last look at its operations that found one of this peer overdue.
     */
    long slowAtCheck()
    {
        return slowAtCheck;
    }

    void slowAtCheck(final long check)
    {
        slowAtCheck = check;
    }

    /**
     * Nobody refers to it any more, only operations in flight.
     */
    boolean isRetired()
    {
        return retired;
    }

    void onRetired()
    {
        retired = true;
    }

    boolean isRemoved()
    {
        return removed;
    }

    /**
     * It is in the address vector no more: what a link still has for it is not sent.
     */
    void onRemoved()
    {
        removed = true;
        failed = true;
    }

    /**
     * Has an operation to it failed? Agent only.
     *
     * @return true when nothing is to be sent to it any more.
     */
    public boolean hasFailed()
    {
        return failed;
    }

    /**
     * Another link refers to it, which tries it anew: on shm it is the same entry for as long as the peer's endpoint
     * exists. Agent only.
     */
    public void onAcquired()
    {
        failed = false;
    }

    void onFailure()
    {
        failed = true;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public String toString()
    {
        return "RailPeer{fiAddr=" + fiAddr + ", references=" + references + ", inFlight=" + inFlight + '}';
    }
}
