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

import io.aeron.CommonContext;
import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.plainaeron.PlainAeron;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * {@code ./millrace sample plain-aeron}.
 */
@Command(
    name = "plain-aeron",
    sortOptions = false,
    description = {
        "A program that knows Aeron's client and nothing else.",
        "Against any driver that runs: Millrace's, Aeron's own in Java or C.",
        "" },
    footer = {
        "",
        "  ./millrace driver -Daeron.dir=/dev/shm/aeron-1 &",
        "  ./millrace sample plain-aeron --dir /dev/shm/aeron-1",
        "",
        "Exit status: 0 all numbers arrived in order, 1 they did not,",
        "2 wrong option or value." })
public final class SamplePlainAeron implements Callable<Integer>
{
    /**
     * What to do.
     */
    enum Side
    {
        PUBLISH, SUBSCRIBE, BOTH
    }

    @Parameters(paramLabel = "SIDE", arity = "0..1", defaultValue = "BOTH",
        description = "publish, subscribe, or both in one process. Default: both.")
    private Side side;

    @Option(names = "--dir", paramLabel = "DIR",
        description = "Directory of the driver. Default: Aeron's, aeron.dir or /dev/shm/aeron-USER.")
    private String directory;

    @Option(names = "--channel", paramLabel = "CHANNEL", defaultValue = "aeron:udp?endpoint=127.0.0.1:20121",
        description = "Default: aeron:udp?endpoint=127.0.0.1:20121.")
    private String channel;

    @Option(names = "--messages", paramLabel = "N", defaultValue = "100000", description = "Default: 100000.")
    private long messages;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        if (messages < 1)
        {
            throw CommandFailure.usage("--messages is " + messages + ": it must be 1 or more");
        }
        final String dir = null != directory ? directory : CommonContext.getAeronDirectoryName();
        final CompletableFuture<Void> publisher = Side.SUBSCRIBE == side ? null :
            CompletableFuture.runAsync(() -> PlainAeron.publish(dir, channel, messages));
        if (Side.PUBLISH != side)
        {
            final double seconds = PlainAeron.subscribe(dir, channel, messages);
            result("received", messages / seconds);
        }
        if (null != publisher)
        {
            try
            {
                publisher.join();
            }
            catch (final CompletionException ex)
            {
                throw CommandFailure.failed(ex.getCause().getMessage(), ex);
            }
            if (Side.PUBLISH == side)
            {
                result("published", 0);
            }
        }
        return 0;
    }

    private void result(final String what, final double perSecond)
    {
        if (json)
        {
            Json.print(Map.of(what, messages, "perSecond", perSecond));
        }
        else
        {
            Output.print(what + " " + messages +
                (perSecond > 0 ? String.format(Locale.ROOT, ", %,.0f a second", perSecond) : "") + "\n");
        }
    }
}
