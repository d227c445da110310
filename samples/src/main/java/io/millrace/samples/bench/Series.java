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

import com.fasterxml.jackson.databind.JsonNode;
import org.HdrHistogram.Histogram;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.zip.DataFormatException;

/**
 * All rounds of one case on one transport.
 */
final class Series
{
    private final List<Round> rounds = new ArrayList<>();

    /**
     * One round.
     *
     * @param values  that it resulted in, in the order of {@link CaseKind#metrics()}, or null if it failed.
     * @param stages  CPU in milliseconds for each GB, by {@link KvStage}, NaN for what was not measured.
     * @param failure why it failed, or null.
     */
    record Round(double[] values, double[] stages, String failure)
    {
    }

    private final CaseKind kind;
    private Histogram histogram;

    /**
     * Create one without rounds.
     *
     * @param kind of the case.
     */
    Series(final CaseKind kind)
    {
        this.kind = kind;
    }

    /**
     * Add a round.
     *
     * @param result of a child.
     */
    void add(final JsonNode result)
    {
        rounds.add(new Round(
            kind.metrics().stream().mapToDouble((name) -> result.path(name).asDouble()).toArray(),
            Arrays.stream(KvStage.values())
            .mapToDouble((stage) -> result.path(stage.key()).asDouble(Double.NaN)).toArray(),
            null));
        if (result.has("histogram"))
        {
            final Histogram decoded = decode(result.path("histogram").asText());
            if (null == histogram)
            {
                histogram = decoded;
            }
            else
            {
                histogram.add(decoded);
            }
        }
    }

    /**
     * Add a round that failed.
     *
     * @param failure why.
     */
    void fail(final String failure)
    {
        rounds.add(new Round(null, null, failure));
    }

    private static Histogram decode(final String text)
    {
        try
        {
            return Histogram.decodeFromCompressedByteBuffer(ByteBuffer.wrap(Base64.getDecoder().decode(text)), 0);
        }
        catch (final DataFormatException ex)
        {
            throw new IllegalStateException(ex);
        }
    }

    /**
     * All rounds.
     *
     * @return in their order.
     */
    List<Round> rounds()
    {
        return Collections.unmodifiableList(rounds);
    }

    /**
     * Latencies of all rounds.
     *
     * @return nanoseconds, or null if the case has none.
     */
    Histogram histogram()
    {
        return histogram;
    }

    /**
     * A value of one round.
     *
     * @param round  from 0.
     * @param metric of the case.
     * @return value, NaN if the round failed or never was.
     */
    double value(final int round, final int metric)
    {
        return round >= rounds.size() || null == rounds.get(round).values() ? Double.NaN :
            rounds.get(round).values()[metric];
    }

    /**
     * Values of the rounds that did not fail.
     *
     * @param metric of the case.
     * @return values from least to greatest.
     */
    double[] sorted(final int metric)
    {
        return rounds.stream().filter((round) -> null != round.values())
            .mapToDouble((round) -> round.values()[metric]).sorted().toArray();
    }

    /**
     * CPU of the stages.
     *
     * @return medians in milliseconds for each GB, without stages that were not measured.
     */
    Map<KvStage, Double> stages()
    {
        final Map<KvStage, Double> stages = new EnumMap<>(KvStage.class);
        for (final KvStage stage : KvStage.values())
        {
            final double median = median(rounds.stream().filter((round) -> null != round.stages())
                .mapToDouble((round) -> round.stages()[stage.ordinal()]).toArray());
            if (!Double.isNaN(median))
            {
                stages.put(stage, median);
            }
        }
        return stages;
    }

    /**
     * Median.
     *
     * @param values in any order, NaN ignored.
     * @return the one in the middle or the mean of the two there, NaN if there are none.
     */
    static double median(final double... values)
    {
        final double[] sorted = Arrays.stream(values).filter((value) -> !Double.isNaN(value)).sorted().toArray();
        final int middle = sorted.length / 2;
        return 0 == sorted.length ? Double.NaN :
            0 == sorted.length % 2 ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle];
    }
}
