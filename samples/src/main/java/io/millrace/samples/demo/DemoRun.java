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
package io.millrace.samples.demo;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.samples.failure.CommandFailure;
import org.HdrHistogram.Histogram;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * One run as the parent sees it: starts both children, lets them transfer one request after the other, compares what
 * they say, and ends them, whatever happens. When the user interrupts, {@link WorkDirectory} does.
 */
final class DemoRun implements AutoCloseable
{
    private static final long START_DEADLINE_MS = 30_000;
    // The decode side's own deadline, and time to tell of it.
    private static final long RECORDED_DEADLINE_MS = Recorder.END_DEADLINE_MS + 5_000;
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double NANOS_PER_MILLI = 1e6;
    private static final double MEBIBYTE = 1 << 20;
    private static final long FULL_BYTES = 1 << 20;
    private static final int HISTOGRAM_DIGITS = 3;
    private static final List<String> CHILD_OPTIONS = List.of("-Xmx384m", "-XX:+UseSerialGC");

    private final WorkDirectory directory;
    private final WorkDirectory archiveDirectory;
    private final Orders orders;
    private final Workload.Survey survey;
    private final long plannedBytes;
    private final DemoOptions options;
    private final BlockingQueue<ChildProcess.Event> events = new LinkedBlockingQueue<>();
    private final Histogram latencyNs = new Histogram(HISTOGRAM_DIGITS);
    private ChildProcess decode;
    private ChildProcess prefill;
    private ProgressDisplay progress;

    private String doing = "starting";
    private long transferNs;
    private long requests;
    private long tokens;
    private long bytes;
    private long sentDigest;
    private boolean verified = true;

    /**
     * Prepare a run.
     *
     * @param directory        of the run.
     * @param archiveDirectory of its archive, or null.
     * @param orders           of both children, without their own directories.
     * @param survey           of the workload.
     * @param plannedBytes     of all requests.
     * @param options          of the user.
     */
    DemoRun(
        final WorkDirectory directory,
        final WorkDirectory archiveDirectory,
        final Orders orders,
        final Workload.Survey survey,
        final long plannedBytes,
        final DemoOptions options)
    {
        this.directory = directory;
        this.archiveDirectory = archiveDirectory;
        this.orders = orders;
        this.survey = survey;
        this.plannedBytes = plannedBytes;
        this.options = options;
    }

    /**
     * Run to the end.
     *
     * @param reason why the protocol was chosen.
     * @return the outcome.
     * @throws CommandFailure if a child fails, dies or stands still.
     */
    DemoReport run(final String reason)
    {
        ProgressDisplay.say("starting prefill and decode processes");
        start();
        final JsonNode ready = awaitBoth("ready", START_DEADLINE_MS)[0];
        final long startNs = System.nanoTime();
        progress = new ProgressDisplay("KV blocks", plannedBytes);
        for (long i = 0; i < survey.requests(); i++)
        {
            transfer(i);
        }
        final long wallNs = System.nanoTime() - startNs;
        progress.close();

        doing = "counting frames";
        sendBoth("finish");
        final JsonNode[] counters = awaitBoth("counters", options.silenceMs());
        final DemoReport.Archive archive = null == archiveDirectory ? null : replay();
        doing = "ending";
        sendBoth("exit");
        if (!prefill.awaitExit() || !decode.awaitExit())
        {
            throw CommandFailure.failed("after the last transfer a child did not end as it should: " +
                prefill.epitaph() + "\n" + decode.epitaph());
        }
        final double seconds = transferNs / NANOS_PER_SECOND;
        return new DemoReport(
            ready.path("protocol").asText(),
            ready.path("provider").asText(),
            reason,
            ready.path("rails").asInt(),
            requests,
            tokens,
            bytes,
            seconds,
            wallNs / NANOS_PER_SECOND,
            bytes / seconds / 1e9,
            DemoReport.Latency.of(latencyNs),
            sum(counters, "fabricFrames"),
            sum(counters, "udpDataFrames"),
            sum(counters, "retransmits"),
            sum(counters, "fallbacks"),
            sum(counters, "checksumErrors"),
            verified && bytes == plannedBytes && tokens == survey.tokens(),
            archive);
    }

    /**
     * End both children.
     */
    public void close()
    {
        final List<ChildProcess> children = Stream.of(prefill, decode).filter(Objects::nonNull).toList();
        children.forEach(ChildProcess::terminate);
        children.forEach(ChildProcess::kill);
        if (null != progress)
        {
            progress.close();
        }
    }

    private void start()
    {
        decode = startChild("decode", DecodeChild.class, archiveDirectory);
        if (null != archiveDirectory)
        {
            final ChildProcess.Event event = await(START_DEADLINE_MS);
            if (!"started".equals(event.message().path("event").asText()))
            {
                throw unexpected(event);
            }
        }
        prefill = startChild("prefill", PrefillChild.class, null);
    }

    private ChildProcess startChild(
        final String name, final Class<?> mainClass, final WorkDirectory childArchive)
    {
        final Orders childOrders = orders.with(
            Path.of(orders.workDirectory(), name).toString(),
            null == childArchive ? null : childArchive.path().resolve("archive").toString());
        return ChildProcess.start(
            name, mainClass, CHILD_OPTIONS, directory.path(), childOrders, events, options.verbose());
    }

