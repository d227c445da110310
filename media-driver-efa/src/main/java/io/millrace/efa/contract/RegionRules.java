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
import org.agrona.collections.Long2ObjectHashMap;

/**
 * Regions of an endpoint that are open.
 */
final class RegionRules
{
    /** Told apart from an address and from what a provider hands out. */
    private static final long FIRST_TOKEN = 0x0EFA_DE5C_0000_0001L;

    private final Long2ObjectHashMap<ContractRegion> byToken = new Long2ObjectHashMap<>();
    private final Violations violations;
    private long nextToken = FIRST_TOKEN;
    private boolean isClosed;

    RegionRules(final Violations violations)
    {
        this.violations = violations;
    }

    synchronized ContractRegion onRegistered(final MemoryRegion region, final int access)
    {
        final ContractRegion added = new ContractRegion(this, region, nextToken++, access);
        byToken.put(added.descriptor(), added);
        return added;
    }

    /**
     * Region of a descriptor.
     *
     * @return the region, or null if none that is open has it.
     */
    synchronized ContractRegion find(final long descriptor)
    {
        return byToken.get(descriptor);
    }

    /**
     * May a peer write there?
     */
    synchronized boolean isWritable(final long key, final long remoteAddress, final long length)
    {
        for (final ContractRegion region : byToken.values())
        {
            if (region.key() == key && region.allows(MemoryRegion.ACCESS_WRITE_TARGET) &&
                region.coversRemote(remoteAddress, length))
            {
                return true;
            }
        }

        return false;
    }

    void close(final ContractRegion region)
    {
        final boolean wasOpen;
        synchronized (this)
        {
            wasOpen = null != byToken.remove(region.descriptor()) && !isClosed;
        }

        try
        {
            if (wasOpen && region.inFlight() > 0)
            {
                violations.broken(ContractRule.REGION_CLOSED_IN_FLIGHT, region.inFlight() + " on " + region);
            }
        }
        finally
        {
            region.provided().close();
        }
    }

    /** The endpoint, and with it its regions, is closed. */
    synchronized void close()
    {
        isClosed = true;
        byToken.clear();
    }
}
