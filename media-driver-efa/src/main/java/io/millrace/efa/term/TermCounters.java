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
package io.millrace.efa.term;

import io.millrace.efa.EfaCounters;
import org.agrona.concurrent.status.AtomicCounter;
import org.agrona.concurrent.status.CountersManager;

/**
 * Counters of registered logs, of what is sent from them and of frames placed into them.
 */
public final class TermCounters
{
    final AtomicCounter writes;
    final AtomicCounter commits;
    final AtomicCounter rejectedNumber;
    final AtomicCounter rejectedLength;
    final AtomicCounter rejectedHeader;
    final AtomicCounter rejectedWindow;
    final AtomicCounter registeredBytes;
    final AtomicCounter mappedLogs;
    final AtomicCounter refusedLogs;
    final AtomicCounter zeroCopySends;
    final AtomicCounter offers;
    final AtomicCounter fencedLogs;

    /**
     * Allocate the counters. To be called by the driver's conductor, who alone may allocate.
     *
     * @param countersManager of the driver.
     */
    public TermCounters(final CountersManager countersManager)
    {
        writes = countersManager.newCounter("efa frames written to images", EfaCounters.PLACEMENT_WRITES_TYPE_ID);
        commits = countersManager.newCounter("efa frames placed by senders", EfaCounters.PLACEMENT_COMMITS_TYPE_ID);
        rejectedNumber = countersManager.newCounter(
            "efa placed frames rejected: no such image or epoch", EfaCounters.PLACEMENT_REJECTED_NUMBER_TYPE_ID);
        rejectedLength = countersManager.newCounter(
            "efa placed frames rejected: beyond the term", EfaCounters.PLACEMENT_REJECTED_LENGTH_TYPE_ID);
        rejectedHeader = countersManager.newCounter(
            "efa placed frames rejected: header of another place", EfaCounters.PLACEMENT_REJECTED_HEADER_TYPE_ID);
        rejectedWindow = countersManager.newCounter(
            "efa placed frames rejected: outside of the receiver window",
            EfaCounters.PLACEMENT_REJECTED_WINDOW_TYPE_ID);
        registeredBytes = countersManager.newCounter(
            "efa bytes of logs registered", EfaCounters.LOG_REGISTERED_BYTES_TYPE_ID);
        mappedLogs = countersManager.newCounter("efa logs mapped", EfaCounters.MAPPED_LOGS_TYPE_ID);
        refusedLogs = countersManager.newCounter("efa logs not registered", EfaCounters.REFUSED_LOGS_TYPE_ID);
        zeroCopySends = countersManager.newCounter(
            "efa messages sent from terms", EfaCounters.ZERO_COPY_SENDS_TYPE_ID);
        offers = countersManager.newCounter("efa images offered to senders", EfaCounters.IMAGE_OFFERS_TYPE_ID);
        fencedLogs = countersManager.newCounter("efa images fenced off", EfaCounters.FENCED_LOGS_TYPE_ID);
    }

    /**
     * A sender may write into an image.
     */
    public void onOffered()
    {
        offers.incrementRelease();
    }

    /**
     * A sender may not write into an image any more.
     */
    public void onWithdrawn()
    {
        offers.getAndAddRelease(-1);
    }
}
