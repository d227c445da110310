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

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.aeron.CommonContext;
import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveThreadingMode;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.millrace.archive.KvArchive;
import io.millrace.archive.KvRecording;
import io.millrace.archive.MillraceArchive;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import io.millrace.samples.Millrace;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.DatagramSocket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(150)
class ArchiveCommandTest
{
    private static final int PORT_TRIES = 100;
    private static final int FIRST_PORT = 10_000;
    // Of Linux, unless it is told otherwise.
    private static final int FIRST_EPHEMERAL_PORT = 32_768;
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(30);
    private static final String CHANNEL = "aeron:ipc?term-length=1m|mtu=65472";
    private static final int BLOCKS = 24;

    @TempDir
    private Path directory;

    @Test
    void listsReplaysFetchesVerifiesAndPurges() throws IOException
    {
        try (MillraceArchive archive = launch("archive", null))
        {
            final String dir = archive.aeronDirectoryName();
            final String index = directory.resolve("index").toString();
            assertError(1, "absent/index cannot be opened (its directory does not exist): name a file", "purge",
                "--dir", dir, "--index", directory.resolve("absent/index").toString(), "--capacity", "1g");
            record(archive);

            final JsonNode recording = json(0, "ls", "--dir", dir).get("recordings").get(0);
            assertThat(recording.get("recordingId").asLong()).isZero();
            assertThat(recording.get("active").asBoolean()).isFalse();
            final long bytes = recording.get("position").asLong();

            final JsonNode replay = json(0, "replay", "0", "--dir", dir);
            assertThat(replay.get("bytes").asLong()).isEqualTo(bytes);
            assertThat(replay.get("transfersCompleted").asInt()).isEqualTo(5);
            assertThat(json(0, "rebuild", "--dir", dir, "--index", index).get("blocks").asInt()).isEqualTo(5 * BLOCKS);

            final JsonNode fetch =
                json(1, "fetch", "--dir", dir, "--index", index, "--layout", "4x2x32",
                    "--tag", "llama", "1000", "4007", "77");
            assertThat(fetch.get("error").asText()).startsWith("1 of 3 blocks are not stored under --tag 'llama'");
            assertThat(fetch.get("hits")).hasToString("[0,1]");
            assertThat(fetch.get("landed")).hasToString("[0,1]");
            assertThat(fetch.get("misses")).hasToString("[2]");
            assertThat(fetch.get("prefix").asInt()).isEqualTo(2);
            assertThat(json(1, "fetch", "--dir", dir, "--index", index, "--layout", "4x2x32", "1000").get("error")
                .asText()).startsWith("1 of 1 blocks are not stored under --tag ''");

            final JsonNode report = json(0, "verify", "--dir", dir, "--index", index);
            assertThat(report.get("clean").asBoolean()).isTrue();
            assertThat(report.get("transfers").asInt()).isEqualTo(5);

            assertThat(fetch.get("failovers").asInt()).isZero();

            final JsonNode tags = json(0, "ls", "--dir", dir, "--index", index).get("bytesByTag").get("0");
            assertThat(tags.get("llama").asLong()).isPositive();
            assertThat(json(0, "purge", "--dir", dir, "--index", index, "--tag-limit", "llama=100g").get("tags"))
                .isEmpty();
            assertThat(json(0, "purge", "--dir", dir, "--index", index, "--recording", "0", "--to", "1048576")
                .get("transfers").asInt()).isPositive();
            assertThat(json(0, "purge", "--dir", dir, "--index", index, "--capacity", "1").get("bytesAfter").asLong())
                .isZero();
            assertThat(json(0, "ls", "--dir", dir).get("recordings")).isEmpty();
            final JsonNode gone = json(1, "replay", "0", "--dir", dir);
            assertThat(gone.get("code").asText()).isEqualTo("UNKNOWN_RECORDING");
            assertThat(gone.get("error").asText()).contains("no recording 0", "./millrace archive ls");
        }
    }

    @Test
    void aRecordingThatDidNotStartCanBeAskedForAgain() throws IOException
    {
        try (MillraceArchive archive = launch("archive", null))
        {
            for (int i = 0; i < 2; i++)
            {
                final JsonNode late =
                    json(1, "record", CHANNEL, "7", "--timeout", "1", "--dir", archive.aeronDirectoryName());
                assertThat(late.get("code").asText()).isEqualTo("DEADLINE");
                assertThat(late.get("error").asText()).endsWith("within 1s: allow more time (--timeout 1)");
            }
        }
    }

