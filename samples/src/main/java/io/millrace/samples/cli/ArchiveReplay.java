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

import io.aeron.archive.client.AeronArchive;
import io.millrace.archive.KvReplay;
import io.millrace.archive.KvReplayState;
import io.millrace.samples.demo.ProgressDisplay;
import io.millrace.samples.failure.CommandFailure;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/**
 * {@code ./millrace archive replay}.
 */
@Command(
    name = "replay",
    sortOptions = false,
    description = "Replays a KV recording into host memory and checks every layer.")
public final class ArchiveReplay implements Callable<Integer>
{
    private static final long INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(200);

    @Parameters(paramLabel = "ID", description = "Of the recording.")
    private long recordingId;

    @Option(names = "--from", paramLabel = "POSITION",
        description = "Start of a frame. Default: the recording's start.")
    private long from = AeronArchive.NULL_POSITION;

    @Option(names = "--length", paramLabel = "BYTES", description = "To replay. Default: all that is recorded now.")
    private long length = AeronArchive.NULL_LENGTH;

    @Mixin
    private ArchiveClient client;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        return client.run(archive ->
        {
            final long startNs = System.nanoTime();
            final long timeoutNs = archive.context().replayTimeoutNs();
            try (HostMemory memory = new HostMemory();
                KvReplay replay = archive.replay(recordingId, from, length, timeoutNs, memory.receiverContext()))
            {
                try (ProgressDisplay bar = ArchiveProgress.bar(
                    "recording " + recordingId, replay.limitPosition() - replay.fromPosition()))
                {
                    // Ends at the replay's own deadline.
                    while (!replay.await(INTERVAL_NS).isTerminal())
                    {
                        bar.stepTo(replay.bytesReplayed());
                    }
                    bar.stepTo(replay.bytesReplayed());
                }
                final double seconds = (System.nanoTime() - startNs) / 1e9;
                final Map<String, Object> result = new LinkedHashMap<>();
                result.put("recordingId", recordingId);
                result.put("bytes", replay.bytesReplayed());
                result.put("transfersCompleted", replay.transfersCompleted());
                result.put("transfersFailed", replay.transfersFailed());
                result.put("seconds", seconds);
                if (KvReplayState.COMPLETED != replay.state())
                {
                    result.put("code", replay.error());
                    throw CommandFailure.failed(String.valueOf(replay.errorText())).with(result);
                }
                if (replay.transfersFailed() > 0)
                {
                    throw CommandFailure.failed(String.format("replayed %d bytes in %.2f s, but %d of %d transfers " +
                        "did not complete, the first: %s", replay.bytesReplayed(), seconds, replay.transfersFailed(),
                        replay.transfersCompleted() + replay.transfersFailed(), memory.firstFailure())).with(result);
                }
                if (client.json())
                {
                    Json.print(result);
                }
                else
                {
                    Output.print(String.format("replayed %d bytes in %.2f s: %d transfers complete%n",
                        replay.bytesReplayed(), seconds, replay.transfersCompleted()));
                }
                return 0;
            }
        });
    }
}
