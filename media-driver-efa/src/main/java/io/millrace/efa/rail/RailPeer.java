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

/**
 * A remote rail in the address vector of a local one. libfabric counts neither references nor operations in flight of
 * an entry, and sending to a removed one is a SIGSEGV on EFA, so both are counted here: references by the fabric
 * conductor, operations by the agent that owns the rail.
 */
public final class RailPeer
{
    private final AddressKey key;
    private final long fiAddr;
    private int references;
    private int inFlight;
    private boolean failed;
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

    int inFlight()
    {
        return inFlight;
    }

    void onPosted()
    {
        ++inFlight;
    }

    void onCompleted()
    {
        --inFlight;
    }

    boolean isRemoved()
    {
        return removed;
    }

    void onRemoved()
    {
        removed = true;
    }

    boolean hasFailed()
    {
        return failed;
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
