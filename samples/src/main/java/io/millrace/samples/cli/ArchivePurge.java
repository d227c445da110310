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

import io.millrace.archive.KvBlockStore;
import io.millrace.archive.KvEviction;
import io.millrace.samples.failure.CommandFailure;
import org.agrona.SystemUtil;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;

/**
 * {@code ./millrace archive purge}.
 */
@Command(
    name = "purge",
    sortOptions = false,
    description = "Deletes the start of a recording, or what was unused for longest.",
    footer = {
        "",
        "With --capacity nothing is done up to 0.90 of it, else KV recordings come",
        "down to 0.80. With --tag-limit only segments go that hold blocks of that tag",
        "alone." })
public final class ArchivePurge implements Callable<Integer>
{
    @ArgGroup(multiplicity = "1")
    private What what;

    @Option(names = "--to", paramLabel = "POSITION",
        description = "With --recording: start of the first segment that stays. Default: all of a stopped recording.")
    private Long toPosition;

    @Option(names = "--index", required = true, paramLabel = "FILE",
        description = "Of the index, made when there is none. One process uses it at a time.")
    private Path index;

    @Mixin
    private ArchiveClient client;

    @Mixin
    private Common common;

    /**
     * What to purge.
     */
    static final class What
    {
        @Option(names = "--recording", paramLabel = "ID", description = "Purge of this recording.")
        private Long recordingId;

        @Option(names = "--tag-limit", paramLabel = "TAG=SIZE",
            description = "Bytes that the blocks of a model tag may take, such as llama=20g; again for more tags.")
        private Map<String, String> tagLimits;

        @Option(names = "--capacity", paramLabel = "SIZE",
            description = "Bytes that KV recordings may take, such as 100g.")
        private String capacity;
    }

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        return client.run(archive ->
        {
            try (KvBlockStore store = KvBlockStore.open(
                archive, new KvBlockStore.Context().indexFile(index).updateIntervalNs(0)))
            {
                try (ArchiveProgress progress = new ArchiveProgress())
                {
                    store.update(progress);
                }
                if (null != what.tagLimits)
                {
                    final Map<String, KvEviction> evictions = store.retention().evict(tagLimits());
                    final StringBuilder text = new StringBuilder(evictions.size() + " tags over their limits");
                    evictions.forEach((tag, eviction) -> text.append("\n").append(tag).append(": ")
                        .append(eviction.bytesBefore()).append(" bytes before, ")
                        .append(eviction.bytesAfter()).append(" after"));
                    print(Map.of("tags", evictions), text.toString());
                }
                else if (null == what.recordingId)
                {
                    final KvEviction eviction = store.retention().evict(capacity());
                    print(eviction, eviction.bytesBefore() + " bytes before, " + eviction.bytesAfter() + " after; " +
                        eviction.transfers() + " transfers forgotten");
                }
                else
                {
                    final long to = null == toPosition ? archive.find(what.recordingId).position() : toPosition;
                    final int transfers = store.retention().purge(what.recordingId, to);
                    print(Map.of("recordingId", what.recordingId, "toPosition", to, "transfers", transfers),
                        "purged recording " + what.recordingId + " to " + to + "; " + transfers +
                        " transfers forgotten");
                }
                return 0;
            }
        });
    }

    private void print(final Object result, final String text)
    {
        if (client.json())
        {
            Json.print(result);
        }
        else
        {
            Output.print(text + '\n');
        }
    }

    private long capacity()
    {
        return size("--capacity", what.capacity);
    }

    private Map<String, Long> tagLimits()
    {
        final Map<String, Long> limits = new TreeMap<>();
        what.tagLimits.forEach((tag, size) -> limits.put(tag, size("--tag-limit " + tag, size)));
        return limits;
    }

    private static long size(final String option, final String text)
    {
        try
        {
            final long bytes = SystemUtil.parseSize(option, text);
            if (bytes > 0)
            {
                return bytes;
            }
        }
        catch (final NumberFormatException ignore)
        {
            // Said below.
        }
        throw CommandFailure.usage(option + " " + text + " must be bytes over 0, such as 500m or 100g");
    }
}
