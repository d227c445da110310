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
package io.millrace.samples.cli;

import io.millrace.samples.demo.Interruption;
import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.marketdata.MarketData;
import io.millrace.samples.marketdata.MarketOptions;
import io.millrace.samples.marketdata.MarketPage;
import io.millrace.samples.marketdata.MarketResult;
import io.millrace.samples.marketdata.MarketTable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * {@code ./millrace sample market-data}.
 */
@Command(
    name = "market-data",
    sortOptions = false,
    description = {
        "A trading pipeline of five processes, recorded and replayed.",
        "Quotes and trades of 1 000 instruments: publisher, normaliser, two strategies,",
        "order gateway. What the strategies get is recorded, replayed at 1x, 10x and",
        "full speed, and must give the same orders, byte by byte. So must strategies",
        "that join late.",
        "" },
    footer = {
        "",
        "With --late-join the last tenth of the messages waits until the strategies",
        "have joined. Latency is from when a message was due, so that a delay counts",
        "for all that wait behind it.",
        "",
        "  ./millrace sample market-data --protocol shm --compare udp",
        "  ./millrace sample market-data --rate max --messages 1000000",
        "  # History, then live: the same orders.",
        "  ./millrace sample market-data --late-join 3",
        "  # Conflation for the second strategy.",
        "  ./millrace sample market-data --slow 200",
        "",
        "Exit status: 0 done; 1 failed, or messages are missing, or a replay or late",
        "join gave other orders; 2 wrong option or value." })
public final class SampleMarketData implements Callable<Integer>
{
    private static final String MAX = "max";
    private static final long MAX_RATE = 100_000_000;
    private static final long MAX_MESSAGES = 1_000_000_000;
    private static final int MAX_SLOW = 1_000_000;
    private static final double MAX_LATE_SECONDS = 3600;

    @Option(names = "--rate", paramLabel = "N", defaultValue = "10000",
        description = "Messages a second, or max. Default: 10000.")
    private String rate;

    @Option(names = "--messages", paramLabel = "N", defaultValue = "100000",
        description = "To publish. Default: 100000.")
    private long messages;

    @Option(names = "--protocol", paramLabel = "P", completionCandidates = Candidates.Protocols.class,
        description = "auto, efa, tcp, shm or udp. Default: MILLRACE_PROTOCOL, else auto.")
    private String protocol;

    @Option(names = "--compare", paramLabel = "udp",
        description = "Run it on Aeron's own driver over UDP as well.")
    private String compare;

    @Option(names = "--slow", paramLabel = "MICROS", defaultValue = "0",
        description = "Time that the second strategy spends on each message. Default: 0.")
    private int slow;

    @Option(names = "--late-join", paramLabel = "SECONDS",
        description = "Time after which two more strategies join: history from the archive, then live. Default: none.")
    private Double lateJoin;

    @Option(names = "--dir", paramLabel = "DIR",
        description = "For the drivers' files and the recordings. Default: /dev/shm.")
    private Path directory;

    @Mixin
    private RunOptions output;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        if (null != compare && !"udp".equalsIgnoreCase(compare))
        {
            throw CommandFailure.usage("--compare is " + compare + ": it must be udp, that is Aeron's own driver");
        }
        final MarketOptions options = new MarketOptions(protocol, null != compare, rate(),
            RunOptions.within("--messages", messages, 1, MAX_MESSAGES),
            (int)RunOptions.within("--slow", slow, 0, MAX_SLOW), lateJoin(),
            directory, common.verbose());
        Interruption.watch();
        final Map<String, String> environment = output.environment(protocol);
        final List<MarketResult> results = MarketData.run(options);
        output.show(Map.of("results", results), () -> MarketTable.of(results), environment,
            (machine, file) -> MarketPage.write(results, machine, file));
        return results.stream().allMatch(MarketResult::isSound) ? 0 : CommandFailure.FAILED;
    }

    private long rate()
    {
        try
        {
            return MAX.equalsIgnoreCase(rate) ? 0 : RunOptions.within("--rate", Long.parseLong(rate), 1, MAX_RATE);
        }
        catch (final NumberFormatException ex)
        {
            throw CommandFailure.usage("--rate is " + rate + ": it must be a number from 1 to " + MAX_RATE +
                ", or max");
        }
    }

    private double lateJoin()
    {
        if (null == lateJoin)
        {
            return 0;
        }
        if (messages < 2)
        {
            throw CommandFailure.usage("--late-join needs messages before and after it: --messages is " + messages +
                ", it must be 2 or more");
        }
        final long perSecond = rate();
        final double limit = 0 == perSecond ? MAX_LATE_SECONDS : (double)messages / perSecond;
        if (!(lateJoin > 0 && lateJoin < limit))
        {
            throw CommandFailure.usage("--late-join is " + lateJoin + ": it must be more than 0 and less than " +
                limit + (0 == perSecond ? "" : ", the seconds that --messages take at --rate"));
        }
        return lateJoin;
    }
}
