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

import io.aeron.CommonContext;
import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.stat.DriverSample;
import io.millrace.samples.stat.DriverWatch;
import io.millrace.samples.stat.Terminal;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/**
 * {@code ./millrace stat}.
 */
@Command(
    name = "stat",
    sortOptions = false,
    description = {
        "Shows what a running driver does: rails, peers, streams, losses, errors.",
        "Reads the driver's cnc.dat and nothing else, so that the driver does not",
        "notice. Any Aeron driver will do.",
        "" },
    footer = {
        "",
        "Without --watch one sample is taken over --interval, printed, and the command",
        "ends. With --watch a terminal is redrawn in place and cut to its size; a file",
        "or a pipe gets one table after the other, in full.",
        "",
        "  driver       its heartbeat is over 3 s old: stopped, killed, or no core",
        "  RAIL         one for each NIC and agent (snd, rcv); rates are per second",
        "  OUTSTANDING  bytes posted on the rail and not completed",
        "  EAGAIN       times the rail pushed back, for want of slots, credit or queue",
        "  TRANSPORT    rails or udp; the reason of a peer's last fallback stands below",
        "  WINDOW       bytes that may still be published",
        "  BACKPRESSURE times the sender found its receivers' window shut",
        "  GAP          bytes received that wait for earlier ones",
        "  UNREAD       bytes that the slowest subscriber has not read",
        "",
        "  ./millrace stat --dir /dev/shm/aeron-millrace",
        "  ./millrace stat --watch 2",
        "  ./millrace stat --json | jq '.rails[].bytesSentPerSecond'",
        "",
        "Exit status: 0 shown, or the driver ended while it was watched; 1 there is no",
        "driver, it was killed, or its file cannot be read; 2 wrong option or value;",
        "130 ended by SIGINT." })
public final class StatCommand implements Callable<Integer>
{
    private static final double MIN_SECONDS = 0.1;
    private static final double MAX_SECONDS = 3600;
    private static final String HOME = "\033[H";
    private static final String CLEAR = "\033[2J";
    private static final String CLEAR_LINE_END = "\033[K";
    private static final String CLEAR_BELOW = "\033[J";
    private static final String DEFAULT_SECONDS = "1";

    @Option(names = "--dir", paramLabel = "DIR",
        description = "Directory of the driver. Default: Aeron's, aeron.dir or /dev/shm/aeron-USER.")
    private Path directory;

    @Option(names = "--interval", paramLabel = "SECONDS",
        description = "Time over which rates are taken, 0.1 to 3600. Default: 1.")
    private String interval;

    @Option(names = "--watch", paramLabel = "SECONDS", arity = "0..1", fallbackValue = DEFAULT_SECONDS,
        description = "Show one sample after the other until the driver ends, every SECONDS (default 1).")
    private String watch;

    @Option(names = "--json", description = "Print one sample as one JSON object.")
    private boolean json;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call() throws InterruptedException
    {
        if (null != watch && (json || null != interval))
        {
            throw CommandFailure.usage((json ? "--json is one sample" : "--watch has its own interval") +
                ": it does not go with " + (json ? "--watch" : "--interval") + "; leave one of them out");
        }
        final long intervalMs = milliseconds(
            null != watch ? "--watch" : "--interval",
            null != watch ? watch : null != interval ? interval : DEFAULT_SECONDS);
        final Path path = null != directory ? directory : Path.of(CommonContext.getAeronDirectoryName());

        try (DriverWatch driver = DriverWatch.open(path))
        {
            return null != watch ? watch(driver, intervalMs) : once(driver, intervalMs);
        }
    }

    private int once(final DriverWatch driver, final long intervalMs) throws InterruptedException
    {
        final DriverSample sample = driver.next(intervalMs);
        if (null == sample)
        {
            throw CommandFailure.failed(driver.ending() + " while it was looked at");
        }
        if (json)
        {
            Json.print(sample);
        }
        else
        {
            Output.print(String.join("\n", DriverWatch.lines(sample, Terminal.get().columns())) + "\n");
        }
        return 0;
    }

    private int watch(final DriverWatch driver, final long intervalMs) throws InterruptedException
    {
        boolean isFirst = true;
        DriverSample sample;
        while (null != (sample = driver.next(isFirst ? Math.min(intervalMs, 1000) : intervalMs)))
        {
            final Terminal terminal = Terminal.get();
            final List<String> lines = DriverWatch.lines(sample, terminal.columns());
            Output.print(terminal.isPresent() ? screen(lines, terminal, isFirst) :
                (isFirst ? "" : "\n") + String.join("\n", lines) + "\n");
            isFirst = false;
        }
        Messages.say(driver.ending());
        return driver.hasSaidSo() ? 0 : CommandFailure.FAILED;
    }

    private static String screen(final List<String> lines, final Terminal terminal, final boolean isFirst)
    {
        // The last row stays free for the cursor: a line end there would scroll.
        final int rows = terminal.rows() - 1;
        final boolean isCut = lines.size() > rows;
        final StringBuilder text = new StringBuilder(isFirst ? CLEAR : "").append(HOME);
        for (final String line : lines.subList(0, isCut ? rows - 1 : lines.size()))
        {
            text.append(line).append(CLEAR_LINE_END).append('\n');
        }
        if (isCut)
        {
            text.append("… ").append(lines.size() - rows + 1).append(" more lines").append(CLEAR_LINE_END).append('\n');
        }
        return text.append(CLEAR_BELOW).toString();
    }

    private static long milliseconds(final String option, final String text)
    {
        try
        {
            final double seconds = Double.parseDouble(text);
            if (seconds >= MIN_SECONDS && seconds <= MAX_SECONDS)
            {
                return (long)(seconds * TimeUnit.SECONDS.toMillis(1));
            }
        }
        catch (final NumberFormatException ignore)
        {
            // Answered below, as a number out of range is.
        }
        throw CommandFailure.usage(option + " is " + text +
            ": it must be a number of seconds from 0.1 to 3600; give such a number or leave it out");
    }
}
