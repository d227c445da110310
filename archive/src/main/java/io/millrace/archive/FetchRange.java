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
package io.millrace.archive;

import java.util.ArrayList;
import java.util.List;

/**
 * A range of a recording that holds wanted transfers whole.
 */
final class FetchRange
{
    private final long recordingId;
    private final long from;
    private final List<FetchTransfer> transfers = new ArrayList<>();
    private long to;

    FetchRange(final FetchTransfer first)
    {
        recordingId = first.stored().recordingId();
        from = first.stored().position();
        to = first.stored().endPosition();
        transfers.add(first);
    }

    /**
     * Take a transfer in, which does not begin before this range.
     *
     * @param gapBytes to read in vain at most, or less than 0 to take none in.
     * @return false when it lies too far off, or is of another recording.
     */
    boolean merge(final FetchTransfer transfer, final long gapBytes)
    {
        if (gapBytes < 0 || transfer.stored().recordingId() != recordingId ||
            transfer.stored().position() > to + gapBytes)
        {
            return false;
        }
        to = Math.max(to, transfer.stored().endPosition());
        transfers.add(transfer);
        return true;
    }

    long recordingId()
    {
        return recordingId;
    }

    long from()
    {
        return from;
    }

    long to()
    {
        return to;
    }

    List<FetchTransfer> transfers()
    {
        return transfers;
    }

    public String toString()
    {
        return "replay of recording " + recordingId + " from " + from + " to " + to;
    }
}
