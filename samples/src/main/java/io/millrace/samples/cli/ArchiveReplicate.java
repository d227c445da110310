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
import io.millrace.archive.KvArchive;
import io.millrace.archive.KvArchiveException;
import io.millrace.archive.KvReplica;
import io.millrace.archive.KvReplicator;
import io.millrace.samples.failure.CommandFailure;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/**
 * {@code ./millrace archive replicate}.
 */
@Command(
    name = "replicate",
    sortOptions = false,
    description = {
        "Copies the recordings of another archive to this one.",
        "As far as they are recorded now; run it again for what was recorded since.",
        "" },
    footer = {
        "",
        "The other archive is served with --control." })
public final class ArchiveReplicate implements Callable<Integer>
{
    @Option(names = "--from", required = true, paramLabel = "CHANNEL",
        description = "Control channel of the other archive, such as aeron:udp?endpoint=10.0.0.1:8010.")
    private String from;

    @Option(names = "--local", paramLabel = "CHANNEL", defaultValue = "aeron:udp?endpoint=localhost:0",
        description = "On which this archive listens to the other. Default: aeron:udp?endpoint=localhost:0.")
    private String local;

    @Option(names = "--timeout", paramLabel = "SECONDS", defaultValue = "3600",
        description = "For all of it, to connect to both archives as well. Default: 3600.")
    private long timeoutSeconds;

    @Mixin
    private ArchiveClient client;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        ChannelCheck.requireUdp("--from", from);
        ChannelCheck.requireUdp("--local", local);
        if (timeoutSeconds < 1)
        {
            throw CommandFailure.usage("--timeout is " + timeoutSeconds + ": it must be 1 second or more; give such " +
                "a number or leave it out");
        }
        final long startNs = System.nanoTime();
        return client.run(leftNs(startNs), archive ->
        {
            // Both sessions that are still to be made have what is left now.
            final long answerNs =
                Math.min(archive.context().archiveContext().messageTimeoutNs(), leftNs(startNs));
            archive.context().messageTimeoutNs(answerNs);
            try (KvArchive source = KvArchive.connect(new KvArchive.Context()
                .aeron(archive.context().aeron())
                .messageTimeoutNs(answerNs)
                .controlRequestChannel(from)
                .controlRequestStreamId(AeronArchive.Configuration.controlStreamId())
                .controlResponseChannel(local));
                KvReplicator replicator = new KvReplicator(source, archive, local))
            {
                final List<KvReplica> replicas = await(replicator, leftNs(startNs));
                if (client.json())
                {
                    Json.print(Map.of("recordings", replicas));
                }
                else
                {
                    final StringBuilder text = new StringBuilder();
                    replicas.forEach(replica -> text.append(String.format("recording %d to %d: up to %d of %d%n",
                        replica.sourceRecordingId(), replica.recordingId(), replica.position(),
                        replica.sourcePosition())));
                    Output.print(text.toString());
                }
                return 0;
            }
        });
    }

    // In whole milliseconds, as messages show it.
    private long leftNs(final long startNs)
    {
        final long spentMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
        return TimeUnit.MILLISECONDS.toNanos(Math.max(1, TimeUnit.SECONDS.toMillis(timeoutSeconds) - spentMs));
    }

    private List<KvReplica> await(final KvReplicator replicator, final long timeoutNs)
    {
        try
        {
            return replicator.await(timeoutNs);
        }
        catch (final KvArchiveException ex)
        {
            throw ArchiveClient.ofTimeout(ex, timeoutSeconds);
        }
    }
}
