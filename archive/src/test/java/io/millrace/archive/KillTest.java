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
package io.millrace.archive;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;

import io.aeron.archive.codecs.SourceLocation;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvSender;
import org.agrona.IoUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(1800)
class KillTest
{
    private static final KvScope SCOPE = new KvScope("", Rig.LAYOUT);
    private static final int ROUNDS = Integer.getInteger("millrace.test.kill.rounds", 3);
    private static final int REQUESTS_OF_A_ROUND = 6;
    private static final int REQUESTS_CHECKED = 15;

    @TempDir
    private Path directory;

    @Test
    void servesEveryBlockThatWasStoredBeforeItsProcessWasKilled() throws Exception
    {
        final Random random = new Random();
        final List<Long> stored = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++)
        {
            stored.addAll(storeAndKill(100L * round, 1 + random.nextInt(REQUESTS_OF_A_ROUND - 1)));
            assertServed(stored.subList(Math.max(0, stored.size() - REQUESTS_CHECKED), stored.size()));
        }
    }

    private List<Long> storeAndKill(final long firstRequestId, final int requests) throws IOException
    {
        final Process process = new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED",
            "--add-opens", "java.base/java.util.zip=ALL-UNNAMED",
            "-Xmx256m",
            "-cp", System.getProperty("java.class.path"),
            Storing.class.getName(), directory.toString(), Long.toString(firstRequestId))
            .redirectError(new File("/dev/null"))
            .start();
        final List<Long> stored = new ArrayList<>();
        String aeronDirectory = null;
        try (BufferedReader lines =
            new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII)))
        {
            aeronDirectory = lines.readLine();
            assertThat(aeronDirectory).isNotNull();
            while (stored.size() < requests)
            {
                final String line = lines.readLine();
                assertThat(line).as("the process ended of itself").isNotNull();
                stored.add(Long.parseLong(line));
            }
        }
        finally
        {
            process.destroyForcibly().onExit().join();
            if (null != aeronDirectory)
            {
                IoUtil.delete(new File(aeronDirectory), true);
            }
        }
        // The dead process cannot take back that it is alive; the archive would wait for its heartbeat to grow old.
        Files.delete(directory.resolve("archive").resolve("archive-mark.dat"));
        return stored;
    }

    private void assertServed(final List<Long> requestIds)
    {
        try (Rig rig = new Rig(directory.resolve("archive")); Rig.Destination target = new Rig.Destination();
            KvBlockStore store = Storing.open(rig, directory))
        {
            store.update(KvScanProgress.NONE);
            requestIds.forEach(rig::fill);
            final long[] hashes = requestIds.stream().flatMapToLong(id -> LongStream.of(Rig.hashes(id))).toArray();
            final KvFetchPlan plan = store.plan(SCOPE, hashes);
            assertThat(plan.misses()).isEmpty();
            final KvBlocks blocks = target.cache.allocate(hashes.length);
            try (KvFetch fetch = store.fetch(plan, blocks, target.receiverContext()))
            {
                assertThat(fetch.await(Rig.LIMIT_NS)).as("%s", fetch.errorText()).isEqualTo(KvReplayState.COMPLETED);
            }
            for (int i = 0; i < hashes.length; i++)
            {
                rig.assertSame(target.device, blocks, i, hashes[i]);
            }
            final KvVerifyReport report = store.verify(KvScanProgress.NONE);
            assertThat(report.isClean()).as("%s", report).isTrue();
        }
    }

    /**
     * The process that is killed: tells each request once its blocks are stored.
     */
    static final class Storing
    {
        private Storing()
        {
        }

        public static void main(final String[] args)
        {
            final Path directory = Path.of(args[0]);
            final long first = Long.parseLong(args[1]);
            try (Rig rig = new Rig(directory.resolve("archive")); KvBlockStore store = open(rig, directory))
            {
                System.out.println(rig.archive.aeronDirectoryName());
                final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
                try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
                {
                    for (long requestId = first; requestId < first + REQUESTS_OF_A_ROUND; requestId++)
                    {
                        rig.send(sender, requestId);
                        recording.awaitStart(Rig.LIMIT_NS);
                        final long startNs = System.nanoTime();
                        while (store.plan(SCOPE, Rig.hashes(requestId)).misses().length > 0 &&
                            System.nanoTime() - startNs < Rig.LIMIT_NS)
                        {
                            store.update(KvScanProgress.NONE);
                        }
                        System.out.println(requestId);
                    }
                    recording.awaitStop(TimeUnit.MINUTES.toNanos(1));
                }
            }
        }

        static KvBlockStore open(final Rig rig, final Path directory)
        {
            return KvBlockStore.open(rig.client, new KvBlockStore.Context()
                .indexFile(directory.resolve("index")).updateIntervalNs(0));
        }
    }
}
