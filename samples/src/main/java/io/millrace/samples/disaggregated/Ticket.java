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
package io.millrace.samples.disaggregated;

/**
 * A request on its way: which instance answers it, and where its blocks come from.
 */
final class Ticket
{
    private static final int MAX_LOST = 3;

    /**
     * Blocks that an instance is to send.
     *
     * @param ticket they are of.
     * @param id     of the transfer.
     * @param sender that is to send them.
     * @param from   first block.
     * @param to     behind the last block.
     * @param tokens to compute, 0 when they are read.
     */
    record Job(Ticket ticket, long id, Instance sender, int from, int to, int tokens)
    {
    }

    private final Prompt prompt;
    private final long dueNs;
    private Instance decode;
    private int cached;
    private int stored;
    private int lost;
    private long beginNs;
    private long computedNs;
    private boolean isComputed;
    private long readNs;
    private boolean isRead;
    private int openJobs;
    private long firstTokenNs;
    private long wrongBlocks;
    private boolean isAnswered;

    Ticket(final Prompt prompt, final long dueNs)
    {
        this.prompt = prompt;
        this.dueNs = dueNs;
    }

    Prompt prompt()
    {
        return prompt;
    }

    int blockCount()
    {
        return prompt.hashes().length;
    }

    long dueNs()
    {
        return dueNs;
    }

    Instance decode()
    {
        return decode;
    }

    void decode(final Instance newDecode)
    {
        decode = newDecode;
    }

    void admitted(final int newCached, final long nowNs)
    {
        cached = newCached;
        // What needs no prefill has waited until now.
        beginNs = nowNs;
        computedNs = nowNs;
    }

    void stored(final int newStored)
    {
        stored = newStored;
    }

    void computed(final long startNs, final long endNs)
    {
        beginNs = isComputed ? Math.min(beginNs, startNs) : startNs;
        computedNs = isComputed ? Math.max(computedNs, endNs) : endNs;
        isComputed = true;
    }

    /**
     * The archive's worker began to read its blocks.
     */
    void read(final long startNs)
    {
        readNs = startNs;
        isRead = true;
    }

    /**
     * A transfer failed.
     *
     * @return false when that happened too often.
     */
    boolean lost()
    {
        return ++lost < MAX_LOST;
    }

    int lostCount()
    {
        return lost;
    }

    int cached()
    {
        return cached;
    }

    int stored()
    {
        return stored;
    }

    void opened()
    {
        openJobs++;
    }

    void closed()
    {
        openJobs--;
    }

    void answered(final long newFirstTokenNs, final long newWrongBlocks)
    {
        firstTokenNs = newFirstTokenNs;
        wrongBlocks = newWrongBlocks;
        isAnswered = true;
    }

    boolean isAnswered()
    {
        return isAnswered;
    }

    /**
     * Whether all is known of it: its senders may tell of their part after the decode instance has told of its own.
     */
    boolean isComplete()
    {
        return isAnswered && 0 == openJobs;
    }

    long wrongBlocks()
    {
        return wrongBlocks;
    }

    /**
     * Where the time to the first token went. Of the archive's part, what the prefill did not hide: until the archive
     * began with it queue, and then transfer.
     */
    RunResult.Served served(final long startNs)
    {
        // The instances tell of their parts a moment after them.
        final long begin = Math.min(beginNs, firstTokenNs);
        final long computed = Math.clamp(computedNs, begin, firstTokenNs);
        final long sending = isRead ? Math.clamp(readNs, computed, firstTokenNs) : computed;
        return new RunResult.Served(ms(dueNs - startNs) / 1e3, ms(begin - dueNs + sending - computed),
            ms(computed - begin), ms(firstTokenNs - sending), ms(firstTokenNs - dueNs),
            cached, stored, blockCount() - cached - stored);
    }

    private static double ms(final long nanos)
    {
        return nanos / 1e6;
    }
}
