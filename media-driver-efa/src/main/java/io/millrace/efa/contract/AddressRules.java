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

import org.agrona.collections.Long2ObjectHashMap;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Addresses of an endpoint's peers. Those handed out are never used again, so that one that was removed is known even
 * where the provider gives its place to another peer.
 */
final class AddressRules
{
    /** Told apart from what a provider hands out. */
    private static final long FIRST_TOKEN = 0x0EFA_0001;

    private final Map<ByteBuffer, RemoteAddress> byRaw = new HashMap<>();
    private final Long2ObjectHashMap<RemoteAddress> byToken = new Long2ObjectHashMap<>();
    private final Set<ByteBuffer> everInserted = new HashSet<>();
    private long nextToken = FIRST_TOKEN;

    synchronized long onInserted(final byte[] rawAddress, final long fiAddr)
    {
        final RemoteAddress known = byRaw.get(ByteBuffer.wrap(rawAddress));
        if (null != known)
        {
            known.onInserted();
            return known.token();
        }

        final RemoteAddress address = new RemoteAddress(ByteBuffer.wrap(rawAddress.clone()), nextToken++, fiAddr);
        address.onInserted();
        byRaw.put(address.raw(), address);
        byToken.put(address.token(), address);
        everInserted.add(address.raw());
        return address.token();
    }

    /**
     * Find an address that is alive.
     *
     * @return the address, or null.
     */
    synchronized RemoteAddress find(final long token)
    {
        return byToken.get(token);
    }

    /**
     * Take an insertion back.
     *
     * @return true when it was the last.
     */
    synchronized boolean remove(final RemoteAddress address)
    {
        if (address.onRemoved() > 0)
        {
            return false;
        }

        byRaw.remove(address.raw());
        byToken.remove(address.token());
        return true;
    }

    synchronized boolean knows(final ByteBuffer rawAddress)
    {
        return byRaw.containsKey(rawAddress);
    }

    synchronized boolean everKnew(final ByteBuffer rawAddress)
    {
        return everInserted.contains(rawAddress);
    }
}
