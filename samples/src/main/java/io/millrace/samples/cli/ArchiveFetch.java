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

import io.millrace.archive.KvBlockReader;
import io.millrace.archive.KvBlockStore;
import io.millrace.archive.KvRead;
import io.millrace.archive.KvScope;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvReceiver;
import io.millrace.samples.demo.ProgressDisplay;
import io.millrace.samples.failure.CommandFailure;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;

/**
 * {@code ./millrace archive fetch}.
 */
@Command(
    name = "fetch",
    sortOptions = false,
    description = "Finds blocks by their hashes and fetches them into host memory, checked.")
public final class ArchiveFetch implements Callable<Integer>
{
    @Parameters(arity = "1..*", paramLabel = "HASH",
        description = "Prefix-block hashes, whole numbers of 64 bits, each named once.")
    private long[] hashes;

    @Option(names = "--index", required = true, paramLabel = "FILE",
        description = "Of the index, made when there is none. One process uses it at a time.")
    private Path index;

    @Option(names = "--layout", required = true, paramLabel = "MODEL",
        completionCandidates = Candidates.Models.class,
        description = "Model name or LAYERSxHEADSxDIM, as the sender's.")
    private String layout;

    @Option(names = "--tag", paramLabel = "TEXT", defaultValue = "", description = "Model tag of the transfers.")
    private String tag;

    @Option(names = "--second-dir", paramLabel = "DIR",
        description = "Driver of a second archive, that is asked for what the first one cannot give.")
    private String secondDirectory;

    @Option(names = "--second-index", paramLabel = "FILE", description = "Index of the second archive.")
    private Path secondIndex;

    @Mixin
    private ArchiveClient client;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        final KvLayout shape = layout();
        if (null == secondDirectory != (null == secondIndex))
        {
            throw CommandFailure.usage("--second-dir and --second-index go together: name both or none");
        }
        final Set<Long> named = new HashSet<>();
        for (final long hash : hashes)
        {
            if (!named.add(hash))
            {
                throw CommandFailure.usage("HASH " + hash + " stands twice: name each block once");
            }
        }
        return client.runWithStore(index, store -> null == secondDirectory ? fetch(shape, List.of(store)) :
            ArchiveClient.runWithStore(secondDirectory, "--second-dir", secondIndex,
                second -> fetch(shape, List.of(store, second))));
    }

    private int fetch(final KvLayout shape, final List<KvBlockStore> stores)
    {
        try (ArchiveProgress progress = new ArchiveProgress())
        {
            stores.forEach(store -> store.update(progress));
        }
        final long startNs = System.nanoTime();
        final KvScope scope = new KvScope(tag, shape);
        final long timeoutNs = stores.get(0).archive().context().replayTimeoutNs();
        try (HostMemory memory = new HostMemory();
            ProgressDisplay bar = ArchiveProgress.bar("fetch", shape.totalBytes(hashes.length));
            KvBlockReader reader = new KvBlockReader(stores, timeoutNs))
        {
            final KvBlocks blocks = KvBlocks.contiguous(
                shape, memory.device().allocate(shape.totalBytes(hashes.length)), hashes.length);
            final KvRead read = reader.read(scope, hashes, blocks, () -> new KvReceiver.Context()
                .device(memory.device()).listener(ArchiveProgress.landing(bar)), stores.size() * timeoutNs);
            final double seconds = (System.nanoTime() - startNs) / 1e9;
            if (!client.json())
            {
                Output.print(String.format("%d of %d blocks stored, prefix %d; %d landed, %d bytes, %d fetches " +
                    "again, %d fail-overs, %.2f s%n", hashes.length - read.missing().length, hashes.length,
                    prefix(read), read.landed().length, read.bytes(), read.retries(), read.failovers(), seconds));
            }
            if (read.landed().length < hashes.length)
            {
                throw CommandFailure.failed(error(read, stores.size())).with(result(read, seconds));
            }
            if (client.json())
            {
                Json.print(result(read, seconds));
            }
            return 0;
        }
    }

    private KvLayout layout()
    {
        try
        {
            return KvLayout.parse(layout);
        }
        catch (final IllegalArgumentException ex)
        {
            throw CommandFailure.usage("--layout: " + ex.getMessage());
        }
    }

    private String error(final KvRead read, final int archives)
    {
        final StringBuilder text = new StringBuilder();
        if (read.missing().length > 0)
        {
            text.append(read.missing().length).append(" of ").append(hashes.length).append(" blocks are not stored")
                .append(1 == archives ? "" : " in either archive")
                .append(" under --tag '").append(tag).append("' and --layout ").append(layout)
                .append(": give those of the sender, or compute the blocks");
        }
        if (read.failed().length > 0)
        {
            text.append(text.isEmpty() ? "" : "; ").append(read.failed().length).append(" of ").append(hashes.length)
                .append(" blocks are stored but did not land: ").append(read.errorText());
        }
        return text.toString();
    }

    private int prefix(final KvRead read)
    {
        return 0 == read.missing().length ? hashes.length : read.missing()[0];
    }

    private Map<String, Object> result(final KvRead read, final double seconds)
    {
        final Map<String, Object> result = new LinkedHashMap<>();
        result.put("blocks", hashes.length);
        result.put("prefix", prefix(read));
        result.put("hits",
            IntStream.concat(IntStream.of(read.landed()), IntStream.of(read.failed())).sorted().toArray());
        result.put("misses", read.missing());
        result.put("landed", read.landed());
        result.put("failed", read.failed());
        result.put("bytes", read.bytes());
        result.put("bytesRead", read.bytesRead());
        result.put("replays", read.replays());
        result.put("retries", read.retries());
        result.put("failovers", read.failovers());
        result.put("seconds", seconds);
        return result;
    }
}
