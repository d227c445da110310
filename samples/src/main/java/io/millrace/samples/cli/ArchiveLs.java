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
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.LongFunction;

/**
 * {@code ./millrace archive ls}.
 */
@Command(name = "ls", sortOptions = false,
    description = "Lists recordings, with an index also what model tags have in them.")
public final class ArchiveLs implements Callable<Integer>
{
    @Option(names = "--index", paramLabel = "FILE",
        description = "Of the index, made when there is none. One process uses it at a time.")
    private Path index;

    @Mixin
    private ArchiveClient client;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        return null == index ? client.run(archive -> print(archive.list(0, Integer.MAX_VALUE), id -> Map.of())) :
            client.runWithStore(index, store ->
            {
                try (ArchiveProgress progress = new ArchiveProgress())
                {
                    store.update(progress);
                }
                return print(store.archive().list(0, Integer.MAX_VALUE), store.retention()::bytesByTag);
            });
    }

    private int print(final List<KvRecordingInfo> recordings, final LongFunction<Map<String, Long>> tagsOf)
    {
        if (client.json())
        {
            final Map<String, Object> result = new LinkedHashMap<>();
            result.put("recordings", recordings);
            if (null != index)
            {
                final Map<Long, Map<String, Long>> tags = new TreeMap<>();
                recordings.forEach(info -> tags.put(info.recordingId(), tagsOf.apply(info.recordingId())));
                result.put("bytesByTag", tags);
            }
            Json.print(result);
            return 0;
        }
        final StringBuilder table = new StringBuilder(
            String.format("%6s %8s %14s %14s %8s  %s%n", "ID", "STREAM", "START", "POSITION", "STATE", "CHANNEL"));
        for (final KvRecordingInfo info : recordings)
        {
            table.append(String.format("%6d %8d %14d %14d %8s  %s%n", info.recordingId(), info.streamId(),
                info.startPosition(), info.position(), info.isActive() ? "active" : "stopped", info.channel()));
            tagsOf.apply(info.recordingId()).forEach((tag, bytes) ->
                table.append(String.format("%38d  bytes of tag '%s'%n", bytes, tag)));
        }
        Output.print(table.toString());
        return 0;
    }
}
