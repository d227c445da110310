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
package io.millrace.samples.stat;

import io.aeron.AeronCounters;
import io.aeron.driver.status.StreamCounter;
import io.millrace.samples.stat.DriverSample.Image;
import io.millrace.samples.stat.DriverSample.Publication;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Puts the counters of streams together: those of one publication or image share its registration id, and subscribers'
 * positions refer to it.
 */
final class Streams
{
    private final Map<Long, Stream> byId = new TreeMap<>();
    private final Rates rates;

    Streams(final Rates rates)
    {
        this.rates = rates;
    }

    void add(final Counter counter)
    {
        final boolean isSubscriber = AeronCounters.DRIVER_SUBSCRIBER_POSITION_TYPE_ID == counter.typeId();
        final long id = isSubscriber ?
            counter.referenceId() : counter.keyLong(StreamCounter.REGISTRATION_ID_OFFSET);
        final Stream stream = byId.computeIfAbsent(id, (key) -> new Stream());
        if (isSubscriber)
        {
            stream.subscribers++;
            stream.slowestSubscriber = Math.min(stream.slowestSubscriber, counter.value());
        }
        else
        {
            stream.counters.put(counter.typeId(), counter);
        }
    }

    static boolean isOfStream(final int typeId)
    {
        return switch (typeId)
        {
            case AeronCounters.DRIVER_PUBLISHER_LIMIT_TYPE_ID,
                AeronCounters.DRIVER_SENDER_POSITION_TYPE_ID,
                AeronCounters.DRIVER_RECEIVER_HWM_TYPE_ID,
                AeronCounters.DRIVER_SUBSCRIBER_POSITION_TYPE_ID,
                AeronCounters.DRIVER_RECEIVER_POS_TYPE_ID,
                AeronCounters.DRIVER_SENDER_LIMIT_TYPE_ID,
                AeronCounters.DRIVER_PUBLISHER_POS_TYPE_ID,
                AeronCounters.DRIVER_SENDER_BPE_TYPE_ID,
                AeronCounters.DRIVER_SENDER_NAKS_RECEIVED_TYPE_ID,
                AeronCounters.DRIVER_RECEIVER_NAKS_SENT_TYPE_ID -> true;
            default -> false;
        };
    }

    List<Publication> publications()
    {
        final List<Publication> publications = new ArrayList<>();
        byId.forEach(
            (id, stream) ->
            {
                final Counter position = stream.counters.get(AeronCounters.DRIVER_PUBLISHER_POS_TYPE_ID);
                if (null != position)
                {
                    publications.add(publication(id, stream, position));
                }
            });
        return publications;
    }

    List<Image> images()
    {
        final List<Image> images = new ArrayList<>();
        byId.forEach(
            (id, stream) ->
            {
                final Counter position = stream.counters.get(AeronCounters.DRIVER_RECEIVER_POS_TYPE_ID);
                if (null != position)
                {
                    images.add(image(id, stream, position));
                }
            });
        return images;
    }

    private Publication publication(final long id, final Stream stream, final Counter position)
    {
        final Long senderPosition = stream.value(AeronCounters.DRIVER_SENDER_POSITION_TYPE_ID);
        final Long senderLimit = stream.value(AeronCounters.DRIVER_SENDER_LIMIT_TYPE_ID);
        final Long limit = stream.value(AeronCounters.DRIVER_PUBLISHER_LIMIT_TYPE_ID);
        return new Publication(
            id,
            position.keyInt(StreamCounter.SESSION_ID_OFFSET),
            position.keyInt(StreamCounter.STREAM_ID_OFFSET),
            position.keyText(StreamCounter.CHANNEL_OFFSET),
            position.value(),
            rates.perSecond(position),
            senderPosition,
            null == limit ? 0 : Math.max(0, limit - position.value()),
            null == senderLimit || null == senderPosition ? null : Math.max(0, senderLimit - senderPosition),
            stream.value(AeronCounters.DRIVER_SENDER_BPE_TYPE_ID),
            stream.value(AeronCounters.DRIVER_SENDER_NAKS_RECEIVED_TYPE_ID),
            stream.subscribers);
    }

    private Image image(final long id, final Stream stream, final Counter position)
    {
        final Long highWaterMark = stream.value(AeronCounters.DRIVER_RECEIVER_HWM_TYPE_ID);
        return new Image(
            id,
            position.keyInt(StreamCounter.SESSION_ID_OFFSET),
            position.keyInt(StreamCounter.STREAM_ID_OFFSET),
            position.keyText(StreamCounter.CHANNEL_OFFSET),
            position.value(),
            rates.perSecond(position),
            null == highWaterMark ? 0 : Math.max(0, highWaterMark - position.value()),
            0 == stream.subscribers ? 0 : Math.max(0, position.value() - stream.slowestSubscriber),
            stream.value(AeronCounters.DRIVER_RECEIVER_NAKS_SENT_TYPE_ID),
            stream.subscribers);
    }

    private static final class Stream
    {
        private final Map<Integer, Counter> counters = new TreeMap<>();
        private int subscribers;
        private long slowestSubscriber = Long.MAX_VALUE;

        private Long value(final int typeId)
        {
            final Counter counter = counters.get(typeId);
            return null == counter ? null : counter.value();
        }
    }
}