    private void transfer(final long index)
    {
        doing = "transferring request " + index;
        prefill.send("next");
        JsonNode sent = null;
        JsonNode landed = null;
        while (null == sent || null == landed)
        {
            final ChildProcess.Event event = await(options.silenceMs());
            switch (event.message().path("event").asText())
            {
                case "sent" -> sent = event.message();
                case "landed" -> landed = event.message();
                case "alive" -> progress.stepTo(bytes + event.message().path("bytes").asLong());
                default -> throw unexpected(event);
            }
        }
        final long durationNs = sent.path("durationNs").asLong();
        latencyNs.recordValue(durationNs);
        transferNs += durationNs;
        sentDigest += BlockDigest.combine(index, sent.path("digest").asLong());
        requests++;
        tokens += landed.path("tokens").asLong();
        bytes += landed.path("bytes").asLong();
        progress.stepTo(bytes);
        if (options.verbose())
        {
            System.err.printf(Locale.ROOT, "request %d: %d tokens, %.1f MiB in %.1f ms%n", index,
                sent.path("tokens").asLong(), sent.path("bytes").asLong() / MEBIBYTE, durationNs / NANOS_PER_MILLI);
        }
        final boolean same = 0 == landed.path("mismatches").asLong(-1) &&
            index == sent.path("request").asLong() &&
            index == landed.path("request").asLong() &&
            sent.path("digest").asLong() == landed.path("digest").asLong();
        if (!same)
        {
            verified = false;
            System.err.println("millrace: request " + index + " did not land as it was computed: sent " + sent +
                ", landed " + landed);
        }
    }

    private DemoReport.Archive replay()
    {
        doing = "replaying the recording";
        // The recording ends with its publication, which the prefill process has closed.
        decode.send("replay");
        final ChildProcess.Event recorded = await(Math.max(options.silenceMs(), RECORDED_DEADLINE_MS));
        if (!"recorded".equals(recorded.message().path("event").asText()))
        {
            throw unexpected(recorded);
        }
        prefill.send("exit");
        progress = new ProgressDisplay("Replay", plannedBytes);
        JsonNode archived = null;
        while (null == archived)
        {
            final ChildProcess.Event event = await(options.silenceMs());
            switch (event.message().path("event").asText())
            {
                case "alive" -> progress.stepTo(event.message().path("bytes").asLong());
                case "archived" -> archived = event.message();
                default -> throw unexpected(event);
            }
        }
        progress.close();
        final long recordedBytes = archived.path("recordedBytes").asLong();
        final long replayedBytes = archived.path("replayedBytes").asLong();
        return new DemoReport.Archive(recordedBytes, replayedBytes,
            recordedBytes == replayedBytes &&
            requests == archived.path("requests").asLong() &&
            0 == archived.path("mismatches").asLong(-1) &&
            sentDigest == archived.path("digest").asLong());
    }

    private JsonNode[] awaitBoth(final String name, final long timeoutMs)
    {
        final JsonNode[] messages = new JsonNode[2];
        while (null == messages[0] || null == messages[1])
        {
            final ChildProcess.Event event = await(timeoutMs);
            final String said = event.message().path("event").asText();
            if (name.equals(said))
            {
                messages[event.child() == prefill ? 0 : 1] = event.message();
            }
            else if (!"alive".equals(said))
            {
                throw unexpected(event);
            }
        }
        return messages;
    }

    private ChildProcess.Event await(final long timeoutMs)
    {
        ChildProcess.Event event;
        try
        {
            do
            {
                event = events.poll(timeoutMs, TimeUnit.MILLISECONDS);
            }
            while (null != event && null == event.message() && event.child().isToldToExit());
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            throw CommandFailure.failed("interrupted while " + doing, ex);
        }
        if (null == event)
        {
            throw CommandFailure.failed("no progress for " + timeoutMs / 1000 + " s while " + doing +
                ": see what the children say with --verbose, or allow more time with --timeout");
        }
        if (null == event.message())
        {
            throw died(event.child());
        }
        if ("failed".equals(event.message().path("event").asText()))
        {
            final ChildProcess other = event.child() == decode ? prefill : decode;
            // A child also fails because the other one died, and that is what the user is to know.
            if (null != other && other.isEnding())
            {
                throw died(other);
            }
            throw CommandFailure.failed("while " + doing + " the " + event.child().name() + " process failed: " +
                event.message().path("message").asText() + space());
        }
        return event;
    }

    private CommandFailure died(final ChildProcess child)
    {
        return CommandFailure.failed("while " + doing + " the " + child.epitaph() +
            "\n  both processes were ended and their files removed; try again, with --verbose to see more" + space());
    }

    private String space()
    {
        return space(directory, "--dir") + (null == archiveDirectory ? "" : space(archiveDirectory, "--archive-dir"));
    }

    private static String space(final WorkDirectory directory, final String option)
    {
        final Path path = directory.path();
        return StorageCheck.usableBytes(path) > FULL_BYTES ? "" :
            "\n  " + path.getParent() + " is full: make room, or name another directory with " + option;
    }

    private CommandFailure unexpected(final ChildProcess.Event event)
    {
        return CommandFailure.failed("while " + doing + " the " + event.child().name() + " process said " +
            event.message() + ", which does not belong there");
    }

    private void sendBoth(final String command)
    {
        for (final ChildProcess child : List.of(prefill, decode))
        {
            child.send(command);
        }
    }

    private static long sum(final JsonNode[] messages, final String field)
    {
        return messages[0].path(field).asLong() + messages[1].path(field).asLong();
    }
}
