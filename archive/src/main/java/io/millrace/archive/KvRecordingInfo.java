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

import io.aeron.ChannelUriStringBuilder;
import io.aeron.archive.client.AeronArchive;

/**
 * What the archive knows of a recording. Positions are stream positions in bytes, framing included.
 *
 * @param recordingId      unique within the archive.
 * @param channel          as given to {@link KvArchive#record}.
 * @param streamId         of the stream.
 * @param sessionId        of the publication.
 * @param sourceIdentity   of the publication: address and port, or {@code aeron:ipc}.
 * @param startPosition    of the first recorded byte.
 * @param stopPosition     after the last recorded byte, {@link AeronArchive#NULL_POSITION} while it records.
 * @param position         after the last recorded byte at the time of asking.
 * @param startTimestampMs epoch milliseconds at its start.
 * @param stopTimestampMs  epoch milliseconds at its stop, {@link AeronArchive#NULL_TIMESTAMP} while it records.
 * @param segmentFileLength bytes of a segment file, the unit of purging.
 * @param termBufferLength bytes of a term of the stream.
 * @param initialTermId    of the stream.
 * @param mtuLength        bytes of a packet of the stream at most.
 */
public record KvRecordingInfo(
    long recordingId,
    String channel,
    int streamId,
    int sessionId,
    String sourceIdentity,
    long startPosition,
    long stopPosition,
    long position,
    long startTimestampMs,
    long stopTimestampMs,
    int segmentFileLength,
    int termBufferLength,
    int initialTermId,
    int mtuLength)
{
    /**
     * Recorded bytes at the time of asking: frames with their headers and padding.
     *
     * @return position - startPosition.
     */
    public long bytes()
    {
        return position - startPosition;
    }

    /**
     * Was it recording at the time of asking.
     *
     * @return true while there is no stop position.
     */
    public boolean isActive()
    {
        return AeronArchive.NULL_POSITION == stopPosition;
    }

    KvRecordingInfo withPosition(final long newPosition)
    {
        return new KvRecordingInfo(recordingId, channel, streamId, sessionId, sourceIdentity, startPosition,
            stopPosition, newPosition, startTimestampMs, stopTimestampMs, segmentFileLength, termBufferLength,
            initialTermId, mtuLength);
    }

    /**
     * Channel for a publication with which {@link KvArchive#resume} goes on in this stopped recording; an exclusive
     * publication takes it.
     *
     * @return the channel, with the position at which the recording stopped.
     */
    public String continuation()
    {
        return new ChannelUriStringBuilder(channel)
            .initialPosition(position, initialTermId, termBufferLength).mtu(mtuLength).build();
    }

    /**
     * Where the segment file that holds a position begins.
     *
     * @param ofPosition in bytes.
     * @return its base position, the number in its name.
     */
    public long segmentBase(final long ofPosition)
    {
        return AeronArchive.segmentFileBasePosition(startPosition, ofPosition, termBufferLength, segmentFileLength);
    }

    /**
     * Name of the segment file that holds a position, within the archive's directory.
     *
     * @param ofPosition in bytes.
     * @return such as {@code 3-1048576.rec}.
     */
    public String segmentFile(final long ofPosition)
    {
        return recordingId + "-" + segmentBase(ofPosition) + ".rec";
    }
}