    @Test
    void itsTimeoutCoversTheConnectionToTheOtherArchive() throws IOException
    {
        try (MillraceArchive archive = launch("archive", null))
        {
            final JsonNode late = json(1, "replicate", "--from", "aeron:udp?endpoint=localhost:" + freePort(),
                "--timeout", "2", "--dir", archive.aeronDirectoryName());
            assertThat(late.get("code").asText()).isEqualTo("ARCHIVE_GONE");
            // Of these 2 s what the connection to the first archive has left, not the usual 5 s.
            assertThat(late.get("error").asText()).matches(".* within (2s|1s|1?\\d{1,3}ms): start one there.*");
        }
    }

    @Test
    void tellsOfDamageAsJson() throws IOException
    {
        try (MillraceArchive archive = launch("archive", null))
        {
            record(archive);
            final Path segment = directory.resolve("archive/0-0.rec");
            final byte[] bytes = Files.readAllBytes(segment);
            bytes[600_000]++;
            Files.write(segment, bytes);

            final JsonNode replay = json(1, "replay", "0", "--dir", archive.aeronDirectoryName());
            assertThat(replay.get("code").asText()).isEqualTo("CHECKSUM_MISMATCH");
            assertThat(replay.get("error").asText()).contains("checksum mismatch", segment.getFileName().toString());
            assertThat(replay.get("recordingId").asLong()).isZero();
            // An archive revokes the stream at damage: what came before it may not have been read yet.
            assertThat(replay.get("bytes").asLong()).isLessThan(600_000);
            assertThat(replay.get("transfersCompleted").asInt()).isLessThan(2);
        }
    }

    @Test
    void tellsOfTransfersThatARangeDoesNotHold() throws IOException
    {
        try (MillraceArchive archive = launch("archive", null))
        {
            record(archive);
            final JsonNode replay = json(1, "replay", "0", "--length", "200000", "--dir", archive.aeronDirectoryName());
            assertThat(replay.get("transfersFailed").asInt()).isOne();
            assertThat(replay.get("bytes").asLong()).isGreaterThanOrEqualTo(200_000);
            assertThat(replay.get("error").asText()).contains("1 of 1 transfers did not complete");
        }
    }

    @Test
    void replicatesToASecondArchiveAndShowsBarsOnATerminal() throws IOException
    {
        final String control = "aeron:udp?endpoint=localhost:" + freePort();
        try (MillraceArchive first = launch("first", control); MillraceArchive second = launch("second", null))
        {
            final String dir = second.aeronDirectoryName();
            final String index = directory.resolve("second.index").toString();
            record(first);

            final JsonNode copy =
                json(0, "replicate", "--dir", dir, "--from", control, "--timeout", "60").get("recordings").get(0);
            assertThat(copy.get("synced").asBoolean()).isTrue();
            assertThat(copy.get("position").asLong()).isEqualTo(copy.get("sourcePosition").asLong()).isPositive();
            final JsonNode fetch = json(0, "fetch", "--dir", first.aeronDirectoryName(), "--index",
                directory.resolve("first.index").toString(), "--second-dir", dir, "--second-index", index,
                "--layout", "4x2x32", "--tag", "llama", "1000", "5001");
            assertThat(fetch.get("landed")).hasToString("[0,1]");

            // The first archive has not got them.
            final String empty = directory.resolve("empty.index").toString();
            try (MillraceArchive third = launch("third", null))
            {
                final JsonNode fromCopy = json(0, "fetch", "--dir", third.aeronDirectoryName(), "--index", empty,
                    "--second-dir", dir, "--second-index", index, "--layout", "4x2x32", "--tag", "llama", "2000");
                assertThat(fromCopy.get("hits")).hasToString("[0]");
                assertThat(fromCopy.get("prefix").asInt()).isOne();
                assertThat(fromCopy.get("replays").asInt()).isOne();
                assertThat(fromCopy.get("bytesRead").asLong()).isGreaterThan(fromCopy.get("bytes").asLong());
            }

            assertError(2, "--archive-dir " + index + " is no directory", "verify", "--dir", dir, "--index", index,
                "--archive-dir", index);
            final PrintStream err = System.err;
            final ByteArrayOutputStream shown = new ByteArrayOutputStream();
            System.setProperty("millrace.terminal.columns", "80");
            System.setErr(new PrintStream(shown, true, StandardCharsets.UTF_8));
            try
            {
                assertThat(json(0, "verify", "--dir", dir, "--index", index, "--archive-dir",
                    directory.resolve("second").toString()).get("clean").asBoolean()).isTrue();
                assertThat(shown.toString(StandardCharsets.UTF_8)).as("verify").contains("recording 0 100%");
                shown.reset();
                assertThat(json(0, "rebuild", "--dir", dir, "--index", index).get("blocks").asInt())
                    .isEqualTo(5 * BLOCKS);
                assertThat(shown.toString(StandardCharsets.UTF_8)).as("rebuild").contains("recording 0 100%");
                shown.reset();
                assertThat(json(0, "fetch", "--dir", dir, "--index", index, "--layout", "4x2x32", "--tag", "llama",
                    "2000").get("landed")).hasToString("[0]");
                assertThat(shown.toString(StandardCharsets.UTF_8)).as("fetch").contains("fetch 100%");
                shown.reset();
                assertThat(json(0, "replay", "0", "--dir", dir).get("transfersCompleted").asInt()).isEqualTo(5);
            }
            finally
            {
                System.setErr(err);
                System.clearProperty("millrace.terminal.columns");
            }
            assertThat(shown.toString(StandardCharsets.UTF_8)).as("replay").contains("recording 0 100%");
        }
    }

