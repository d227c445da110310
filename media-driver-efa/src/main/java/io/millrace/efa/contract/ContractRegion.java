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
package io.millrace.efa.contract;

import io.millrace.efa.libfabric.MemoryRegion;

/**
 * A region whose descriptor is never used again and of no use but here.
 */
final class ContractRegion implements MemoryRegion
{
    private final RegionRules owner;
    private final MemoryRegion region;
    private final long token;
    private final int access;
    private volatile int inFlight;

    ContractRegion(final RegionRules owner, final MemoryRegion region, final long token, final int access)
    {
        this.owner = owner;
        this.region = region;
        this.token = token;
        this.access = access;
    }

    MemoryRegion provided()
    {
        return region;
    }

    boolean allows(final int wanted)
    {
        return wanted == (access & wanted);
    }

    boolean covers(final long first, final long bytes)
    {
        return first >= region.address() && bytes <= region.length() &&
            first - region.address() <= region.length() - bytes;
    }

    boolean coversRemote(final long first, final long bytes)
    {
        return first >= region.remoteBase() && bytes <= region.length() &&
            first - region.remoteBase() <= region.length() - bytes;
    }

    int inFlight()
    {
        return inFlight;
    }

    /** Owner of the endpoint only. */
    void onPosted()
    {
        inFlight = inFlight + 1;
    }

    /** Owner of the endpoint only. */
    void onCompleted()
    {
        inFlight = inFlight - 1;
    }

    @Override
    public long descriptor()
    {
        return token;
    }

    @Override
    public long key()
    {
        return region.key();
    }

    @Override
    public long address()
    {
        return region.address();
    }

    @Override
    public long length()
    {
        return region.length();
    }

    @Override
    public long remoteBase()
    {
        return region.remoteBase();
    }

    @Override
    public void close()
    {
        owner.close(this);
    }

    @Override
    public String toString()
    {
        return region.length() + " bytes at 0x" + Long.toHexString(region.address());
    }
}
