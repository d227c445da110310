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
package io.millrace.samples.disaggregated;

import io.millrace.bridge.KvLayout;
import io.millrace.bridge.session.KvRole;
import io.millrace.samples.demo.MachineCheck;
import io.millrace.samples.demo.ProtocolOption;
import io.millrace.samples.demo.StorageCheck;
import io.millrace.samples.demo.WorkDirectory;
import io.millrace.samples.demo.WorkDirectory.Owner;
import io.millrace.samples.failure.CommandFailure;

import java.math.BigInteger;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/**
 * Runs the sample and leaves nothing behind.
 */
public final class DisaggregatedPrefill
{
    private DisaggregatedPrefill()
    {
    }

    /**
     * Run it.
     *
     * @param options of the user.
     * @return the result.
     * @throws CommandFailure if an option cannot be used, or the run fails.
     */
    public static RunResult run(final DisaggregatedOptions options)
    {
        final KvLayout layout = layout(options.model());
        ProtocolOption.choose(options.protocol());
        requireInstances(options);
        final List<Prompt> prompts = Prompts.of(options.trace(), options.requests(), options.seed());
        if (prompts.size() < options.requests())
        {
            System.err.println("millrace: trace " + options.trace() + " has only " + prompts.size() +
                " requests: all of them are run");
        }
        final int largest = prompts.stream().mapToInt((prompt) -> prompt.hashes().length).max().orElseThrow();
        if (largest > options.cacheBlocks())
        {
            throw CommandFailure.usage("--cache-blocks is " + options.cacheBlocks() + ", and the longest prompt has " +
                largest + ": give at least as many, or fewer --requests");
        }
        requireMemory(options, layout, largest);

        try (WorkDirectory directory = WorkDirectory.create(Owner.DISAGGREGATED_PREFILL, options.directory());
            WorkDirectory archive = options.archive() ? archiveDirectory(options, prompts, layout) : null;
            Cluster cluster = new Cluster(options, largest, directory, archive);
            LiveView view = new LiveView())
        {
            return new Replay(options, prompts, cluster, view).run();
        }
    }

    private static void requireMemory(
        final DisaggregatedOptions options, final KvLayout layout, final int largest)
    {
        final BigInteger blocks = BigInteger.valueOf(count(options.prefill(), KvRole.PREFILL, options) + 1)
            .multiply(BigInteger.valueOf(Cluster.SENDER_PROMPTS * largest))
            .add(BigInteger.valueOf(count(options.decode(), KvRole.DECODE, options))
            .multiply(BigInteger.valueOf(options.cacheBlocks())));
        MachineCheck.require(blocks.multiply(BigInteger.valueOf(layout.totalBytes(1))), "the instances' caches need",
            "together; use a smaller --model, fewer --cache-blocks or fewer instances");
    }

    private static long count(final int atStart, final KvRole role, final DisaggregatedOptions options)
    {
        return atStart +
            options.changes().stream().filter((change) -> change.isAdded() && role == change.role()).count();
    }

    private static WorkDirectory archiveDirectory(
        final DisaggregatedOptions options, final List<Prompt> prompts, final KvLayout layout)
    {
        final WorkDirectory directory = WorkDirectory.create(Owner.DISAGGREGATED_PREFILL,
            null != options.archiveParent() ? options.archiveParent() : Path.of(System.getProperty("java.io.tmpdir")));
        final long blocks = prompts.stream().mapToLong((prompt) -> prompt.hashes().length).sum();
        try
        {
            StorageCheck.recording(
                directory.path(), Math.min(blocks * layout.totalBytes(1), ArchiveNode.CAPACITY_BYTES));
            return directory;
        }
        catch (final CommandFailure ex)
        {
            directory.close();
            throw ex;
        }
    }

    private static KvLayout layout(final String model)
    {
        try
        {
            return KvLayout.parse(model, Prompt.TOKENS_PER_BLOCK);
        }
        catch (final IllegalArgumentException ex)
        {
            throw CommandFailure.usage("--model " + model + ": " + ex.getMessage() + "; or leave it out");
        }
    }

    // One of each has to be there at any time.
    private static void requireInstances(final DisaggregatedOptions options)
    {
        final int[] counts = { options.prefill(), options.decode() };
        options.changes().stream().sorted(Comparator.comparingDouble(Change::seconds)).forEach((change) ->
        {
            final int side = KvRole.PREFILL == change.role() ? 0 : 1;
            counts[side] += change.isAdded() ? 1 : -1;
            if (0 == counts[side])
            {
                throw CommandFailure.usage("--change at " + change.seconds() + "s takes the last " +
                    (0 == side ? "prefill" : "decode") +
                    " instance: one has to be left; start more, or add one before");
            }
        });
    }
}
