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

import io.millrace.samples.stat.DriverSample.DistinctError;
import io.millrace.samples.stat.DriverSample.Image;
import io.millrace.samples.stat.DriverSample.KvStream;
import io.millrace.samples.stat.DriverSample.Peer;
import io.millrace.samples.stat.DriverSample.Publication;
import io.millrace.samples.stat.DriverSample.Rail;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A sample as lines for people.
 */
final class SampleTable
{
    private static final int ERRORS_SHOWN = 5;
    private static final int FLOW_WIDTH = 120;
    private static final long SILENT_MS = 3_000;
    private static final String EVENT_LEVEL = "WARN - millrace: ";
    private static final String MAX_CYCLE_TIME = "MaxCycleTime";
    private static final String CYCLES_OVER = "CycleTimeThresholdExceeded";
    private static final String[] AGENTS = { "conductor", "sender", "receiver" };
    private static final String NANOS_SUFFIX = "InNs";
    private static final String FABRIC_MAX_CYCLE_TIME = "fabricConductorMaxCycleTimeInNs";
    private static final String FABRIC_CYCLES_OVER = "fabricConductorCycleTimeThresholdExceeded";

    // Shown even at 0: their being 0 is good news.
    private static final Set<String> SYSTEM_ALWAYS =
        Set.of("nakMessagesSent", "nakMessagesReceived", "retransmitsSent", "lossGapFills", "errors");

    // What only says that all is well, or which version it is.
    private static final Set<String> SYSTEM_NEVER = Set.of("aeronVersion", "controlProtocolVersion",
        "controllableIdleStrategy", "heartbeatsSent", "heartbeatsReceived", "statusMessagesSent",
        "statusMessagesReceived", "bytesSent", "bytesReceived", "conductorMaxCycleTime", "senderMaxCycleTime",
        "receiverMaxCycleTime", "nameResolverMaxTime", "conductorCycleTimeThresholdExceeded",
        "senderCycleTimeThresholdExceeded", "receiverCycleTimeThresholdExceeded");

    private final List<String> lines = new ArrayList<>();
    private final DriverSample sample;
    private final int columns;

    private SampleTable(final DriverSample sample, final int columns)
    {
        this.sample = sample;
        this.columns = columns;
    }

    /**
     * Lay out a sample.
     *
     * @param sample  to show.
     * @param columns of the terminal: tables are cut there and texts go on in the next line. 0 for no limit.
     * @return lines.
     */
    static List<String> of(final DriverSample sample, final int columns)
    {
        final SampleTable table = new SampleTable(sample, columns);
        table.driver();
        // A terminal shows the first lines: what is wrong comes before what is fast, and totals come last.
        table.errors();
        table.rails();
        table.peers();
        table.publications();
        table.images();
        table.kvStreams();
        table.system();
        return columns > 0 ? table.lines.stream().map((line) -> cut(line, columns)).toList() : table.lines;
    }

    private static String cut(final String line, final int columns)
    {
        return line.length() > columns ? line.substring(0, columns - 1) + "…" : line;
    }

    /**
     * Add words, as many a line as fit, those of later lines below those of the first.
     */
    private void flow(final String heading, final List<String> words)
    {
        final int width = columns > 0 ? columns : FLOW_WIDTH;
        StringBuilder line = new StringBuilder(heading);
        for (final String word : words)
        {
            if (line.length() > heading.length() && line.length() + 1 + word.length() > width)
            {
                lines.add(line.toString());
                line = new StringBuilder(" ".repeat(heading.length()));
            }
            line.append(line.length() > heading.length() ? " " : "").append(word);
        }
        lines.add(line.toString());
    }

    private void cells(final String heading, final List<String> cells)
    {
        final List<String> words = new ArrayList<>();
        for (int i = 0; i < cells.size(); i++)
        {
            words.add(cells.get(i) + (i < cells.size() - 1 ? "," : ""));
        }
        flow(heading, words);
    }

    private void text(final String heading, final String text)
    {
        if (columns > 0)
        {
            flow(heading, List.of(text.split(" ")));
        }
        else
        {
            lines.add(heading + text);
        }
    }

    private void driver()
    {
        lines.add("driver    pid " + sample.pid() + ", up " + Units.age(sample.uptimeMs()) + ", heartbeat " +
            Units.age(Math.max(0, sample.heartbeatAgeMs())) + " ago" +
            (sample.heartbeatAgeMs() > SILENT_MS ? " (SILENT: stopped or killed?)" : "") + ", " + sample.directory());
        lines.add("protocol  " + (null == sample.protocol() ? "not opened yet: another driver, or one that was " +
            "installed and has no channel yet" : sample.protocol().text().replaceFirst("^protocol=", "")));
        if (!sample.fabric().isEmpty())
        {
            cells("fabric    ", cells(sample.fabric(), Set.of("fallbacksToUdp", "handshakesCompleted", "linksUp"),
                Set.of(FABRIC_MAX_CYCLE_TIME, FABRIC_CYCLES_OVER)));
        }
    }

