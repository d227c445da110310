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

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.aeron.Aeron;

/**
 * Keeps the files of a media driver mapped until an agent has seen that its Aeron client is closed. Without it a client
 * whose driver died unmaps counters and logs 16 ms later, and an agent that did not run meanwhile ends the process with
 * a segmentation fault.
 */
public final class ClientGuard
{
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(2);
    // The invoker may belong to the thread that closes the client.
    private static final long INVOKER_LIMIT_NS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long PARK_NS = TimeUnit.MICROSECONDS.toNanos(100);

    private final Aeron aeron;
    private final long limitNs;
    private final long handlerId;
    private volatile boolean isReleased;

    /**
     * Guard a client from now on.
     *
     * @param aeron     client.
     * @param isInvoked true when the agent is run by its user's thread.
     */
    public ClientGuard(final Aeron aeron, final boolean isInvoked)
    {
        this.aeron = aeron;
        limitNs = isInvoked ? INVOKER_LIMIT_NS : LIMIT_NS;
        handlerId = aeron.addCloseHandler(this::awaitRelease);
    }

    /**
     * The agent uses nothing of the client that was closed any more.
     */
    public void release()
    {
        isReleased = true;
    }

    /**
     * The agent has ended.
     */
    public void close()
    {
        isReleased = true;
        aeron.removeCloseHandler(handlerId);
    }

    private void awaitRelease()
    {
        final long startNs = System.nanoTime();
        while (!isReleased && System.nanoTime() - startNs < limitNs)
        {
            LockSupport.parkNanos(PARK_NS);
        }
    }
}
