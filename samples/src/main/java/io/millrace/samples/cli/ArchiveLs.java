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

import io.millrace.archive.KvRecordingInfo;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * {@code ./millrace archive ls}.
 */
@Command(name = "ls", sortOptions = false, description = "Lists recordings.")
public final class ArchiveLs implements Callable<Integer>
{
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
            final List<KvRecordingInfo> recordings = archive.list(0, Integer.MAX_VALUE);
            if (client.json())
            {
                Json.print(Map.of("recordings", recordings));
                return 0;
            }
            final StringBuilder table = new StringBuilder(
                String.format("%6s %8s %14s %14s %8s  %s%n", "ID", "STREAM", "START", "POSITION", "STATE", "CHANNEL"));
            for (final KvRecordingInfo info : recordings)
            {
                table.append(String.format("%6d %8d %14d %14d %8s  %s%n", info.recordingId(), info.streamId(),
                    info.startPosition(), info.position(), info.isActive() ? "active" : "stopped", info.channel()));
            }
            Output.print(table.toString());
            return 0;
        });
    }
}