    private void rails()
    {
        final Columns columns = new Columns("RAIL", "SENT", "FRAMES", "RECEIVED", "MESSAGES", "OUTSTANDING", "EAGAIN",
            "ERRORS", "STATE");
        for (final Rail rail : sample.rails())
        {
            final Map<String, Long> counters = rail.counters();
            columns.row(rail.name(), Units.bytesPerSecond(rail.bytesSentPerSecond()),
                Units.perSecond(rail.framesSentPerSecond()), Units.bytesPerSecond(rail.bytesReceivedPerSecond()),
                Units.perSecond(rail.messagesReceivedPerSecond()), Units.bytes(counters.get("bytesOutstanding")),
                Units.count(counters.get("eagain")), Units.count(counters.get("errors")), rail.state());
        }
        add(columns);
    }

    private void peers()
    {
        final Columns columns = new Columns("PEER", "TRANSPORT", "HANDSHAKES", "FALLBACKS", "CHANNEL");
        for (final Peer peer : sample.peers())
        {
            columns.row(peer.name(), peer.transport(), Units.count(peer.handshakes()), Units.count(peer.fallbacks()),
                peer.channel());
        }
        add(columns);
        sample.peers().stream().filter((peer) -> null != peer.reason())
            .forEach((peer) -> text("  ", peer.name() + " " + peer.reason()));
    }

    private void publications()
    {
        final Columns columns = new Columns(
            "PUBLICATION", "STREAM", "POSITION", "RATE", "WINDOW", "BACKPRESSURE", "NAKS", "CHANNEL");
        for (final Publication publication : sample.publications())
        {
            columns.row(Integer.toString(publication.sessionId()), Integer.toString(publication.streamId()),
                Units.count(publication.position()), Units.bytesPerSecond(publication.bytesPerSecond()),
                Units.bytes(publication.windowBytes()), Units.count(publication.backPressureEvents()),
                Units.count(publication.naksReceived()), publication.channel());
        }
        add(columns);
    }

    private void images()
    {
        final Columns columns = new Columns(
            "IMAGE", "STREAM", "POSITION", "RATE", "GAP", "UNREAD", "NAKS", "CHANNEL");
        for (final Image image : sample.images())
        {
            columns.row(Integer.toString(image.sessionId()), Integer.toString(image.streamId()),
                Units.count(image.position()), Units.bytesPerSecond(image.bytesPerSecond()),
                Units.bytes(image.gapBytes()), Units.bytes(image.unreadBytes()), Units.count(image.naksSent()),
                image.channel());
        }
        add(columns);
    }

    private void kvStreams()
    {
        for (final KvStream stream : sample.kvStreams())
        {
            lines.add("");
            lines.add("KV STREAM  " + stream.name());
            cells("  ", cells(stream.counters(), Set.of(), Set.of()));
        }
    }

    private void system()
    {
        lines.add("");
        cells("system    ", cells(sample.system(), SYSTEM_ALWAYS, SYSTEM_NEVER));
        final List<String> cycles = new ArrayList<>();
        for (final String agent : AGENTS)
        {
            cycles(cycles, agent, sample.system(), agent + MAX_CYCLE_TIME, agent + CYCLES_OVER);
        }
        cycles(cycles, "fabric conductor", sample.fabric(), FABRIC_MAX_CYCLE_TIME, FABRIC_CYCLES_OVER);
        cells("cycles    ", cycles);
    }

    private static void cycles(
        final List<String> cells,
        final String agent,
        final Map<String, Long> counters,
        final String maxName,
        final String overName)
    {
        final Long maxNs = counters.get(maxName);
        final Long over = counters.get(overName);
        if (null != maxNs && null != over)
        {
            cells.add(agent + " longest " + Units.duration(maxNs) + " (" + Units.count(over) + " over threshold)");
        }
    }

    private void errors()
    {
        final List<DistinctError> errors = sample.errors();
        if (errors.isEmpty())
        {
            return;
        }
        lines.add("");
        lines.add("ERRORS AND FALLBACKS, " + errors.size() + " distinct, the latest first" +
            (errors.size() > ERRORS_SHOWN ? " (" + ERRORS_SHOWN + " shown, all with --json)" : ""));
        for (int i = errors.size() - 1; i >= Math.max(0, errors.size() - ERRORS_SHOWN); i--)
        {
            final DistinctError error = errors.get(i);
            text("  ", error.count() + "x, " + Units.age(Math.max(0, sample.timeMs() - error.lastMs())) +
                " ago: " + error.text().replace(EVENT_LEVEL, ""));
        }
    }

    private void add(final Columns columns)
    {
        if (!columns.isEmpty())
        {
            lines.add("");
            lines.addAll(columns.lines());
        }
    }

    /**
     * Counters that are not 0, or are always of interest.
     */
    private static List<String> cells(
        final Map<String, Long> counters, final Set<String> always, final Set<String> never)
    {
        return counters.entrySet().stream()
            .filter((entry) -> always.contains(entry.getKey()) ||
                0 != entry.getValue() && !never.contains(entry.getKey()))
            .map((entry) -> cell(entry.getKey(), entry.getValue()))
            .toList();
    }

    private static String cell(final String name, final long value)
    {
        return name.endsWith(NANOS_SUFFIX) ?
            words(name.substring(0, name.length() - NANOS_SUFFIX.length())) + " " + Units.duration(value) :
            words(name) + " " + (name.toLowerCase(Locale.ROOT).contains("bytes") ? Units.bytes(value) :
            Units.count(value));
    }

    private static String words(final String name)
    {
        return name.replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT);
    }
}
