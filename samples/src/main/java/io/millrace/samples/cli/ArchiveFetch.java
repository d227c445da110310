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

import io.millrace.archive.KvFetch;
import io.millrace.archive.KvFetchPlan;
import io.millrace.archive.KvReplayState;
import io.millrace.archive.KvScope;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvReceiver;
import io.millrace.samples.failure.CommandFailure;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * {@code ./millrace archive fetch}.
 */
@Command(
    name = "fetch",
    sortOptions = false,
    description = "Finds blocks by their hashes and fetches them into host memory, checked.")
public final class ArchiveFetch implements Callable<Integer>
{
    @Parameters(arity = "1..*", paramLabel = "HASH", description = "Prefix-block hashes, whole numbers of 64 bits.")
    private long[] hashes;

    @Option(names = "--index", required = true, paramLabel = "FILE",
        description = "Of the index, made when there is none. One process uses it at a time.")
    private Path index;

    @Option(names = "--layout", required = true, paramLabel = "MODEL",
        description = "Model name or LAYERSxHEADSxDIM, as the sender's.")
    private String layout;

    @Option(names = "--tag", paramLabel = "TEXT", defaultValue = "", description = "Model tag of the transfers.")
    private String tag;

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
        return client.runWithStore(index, store ->
        {
            store.update(ArchiveClient.progress());
            final long startNs = System.nanoTime();
            final KvFetchPlan plan = store.plan(new KvScope(tag, shape), hashes);
            try (HostMemory memory = new HostMemory())
            {
                final KvBlocks blocks = KvBlocks.contiguous(
                    shape, memory.device().allocate(shape.totalBytes(hashes.length)), hashes.length);
                try (KvFetch fetch = store.fetch(plan, blocks, new KvReceiver.Context()
                    .device(memory.device())))
                {
                    final KvReplayState state = fetch.await(Long.MAX_VALUE);
                    print(plan, fetch, (System.nanoTime() - startNs) / 1e9);
                    if (KvReplayState.COMPLETED != state)
                    {
                        throw CommandFailure.failed(String.valueOf(fetch.errorText()));
                    }
                    return 0;
                }
            }
        });
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

    private void print(final KvFetchPlan plan, final KvFetch fetch, final double seconds)
    {
        if (client.json())
        {
            final Map<String, Object> result = new LinkedHashMap<>();
            result.put("blocks", plan.blockCount());
            result.put("prefix", plan.prefixLength());
            result.put("hits", plan.hits());
            result.put("misses", plan.misses());
            result.put("landed", fetch.landed());
            result.put("failed", fetch.failed());
            result.put("bytes", plan.bytes());
            result.put("bytesRead", plan.bytesToRead());
            result.put("replays", plan.replays());
            result.put("seconds", seconds);
            Json.print(result);
        }
        else
        {
            Output.print(String.format("%d of %d blocks stored, prefix %d; %d landed, %d bytes in %d replays, %.2f s%n",
                plan.hits().length, plan.blockCount(), plan.prefixLength(), fetch.landed().length, plan.bytes(),
                plan.replays(), seconds));
        }
    }
}
