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
package io.millrace.samples.demo;

import io.aeron.exceptions.ConfigurationException;
import io.millrace.bridge.KvLayout;
import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.samples.failure.CommandFailure;

import java.nio.file.Path;

/**
 * Plans a demonstration, runs it and leaves nothing behind.
 */
public final class Demo
{
    private static final long DEFAULT_BYTES = 2L << 30;
    private static final long SLOWEST_BYTES_PER_MS = 10_000;

    private Demo()
    {
    }

    /**
     * Run a demonstration.
     *
     * @param options of the user.
     * @return the outcome.
     * @throws CommandFailure if an option cannot be used or the run fails.
     */
    public static DemoReport run(final DemoOptions options)
    {
        final KvLayout layout = layout(options);
        final EfaContext context = context(options);
        final ProtocolChoice choice = choose(context, options);
        final Workload workload = new Workload(options.trace(), options.seed());
        final long blockBytes = layout.totalBytes(1);
        final Workload.Survey survey = workload.survey(
            options.requests(), Math.ceilDiv(DEFAULT_BYTES, blockBytes), options.tokensPerBlock());
        if (survey.requests() < options.requests())
        {
            System.err.println("millrace: trace " + options.trace() + " has only " + survey.requests() +
                " requests: all of them are run");
        }
        final int capacityBlocks = layout.blocksFor(survey.largestTokens());
        MachineCheck.memory(blockBytes, capacityBlocks, survey.largestTokens());
        final long plannedBytes = plannedBytes(survey, blockBytes);

        try (WorkDirectory directory = WorkDirectory.create(WorkDirectory.Owner.DEMO, options.directory());
            WorkDirectory archiveDirectory = options.archive() ? archiveDirectory(options) : null)
        {
            if (null != archiveDirectory)
            {
                StorageCheck.recording(archiveDirectory.path().getParent(), plannedBytes);
            }
            final int shmRails = "shm".equals(choice.protocol()) ? choice.rails() : 0;
            final DemoChannels channels = DemoChannels.create(
                choice.protocol(), StorageCheck.termLength(directory.path().getParent(), shmRails, options.archive()));
            final Orders orders = new Orders(
                directory.path().toString(),
                null,
                // The word and not what it stands for, so that the children's counters tell of a fallback.
                context.protocol(),
                context.rails(),
                options.model(),
                options.tokensPerBlock(),
                null == options.trace() ? null : options.trace().toAbsolutePath().toString(),
                survey.requests(),
                options.seed(),
                capacityBlocks,
                channels.data(),
                channels.reverse(),
                // A transfer that stands still is found by the watch for silence, long before this.
                options.silenceMs() + capacityBlocks * blockBytes / SLOWEST_BYTES_PER_MS,
                null);
            try (DemoRun run = new DemoRun(directory, archiveDirectory, orders, survey, plannedBytes, options))
            {
                return run.run(choice.reason());
            }
        }
    }

    private static long plannedBytes(final Workload.Survey survey, final long blockBytes)
    {
        try
        {
            return Math.multiplyExact(survey.blocks(), blockBytes);
        }
        catch (final ArithmeticException ex)
        {
            throw CommandFailure.usage(survey.requests() + " requests have " + survey.blocks() + " blocks of " +
                blockBytes + " bytes: together they must be less than 2^63 bytes; use fewer --requests or a smaller " +
                "--model");
        }
    }

    private static WorkDirectory archiveDirectory(final DemoOptions options)
    {
        return WorkDirectory.create(WorkDirectory.Owner.DEMO, null != options.archiveParent() ?
            options.archiveParent() : Path.of(System.getProperty("java.io.tmpdir")));
    }

    private static KvLayout layout(final DemoOptions options)
    {
        try
        {
            return KvLayout.parse(options.model(), options.tokensPerBlock());
        }
        catch (final IllegalArgumentException ex)
        {
            throw CommandFailure.usage("--model " + options.model() + " with --tokens-per-block " +
                options.tokensPerBlock() + ": " + ex.getMessage() + "; or leave both out");
        }
    }

    private static EfaContext context(final DemoOptions options)
    {
        final EfaContext context = new EfaContext();
        if (null != options.protocol())
        {
            context.protocol(options.protocol());
        }
        if (options.rails() > 0)
        {
            context.rails(options.rails());
        }
        return context;
    }

    private static ProtocolChoice choose(final EfaContext context, final DemoOptions options)
    {
        try
        {
            final ProtocolChoice choice = ProtocolChoice.select(context);
            if (!choice.isFabric() && options.rails() > 0)
            {
                System.err.println("millrace: --rails " + options.rails() + " has no effect: " + choice.protocol() +
                    " has no rails");
            }
            return choice;
        }
        catch (final ConfigurationException ex)
        {
            final String message = CommandFailure.withoutCategory(ex);
            throw CommandFailure.usage(
                null == options.protocol() ? message : "--protocol " + options.protocol() + ": " + message);
        }
    }
}
