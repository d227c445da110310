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
import org.agrona.collections.LongHashSet;

import java.util.ArrayDeque;

/**
 * Operations of an endpoint that are in flight, by context. Owner of the endpoint only.
 */
final class Operations
{
    private final Long2ObjectHashMap<Operation> byContext = new Long2ObjectHashMap<>();
    private final LongHashSet receiveBuffers = new LongHashSet();
    private final ArrayDeque<Operation> free = new ArrayDeque<>();
    private int sends;
    private int receives;
    private int injected;

    boolean isInFlight(final long context)
    {
        return byContext.containsKey(context);
    }

    boolean isPosted(final long receiveBuffer)
    {
        return receiveBuffers.contains(receiveBuffer);
    }

    /** Places taken in the send queue. Injected messages free theirs when the completion queue is read. */
    int sends()
    {
        return sends + injected;
    }

    int receives()
    {
        return receives;
    }

    void send(
        final long context,
        final long address,
        final long length,
        final RemoteAddress peer,
        final ContractRegion region)
    {
        sends++;
        add(context).start(false, context, address, length, peer, region);
    }

    void receive(final long context, final long address, final long length, final ContractRegion region)
    {
        receives++;
        receiveBuffers.add(address);
        add(context).start(true, context, address, length, null, region);
    }

    void onInjected()
    {
        injected++;
    }

    void onRead()
    {
        injected = 0;
    }

    /**
     * An operation has completed.
     *
     * @return it, valid until the next one begins, or null for a context of none.
     */
    Operation complete(final long context)
    {
        final Operation operation = byContext.remove(context);
        if (null != operation)
        {
            if (operation.isReceive())
            {
                receives--;
                receiveBuffers.remove(operation.address());
            }
            else
            {
                sends--;
            }
            operation.end();
            free.add(operation);
        }

        return operation;
    }

    private Operation add(final long context)
    {
        final Operation known = free.poll();
        final Operation operation = null == known ? new Operation() : known;
        byContext.put(context, operation);
        return operation;
    }
}
