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

import io.millrace.efa.EfaCounters;
import org.agrona.concurrent.status.AtomicCounter;
import org.agrona.concurrent.status.CountersManager;

/**
 * Counters of a rail, written by the agent that owns it.
 */
public final class RailCounters
{
    final AtomicCounter bytesSent;
    final AtomicCounter framesSent;
    final AtomicCounter dataFramesSent;
    final AtomicCounter bytesReceived;
    final AtomicCounter messagesReceived;
    final AtomicCounter outstandingBytes;
    final AtomicCounter eagain;
    final AtomicCounter errors;
    final AtomicCounter slow;
    private final AtomicCounter open;

    /**
     * Allocate the counters. To be called by the driver's conductor, who alone may allocate.
     *
     * @param countersManager of the driver.
     * @param name            of the rail, such as {@code snd-0 shm}, or {@code snd-rcv-0 lo}.
     */
    public RailCounters(final CountersManager countersManager, final String name)
    {
        final String prefix = "efa-rail " + name + ": ";
        bytesSent = countersManager.newCounter(prefix + "bytes sent", EfaCounters.RAIL_BYTES_SENT_TYPE_ID);
        framesSent = countersManager.newCounter(prefix + "frames sent", EfaCounters.RAIL_FRAMES_SENT_TYPE_ID);
        dataFramesSent = countersManager.newCounter(
            prefix + "data frames sent", EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID);
        bytesReceived = countersManager.newCounter(prefix + "bytes received", EfaCounters.RAIL_BYTES_RECEIVED_TYPE_ID);
        messagesReceived = countersManager.newCounter(
            prefix + "messages received", EfaCounters.RAIL_MESSAGES_RECEIVED_TYPE_ID);
        outstandingBytes = countersManager.newCounter(
            prefix + "bytes outstanding", EfaCounters.RAIL_OUTSTANDING_BYTES_TYPE_ID);
        eagain = countersManager.newCounter(prefix + "EAGAIN", EfaCounters.RAIL_EAGAIN_TYPE_ID);
        slow = countersManager.newCounter(prefix + "slow peers passed over", EfaCounters.RAIL_SLOW_TYPE_ID);
        errors = countersManager.newCounter(prefix + "errors", EfaCounters.RAIL_ERRORS_TYPE_ID);
        open = countersManager.newCounter(prefix + "open (1) or closed (0)", EfaCounters.RAIL_OPEN_TYPE_ID);
    }

    /**
     * Tell whether the rail is open. Fabric conductor only.
     *
     * @param isOpen false once it is closed.
     */
    public void isOpen(final boolean isOpen)
    {
        open.setRelease(isOpen ? 1 : 0);
    }
}