    @Test
    void servesATraceWithinItsCapacity() throws IOException
    {
        // Conversations that take turns: each request has the blocks of the one before in its conversation.
        final StringBuilder lines = new StringBuilder();
        for (int request = 0; request < 48; request++)
        {
            final int from = request % 16 * 100;
            final int blocks = 6 + 4 * (request / 16);
            lines.append("{\"timestamp\": 0, \"input_length\": ").append(blocks * 512)
                .append(", \"output_length\": 1, \"hash_ids\": ")
                .append(LongStream.range(from, from + blocks).boxed().toList()).append("}\n");
        }
        final Path trace = Files.writeString(directory.resolve("trace"), lines);
        final JsonNode report = json(0, "trace", "--trace", trace.toString(), "--stock", "--capacity", "5m",
            "--segment-length", "1m", "--recording-length", "1m", "--archive-dir", directory.toString());
        assertThat(report.get("requests").asInt()).isEqualTo(48);
        assertThat(report.get("blocks").asInt()).isEqualTo(16 * (6 + 10 + 14));
        assertThat(report.get("verifiedBlocks").asInt()).isEqualTo(report.get("blocks").asInt());
        assertThat(report.get("mismatches").asInt()).isZero();
        assertThat(report.get("hits").asInt()).isPositive().isLessThan(report.get("blocks").asInt());
        assertThat(report.get("bytesServed").asLong()).isEqualTo(report.get("hits").asLong() * 32_768);
        assertThat(report.get("evictedSegments").asInt()).isPositive();
        assertThat(report.get("storedBytes").asLong()).isLessThanOrEqualTo(5 << 20);
        assertError(2, "--share 2.0 must be", "trace", "--trace", trace.toString(), "--share", "2",
            "--archive-dir", ".");
        assertError(2, "does not exist", "trace", "--trace", trace + "x", "--stock",
            "--archive-dir", directory.toString());
    }

    @Test
    void saysWhatIsWrong() throws IOException
    {
        final String nowhere = directory.resolve("none").toString();
        final String file = Files.createFile(directory.resolve("file")).toString();
        for (final String option : new String[]{ "--from bogus", "--from aeron:ipc", "--from aeron:udp",
            "--from aeron:udp?endpoint=localhost:1 --local bogus" })
        {
            assertError(2, option.substring(option.lastIndexOf("--")).replace(" ", " is ") + " (",
                ("replicate --dir " + nowhere + " " + option).split(" "));
        }
        assertError(2, "--timeout is 0: it must be 1 second or more", "replicate", "--dir", nowhere, "--from",
            "aeron:udp?endpoint=localhost:1", "--timeout", "0");
        assertError(2, "CHANNEL is bogus (", "record", "bogus", "1", "--dir", nowhere);
        assertError(2, "--control is bogus (", "serve", "--archive-dir", nowhere, "--control", "bogus");
        for (final String place : new String[]{ file, file + "/archive", "/proc/archive" })
        {
            assertError(2, "--archive-dir " + place + " cannot be used (", "serve", "--archive-dir", place,
                "--dir", nowhere);
        }
        for (final String command : new String[]{ "ls", "replay 7", "record aeron:ipc 1", "verify --index i",
            "fetch --index i --layout 4x2x32 1", "rebuild --index i", "purge --index i --capacity 1g",
            "replicate --from aeron:udp?endpoint=localhost:1" })
        {
            assertError(1, "no driver in --dir " + nowhere, (command + " --dir " + nowhere).split(" "));
        }
        assertError(2, "model 'big' is neither", "fetch", "--dir", nowhere, "--index", "i", "--layout", "big", "1");
        assertError(2, "--capacity=SIZE", "purge", "--dir", nowhere, "--index", "i");
        assertError(2, "--second-dir and --second-index go together", "fetch", "--dir", nowhere, "--index", "i",
            "--layout", "4x2x32", "--second-dir", "d", "1");
        assertError(2, "HASH 7 stands twice", "fetch", "--dir", nowhere, "--index", "i", "--layout", "4x2x32",
            "1", "7", "7");
        for (final String length : new String[]{ "much", "100k", "32k", "2g" })
        {
            assertError(2, "--segment-length " + length + " must be a power of two from 64k to 1g", "serve",
                "--archive-dir", nowhere, "--segment-length", length);
        }
        assertError(2, "--segment-length 64k must be a power of two from 1m to 1g", "trace", "--trace", file,
            "--archive-dir", directory.toString(), "--segment-length", "64k");
        assertThat(Millrace.execute("archive")).isEqualTo(2);

        // As JSON however it is asked for, and wherever in the command line the error is.
        assertThat(output(1, "archive", "ls", "--json=true", "--dir", nowhere)).contains("no driver in --dir");
        assertThat(output(1, "archive", "ls", "--json=false", "--dir", nowhere)).isEmpty();
        assertThat(output(2, "archive", "replay", "x", "--json=TRUE")).contains("'x' is not a long");
        assertError(2, "unknown command 'archive bogus': it must be one of serve", "bogus");
    }

