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
package io.millrace.samples.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.samples.demo.ParentLink;
import org.HdrHistogram.Histogram;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.TimeUnit;

/**
 * Latencies of one measurement.
 */
final class Latencies
{
    private static final long MAX_NS = TimeUnit.SECONDS.toNanos(60);
    private static final int DIGITS = 3;
    private static final double NANOS_PER_MICRO = 1e3;

    private final Histogram histogram = new Histogram(MAX_NS, DIGITS);

    /**
     * Count one.
     *
     * @param ns nanoseconds.
     */
    void record(final long ns)
    {
        histogram.recordValue(Math.min(MAX_NS, Math.max(0, ns)));
    }

    /**
     * Forget all.
     */
    void reset()
    {
        histogram.reset();
    }

    /**
     * Tell them.
     *
     * @return event {@code result}.
     */
    ObjectNode result()
    {
        final ByteBuffer buffer = ByteBuffer.allocate(histogram.getNeededByteBufferCapacity());
        final int length = histogram.encodeIntoCompressedByteBuffer(buffer);
        return ParentLink.event("result")
            .put("p50Micros", micros(50))
            .put("p99Micros", micros(99))
            .put("p999Micros", micros(99.9))
            .put("maxMicros", histogram.getMaxValue() / NANOS_PER_MICRO)
            .put("histogram", Base64.getEncoder().encodeToString(Arrays.copyOf(buffer.array(), length)));
    }

    private double micros(final double percentile)
    {
        return histogram.getValueAtPercentile(percentile) / NANOS_PER_MICRO;
    }
}
