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
package io.millrace.tests.striping;

import com.fasterxml.jackson.databind.ObjectMapper;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * Measures one stream over one, two and four shaped links, then takes a link down and up in the middle of a stream.
 * Needs root, as it makes network namespaces.
 */
@Command(
    name = "striping.sh",
    mixinStandardHelpOptions = true,
    description = "One stream over several links, each of a given speed, between network namespaces of this machine.")
public final class Striping implements Callable<Integer>
{
    private static final double GOAL = 0.95;

    @Option(names = "--rails", split = ",", defaultValue = "1,2,4",
        description = "numbers of rails, 1 to 16 each, others are compared to the first (default: ${DEFAULT-VALUE})")
    private List<Integer> rails;

    @Option(names = "--megabits", defaultValue = "1000",
        description = "speed of each link in Mbit/s, 10 to 100000 (default: ${DEFAULT-VALUE})")
    private int megabits;

    @Option(names = "--seconds", defaultValue = "5", description = "to measure, 1 to 600 (default: ${DEFAULT-VALUE})")
    private int seconds;

    @Option(names = "--mtu", defaultValue = "16352",
        description = "longest frame in bytes, a multiple of 32 (default: ${DEFAULT-VALUE})")
    private int mtu;

    @Option(names = "--window", defaultValue = "2097152",
        description = "receiver window and socket buffers in bytes (default: ${DEFAULT-VALUE})")
    private int window;

    @Option(names = "--json", description = "print one JSON object on standard output, all else on standard error")
    private boolean json;

    /**
     * Run from the command line.
     *
     * @param args see {@code --help}. Exit status 0 when every stream arrived whole and each ratio is at least 0.95.
     */
    public static void main(final String[] args)
    {
        System.exit(new CommandLine(new Striping()).execute(args));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public Integer call() throws IOException, InterruptedException
    {
        if (rails.stream().anyMatch((count) -> count < 1 || count > 16) || megabits < 10 || megabits > 100_000 ||
            seconds < 1 || seconds > 600)
        {
            System.err.println("striping: a value is out of range, see --help");
            return CommandLine.ExitCode.USAGE;
        }

        final String obstacle = RailNetwork.obstacle();
        if (null != obstacle)
        {
            System.err.println("striping: " + obstacle);
            return CommandLine.ExitCode.SOFTWARE;
        }

        final List<Map<String, Object>> runs = new ArrayList<>();
        double reference = 0;
        boolean isGood = true;
        for (final int count : rails)
        {
            final Map<String, Object> result = measure(count);
            final double perRail = (double)result.get("megabits") / count;
            reference = 0 == reference ? perRail : reference;
            result.put("ratio", perRail / reference);
            isGood &= (boolean)result.get("whole") && perRail / reference >= GOAL;
            runs.add(result);
            System.err.printf("%d rails: %.0f Mbit/s, %.3f x %d x one rail, %s%n",
                count, result.get("megabits"), perRail / reference, count, result.get("events"));
        }

        final int most = rails.stream().mapToInt(Integer::intValue).max().orElseThrow();
        final Map<String, Object> cut = most > 1 ? cut(most) : Map.of();
        isGood &= most <= 1 || (boolean)cut.get("whole");
        print(runs, cut);
        return isGood ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    }

    private void print(final List<Map<String, Object>> runs, final Map<String, Object> cut) throws IOException
    {
        if (json)
        {
            final Map<String, Object> all = new LinkedHashMap<>();
            all.put("linkMegabits", megabits);
            all.put("mtu", mtu);
            all.put("window", window);
            all.put("processors", Runtime.getRuntime().availableProcessors());
            all.put("runs", runs);
            all.put("cut", cut);
            System.out.println(new ObjectMapper().writeValueAsString(all));
            return;
        }

        System.out.println("rails   Mbit/s   of N x one   NAKs   whole");
        for (final Map<String, Object> run : runs)
        {
            System.out.printf("%5d %8.0f %12.3f %6d   %s%n", run.get("rails"), run.get("megabits"), run.get("ratio"),
                events(run).get("naksSent"), run.get("whole"));
        }
        cut.forEach((name, value) -> System.out.println("cut: " + name + " = " + value));
    }

    private Map<String, Object> measure(final int count) throws IOException, InterruptedException
    {
        try (StripingRun run = new StripingRun(count, megabits, properties()))
        {
            run.megabits(1);
            final Map<String, Object> result = new LinkedHashMap<>();
            result.put("rails", count);
            result.put("megabits", run.megabits(seconds));
            result.put("events", run.events());
            result.put("whole", run.finish());
            return result;
        }
    }

    private Map<String, Object> cut(final int count) throws IOException, InterruptedException
    {
        try (StripingRun run = new StripingRun(count, megabits, properties()))
        {
            final Map<String, Object> result = new LinkedHashMap<>();
            result.put("rails", count);
            result.put("megabitsBefore", run.megabits(seconds));
            run.cutUntilRailFails(count - 1);
            result.put("megabitsWhileDown", run.megabits(seconds));
            run.mendUntilRailCarries(count - 1);
            result.put("megabitsAfter", run.megabits(seconds));
            result.put("events", run.events());
            result.put("whole", run.finish());
            return result;
        }
    }

    private Map<String, String> properties()
    {
        return Map.of(
            "aeron.mtu.length", Integer.toString(mtu),
            "aeron.rcv.initial.window.length", Integer.toString(window),
            "aeron.socket.so_rcvbuf", Integer.toString(window),
            "aeron.socket.so_sndbuf", Integer.toString(window));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Long> events(final Map<String, Object> run)
    {
        return (Map<String, Long>)run.get("events");
    }
}
