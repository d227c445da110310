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
package io.millrace.samples.marketdata;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.HdrHistogram.Histogram;

import java.util.concurrent.TimeUnit;

/**
 * What arrives at a stage: time since each message was due, and whether any is missing.
 */
final class Hop
{
    private static final long LONGEST_NS = TimeUnit.MINUTES.toNanos(1);
    private static final double MICRO = TimeUnit.MICROSECONDS.toNanos(1);

    private final Histogram histogram = new Histogram(LONGEST_NS, 3);
    private final long[] nextSequences;
    private long gaps;

    /**
     * Create for a stage.
     *
     * @param streams that arrive there, each with its own sequence.
     */
    Hop(final int streams)
    {
        nextSequences = new long[streams];
    }

    void onMessage(final int stream, final long sequence, final long scheduledNs)
    {
        histogram.recordValue(Math.clamp(System.nanoTime() - scheduledNs, 0, LONGEST_NS));
        gaps += sequence == nextSequences[stream] ? 0 : 1;
        nextSequences[stream] = sequence + 1;
    }

    /**
     * The end of a stream tells what is missing behind the last message that arrived.
     */
    void onEnd(final int stream, final long messagesSent)
    {
        gaps += messagesSent == nextSequences[stream] ? 0 : 1;
    }

    long gaps()
    {
        return gaps;
    }

    long messages()
    {
        return histogram.getTotalCount();
    }

    void write(final ObjectNode event)
    {
        event.put("messages", messages()).put("gaps", gaps)
            .put("p50Micros", histogram.getValueAtPercentile(50) / MICRO)
            .put("p99Micros", histogram.getValueAtPercentile(99) / MICRO)
            .put("p999Micros", histogram.getValueAtPercentile(99.9) / MICRO)
            .put("maxMicros", histogram.getMaxValue() / MICRO);
    }
}
