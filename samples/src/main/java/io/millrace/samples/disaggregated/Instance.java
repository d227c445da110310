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

import io.millrace.bridge.session.KvRole;
import io.millrace.samples.demo.ChildProcess;
import org.agrona.collections.LongHashSet;

import java.util.HashSet;
import java.util.Set;

/**
 * An instance as the router sees it.
 */
final class Instance
{
    /**
     * From its start to its end.
     */
    enum State
    {
        STARTING, SERVING, DRAINING, GONE
    }

    private final String name;
    private final KvRole role;
    private final ChildProcess process;
    private final Set<String> peers = new HashSet<>();
    private final LongHashSet hashes = new LongHashSet();
    private State state = State.STARTING;
    private String endpoint;
    private long joinedNs;
    private long leftNs;
    private int inFlight;
    private long loadTokens;
    private long served;
    private long blocks;

    /**
     * @param role PREFILL, DECODE or, of the archive, BOTH.
     */
    Instance(final String name, final KvRole role, final ChildProcess process)
    {
        this.name = name;
        this.role = role;
        this.process = process;
    }

    String name()
    {
        return name;
    }

    KvRole role()
    {
        return role;
    }

    ChildProcess process()
    {
        return process;
    }

    State state()
    {
        return state;
    }

    String endpoint()
    {
        return endpoint;
    }

    void ready(final String newEndpoint, final long nowNs)
    {
        endpoint = newEndpoint;
        joinedNs = nowNs;
        if (State.STARTING == state)
        {
            state = State.SERVING;
        }
    }

    /**
     * Does it take peers? One that leaves does until its last request is served: others may have to bring blocks.
     */
    boolean takesPeers()
    {
        return isServing() || State.DRAINING == state && null != endpoint && !process.isToldToExit();
    }

    void drain()
    {
        state = State.DRAINING;
    }

    void gone(final long nowNs)
    {
        leftNs = nowNs;
        state = State.GONE;
        hashes.clear();
    }

    /**
     * Whether it may be given work.
     */
    boolean isServing()
    {
        return State.SERVING == state;
    }

    boolean isLive()
    {
        return State.GONE != state;
    }

    long joinedNs()
    {
        return joinedNs;
    }

    long leftNs()
    {
        return leftNs;
    }

    /**
     * Instances that it can send to.
     */
    Set<String> peers()
    {
        return peers;
    }

    /**
     * Blocks that a decode instance said it has.
     */
    LongHashSet hashes()
    {
        return hashes;
    }

    int prefixLength(final long[] wanted)
    {
        int length = 0;
        while (length < wanted.length && hashes.contains(wanted[length]))
        {
            length++;
        }
        return length;
    }

    /**
     * It was given work.
     *
     * @param tokens that keep it busy.
     */
    void begin(final long tokens)
    {
        inFlight++;
        loadTokens += tokens;
    }

    /**
     * These tokens keep it busy no longer.
     */
    void unload(final long tokens)
    {
        loadTokens -= tokens;
    }

    /**
     * It is done with a request or a transfer.
     */
    void finish()
    {
        inFlight--;
        served++;
    }

    /**
     * It gave up.
     */
    void drop()
    {
        inFlight--;
    }

    void countBlocks(final int count)
    {
        blocks += count;
    }

    int inFlight()
    {
        return inFlight;
    }

    long loadTokens()
    {
        return loadTokens;
    }

    /**
     * Requests or transfers that it has done.
     */
    long served()
    {
        return served;
    }

    /**
     * Blocks that it had, read or computed.
     */
    long blocks()
    {
        return blocks;
    }
}