    private MillraceArchive launch(final String name, final String control)
    {
        return MillraceArchive.launch(
            new MediaDriver.Context()
                .aeronDirectoryName(CommonContext.generateRandomDirName())
                .threadingMode(ThreadingMode.SHARED)
                .dirDeleteOnShutdown(true),
            new Archive.Context()
                .archiveDir(directory.resolve(name).toFile())
                .controlChannel(control)
                .threadingMode(ArchiveThreadingMode.SHARED)
                .segmentFileLength(1 << 20)
                .lowStorageSpaceThreshold(1 << 20));
    }

    // Below those that the system hands out: the port stays free until it is used.
    private static int freePort()
    {
        for (int i = 0; i < PORT_TRIES; i++)
        {
            final int port = ThreadLocalRandom.current().nextInt(FIRST_PORT, FIRST_EPHEMERAL_PORT);
            try
            {
                new DatagramSocket(port).close();
                return port;
            }
            catch (final SocketException ignore)
            {
                // In use: another one.
            }
        }
        throw new IllegalStateException("no port of " + PORT_TRIES + " from " + FIRST_PORT + " to " +
            FIRST_EPHEMERAL_PORT + " is free");
    }

    private static void record(final MillraceArchive archive)
    {
        final KvLayout layout = KvLayout.parse("4x2x32");
        try (KvArchive client = KvArchive.connect(archive.clientContext());
            HostDevice device = new HostDevice();
            PagedKvCache cache = PagedKvCache.allocate(device, layout, 5 * BLOCKS))
        {
            final KvRecording recording = client.record(CHANNEL, 1001, SourceLocation.LOCAL);
            try (KvSender sender = KvSender.launch(new KvSender.Context()
                .aeronDirectoryName(archive.aeronDirectoryName())
                .channel(CHANNEL).streamId(1001)
                .device(device)
                .stagingConfig("4:1")
                .unacknowledged(true)))
            {
                for (long request = 1; request <= 5; request++)
                {
                    assertThat(sender.submit(new KvTransferRequest()
                        .requestId(request).modelTag("llama").layout(layout).blocks(cache.allocate(BLOCKS))
                        .blockHashes(LongStream.range(request * 1000, request * 1000 + BLOCKS).toArray()))
                        .await(LIMIT_NS)).isEqualTo(KvTransferState.COMPLETED);
                }
            }
            recording.awaitStop(LIMIT_NS);
        }
    }

    @Test
    void tellsOfSegmentsThatAreShorterThanTerms()
    {
        final MediaDriver.Context driver = new MediaDriver.Context()
            .publicationTermBufferLength(16 << 20).ipcTermBufferLength(64 << 20);
        assertThat(ArchiveServe.longerSegments(64 << 20, driver)).isNull();
        assertThat(ArchiveServe.longerSegments(16 << 20, driver)).contains("--segment-length 16m", "IPC 64m");
        assertThat(ArchiveServe.longerSegments(64 << 10, driver.ipcTermBufferLength(64 << 10)))
            .contains("--segment-length 64k is less than a term", "UDP 16m, IPC 64k");
    }

    private static void assertError(final int exitStatus, final String text, final String... args) throws IOException
    {
        assertThat(json(exitStatus, args).get("error").asText()).contains(text).doesNotContain("Exception");
    }

    /**
     * Run a command.
     *
     * @return what it printed, or null when it printed nothing.
     */
    private static JsonNode json(final int exitStatus, final String... args) throws IOException
    {
        final String[] all = new String[args.length + 2];
        all[0] = "archive";
        System.arraycopy(args, 0, all, 1, args.length);
        all[all.length - 1] = "--json";
        final String output = output(exitStatus, all);
        return output.isEmpty() ? null : new ObjectMapper().readTree(output);
    }

    private static String output(final int exitStatus, final String... args)
    {
        final PrintStream out = System.out;
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        try
        {
            assertThat(Millrace.execute(args)).as(String.join(" ", args)).isEqualTo(exitStatus);
        }
        finally
        {
            System.setOut(out);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
