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

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What a case resulted in.
 *
 * @param benchCase        that was run.
 * @param longest          case of the longest pieces, which this is compared with, or null.
 * @param series           on each transport.
 * @param coreRoundTripsNs of a cache line between the cores of both sides, before each round.
 */
record CaseResult(
    BenchCase benchCase, CaseResult longest, Map<Transport, Series> series, List<Double> coreRoundTripsNs)
{
    /**
     * A ratio of two transports, or a difference.
     *
     * @param median of the rounds in which both succeeded.
     * @param least  of those.
     * @param most   of those.
     * @param rounds that these are.
     */
    record Ratio(double median, double least, double most, int rounds)
    {
    }

    private interface Pairing
    {
        double of(double millrace, double other);
    }

    /**
     * Without rounds.
     *
     * @param benchCase  to run.
     * @param longest    case of the longest pieces, or null.
     * @param transports to run it on.
     */
    CaseResult(final BenchCase benchCase, final CaseResult longest, final List<Transport> transports)
    {
        this(benchCase, longest, new EnumMap<>(Transport.class), new ArrayList<>());
        transports.forEach((transport) -> series.put(transport, new Series(benchCase.kind())));
    }

    /**
     * Ratios, each of the two values of one round.
     *
     * @return by name in JSON.
     */
    Map<String, Ratio> ratios()
    {
        final Map<String, Ratio> ratios = new LinkedHashMap<>();
        final Pairing quotient = (millrace, other) -> millrace / other;
        switch (benchCase.kind())
        {
            case RTT, KV_BLOCK ->
            {
                put(ratios, "p50ToUdp", Transport.AERON_UDP, 0, quotient);
                put(ratios, "p99ToUdp", Transport.AERON_UDP, 1, quotient);
                // One way is half of a round trip.
                put(ratios, "overRawMicros", Transport.RAW, 0, (millrace, raw) -> (millrace - raw) / 2);
            }
            case THROUGHPUT ->
            {
                put(ratios, "toUdp", Transport.AERON_UDP, 1, quotient);
                put(ratios, "toRaw", Transport.RAW, 1, quotient);
            }
            case ARCHIVE ->
            {
                putBytes(ratios, "recordToSequentialWrite", Transport.RECORD, Transport.DISK_WRITE);
                putBytes(ratios, "recordToStream", Transport.RECORD, Transport.UNRECORDED);
                putBytes(ratios, "recordLocalToSequentialWrite", Transport.RECORD_LOCAL, Transport.DISK_WRITE);
                putBytes(ratios, "recordLocalToStream", Transport.RECORD_LOCAL, Transport.UNRECORDED);
                putBytes(ratios, "replayToSequentialRead", Transport.REPLAY, Transport.DISK_READ);
                putBytes(ratios, "replayToStream", Transport.REPLAY, Transport.UNRECORDED);
                putBytes(ratios, "scatteredToRange", Transport.FETCH_SCATTERED, Transport.FETCH_RANGE);
            }
            case ARCHIVE_INDEX ->
            {
            }
            case KV, KV_TRACE ->
            {
                put(ratios, "toThroughput", Transport.STREAM, 1, quotient);
                if (null != longest)
                {
                    put(ratios, "toLongest", series.get(Transport.MILLRACE),
                        longest.series.get(Transport.MILLRACE), 1, quotient);
                }
            }
            default -> throw new IllegalStateException(benchCase.kind().key());
        }
        return ratios;
    }

    /**
     * How far the cores of both sides are from each other.
     *
     * @return a sentence, empty where nothing ran on two cores.
     */
    String coreDistance()
    {
        final double[] sorted = coreRoundTripsNs.stream().mapToDouble(Double::doubleValue)
            .filter((ns) -> !Double.isNaN(ns)).sorted().toArray();
        return 0 == sorted.length ? "" : "cores " + BenchTable.number(Series.median(sorted)) + BenchTable.brackets(
            sorted.length, sorted[0], sorted[sorted.length - 1]) + " ns from each other, there and back";
    }

    private void putBytes(
        final Map<String, Ratio> ratios, final String name, final Transport one, final Transport other)
    {
        put(ratios, name, series.get(one), series.get(other), 1, (mine, theirs) -> mine / theirs);
    }

    private void put(
        final Map<String, Ratio> ratios,
        final String name,
        final Transport other,
        final int metric,
        final Pairing pairing)
    {
        put(ratios, name, series.get(Transport.MILLRACE), series.get(other), metric, pairing);
    }

    private void put(
        final Map<String, Ratio> ratios,
        final String name,
        final Series mine,
        final Series theirs,
        final int metric,
        final Pairing pairing)
    {
        if (null == mine || null == theirs)
        {
            return;
        }
        final double[] values = IntStream.range(0, mine.rounds().size())
            .mapToDouble((round) -> pairing.of(mine.value(round, metric), theirs.value(round, metric)))
            .filter((value) -> !Double.isNaN(value))
            .sorted()
            .toArray();
        if (0 != values.length)
        {
            ratios.put(name, new Ratio(Series.median(values), values[0], values[values.length - 1],
                values.length));
        }
    }

    /**
     * CPU by stage of the transports that tell it.
     *
     * @return milliseconds for each GB.
     */
    Map<Transport, Map<KvStage, Double>> stages()
    {
        final Map<Transport, Map<KvStage, Double>> byTransport = new EnumMap<>(Transport.class);
        series.forEach((transport, values) ->
        {
            final Map<KvStage, Double> stages = values.stages();
            if (!stages.isEmpty())
            {
                byTransport.put(transport, stages);
            }
        });
        return byTransport;
    }

    /**
     * As JSON.
     *
     * @return the case's object.
     */
    ObjectNode json()
    {
        final ObjectNode node = JsonNodeFactory.instance.objectNode()
            .put("case", benchCase.kind().key())
            .put("size", benchCase.size())
            .put("mtu", benchCase.mtu())
            .put("protocol", benchCase.protocol());
        final ObjectNode results = node.putObject("results");
        series.forEach((transport, values) -> results.set(transport.key(), json(values)));
        final ObjectNode ratios = node.putObject("ratios");
        ratios().forEach((name, ratio) -> ratios.put(name, ratio.median()));
        final ArrayNode coreRoundTrips = node.putArray("coreRoundTripsNs");
        coreRoundTripsNs.forEach((ns) -> coreRoundTrips.add(Double.isNaN(ns) ? null : ns));
        return node;
    }

    private ObjectNode json(final Series values)
    {
        final ObjectNode node = JsonNodeFactory.instance.objectNode();
        final ObjectNode least = JsonNodeFactory.instance.objectNode();
        final ObjectNode most = JsonNodeFactory.instance.objectNode();
        final List<String> metrics = benchCase.kind().metrics();
        for (int i = 0; i < metrics.size(); i++)
        {
            final double[] sorted = values.sorted(i);
            if (0 != sorted.length)
            {
                node.put(metrics.get(i), Series.median(sorted));
                least.put(metrics.get(i), sorted[0]);
                most.put(metrics.get(i), sorted[sorted.length - 1]);
            }
        }
        node.set("min", least);
        node.set("max", most);
        final Map<KvStage, Double> stages = values.stages();
        if (!stages.isEmpty())
        {
            final ObjectNode stagesNode = node.putObject("cpuMillisPerGigabyte");
            stages.forEach((stage, millis) -> stagesNode.put(stage.key(), millis));
        }
        final ArrayNode rounds = node.putArray("rounds");
        for (final Series.Round round : values.rounds())
        {
            final ObjectNode roundNode = rounds.addObject();
            if (null == round.values())
            {
                roundNode.put("failed", round.failure());
            }
            else
            {
                IntStream.range(0, metrics.size()).forEach((i) -> roundNode.put(metrics.get(i), round.values()[i]));
            }
        }
        return node;
    }

    /**
     * Rounds that failed, on any transport.
     *
     * @return their number.
     */
    long failures()
    {
        return series.values().stream().flatMap((values) -> values.rounds().stream())
            .filter((round) -> null != round.failure()).count();
    }
}
