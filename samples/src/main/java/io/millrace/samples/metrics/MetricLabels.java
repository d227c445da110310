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
package io.millrace.samples.metrics;

import io.aeron.driver.status.StreamCounter;
import io.millrace.samples.stat.Counter;
import io.prometheus.metrics.model.snapshots.Labels;
import org.agrona.BitUtil;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What tells the counters of one type apart: taken from the key where it has it, otherwise from the label.
 */
public enum MetricLabels
{
    /**
     * There is one in a driver.
     */
    NONE()
    {
        Labels of(final Counter counter)
        {
            return Labels.EMPTY;
        }
    },

    /**
     * A publication or an image of a subscription.
     */
    STREAM("channel", "stream_id", "session_id", "registration_id")
    {
        Labels of(final Counter counter)
        {
            return labels(
                counter.keyText(StreamCounter.CHANNEL_OFFSET),
                Integer.toString(counter.keyInt(StreamCounter.STREAM_ID_OFFSET)),
                Integer.toString(counter.keyInt(StreamCounter.SESSION_ID_OFFSET)),
                Long.toString(counter.keyLong(StreamCounter.REGISTRATION_ID_OFFSET)));
        }
    },

    /**
     * An endpoint of a channel.
     */
    CHANNEL("channel")
    {
        Labels of(final Counter counter)
        {
            return labels(counter.keyText(0));
        }
    },

    /**
     * A client of the driver.
     */
    CLIENT("client_id", "client")
    {
        Labels of(final Counter counter)
        {
            return labels(Long.toString(counter.keyLong(0)), find(CLIENT_NAME, counter.label()));
        }
    },

    /**
     * An archive.
     */
    ARCHIVE("archive_id")
    {
        Labels of(final Counter counter)
        {
            return labels(Long.toString(counter.keyLong(0)));
        }
    },

    /**
     * A recording of an archive.
     */
    RECORDING("recording_id", "session_id")
    {
        Labels of(final Counter counter)
        {
            return labels(Long.toString(counter.keyLong(0)), Integer.toString(counter.keyInt(BitUtil.SIZE_OF_LONG)));
        }
    },

    /**
     * The protocol that a driver chose.
     */
    PROTOCOL("protocol", "provider", "reason")
    {
        Labels of(final Counter counter)
        {
            return groups(PROTOCOL_TEXT, counter.label());
        }
    },

    /**
     * A rail of an agent.
     */
    RAIL("rail", "nic")
    {
        Labels of(final Counter counter)
        {
            return groups(RAIL_TEXT, counter.label());
        }
    },

    /**
     * A peer of a channel.
     */
    PEER("peer", "channel")
    {
        Labels of(final Counter counter)
        {
            return groups(PEER_TEXT, counter.label());
        }
    },

    /**
     * Sender, receiver, instance or registry of KV streams.
     */
    KV("kv")
    {
        Labels of(final Counter counter)
        {
            final int nameEnd = counter.label().indexOf(": ");
            return labels(nameEnd < 0 ? "" : counter.label().substring(nameEnd + 2));
        }
    },

    /**
     * Nothing but what is written for people.
     */
    TEXT("label")
    {
        Labels of(final Counter counter)
        {
            return labels(counter.label());
        }
    };

    private static final Pattern CLIENT_NAME = Pattern.compile("name=(\\S*)");
    private static final Pattern PROTOCOL_TEXT = Pattern.compile("efa protocol=(\\S+) provider=(\\S+): (.*)");
    private static final Pattern RAIL_TEXT = Pattern.compile("efa-rail (\\S+) ([^:]+): .*");
    private static final Pattern PEER_TEXT = Pattern.compile("efa-peer (.*?): [^:]*? (aeron:.*)");

    private final String[] names;

    MetricLabels(final String... names)
    {
        this.names = names;
    }

    /**
     * Labels of one counter.
     *
     * @param counter of this type.
     * @return the labels, with empty values where the counter does not say.
     */
    abstract Labels of(Counter counter);

    final Labels labels(final String... values)
    {
        return Labels.of(names, values);
    }

    final Labels groups(final Pattern pattern, final String text)
    {
        final Matcher matcher = pattern.matcher(text);
        final boolean isFound = matcher.matches();
        final String[] values = new String[names.length];
        for (int i = 0; i < values.length; i++)
        {
            // A label of another version of the driver is better shown whole than lost.
            values[i] = isFound ? matcher.group(i + 1) : 0 == i ? text : "";
        }
        return labels(values);
    }

    private static String find(final Pattern pattern, final String text)
    {
        final Matcher matcher = pattern.matcher(text);
        return matcher.find() ? matcher.group(1) : "";
    }
}
