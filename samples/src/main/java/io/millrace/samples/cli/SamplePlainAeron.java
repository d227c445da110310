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
import io.aeron.exceptions.AeronException;
import io.aeron.exceptions.RegistrationException;
import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.plainaeron.PlainAeron;
import io.millrace.samples.stat.DriverWatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

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
        "Exit status: 0 subscribe and both: all numbers arrived in order;",
        "publish: all were taken by the driver, and the subscriber has left.",
        "1 not so, or nothing moved for 30 s, 2 wrong option or value,",
        "130 and 143 ended by SIGINT and SIGTERM." })
public final class SamplePlainAeron implements Callable<Integer>
{
    private static final String PORT_IN_USE = "Address already in use";
    private static final long DRIVER_DEADLINE_NS = TimeUnit.SECONDS.toNanos(10);
    private static final long POLL_INTERVAL_MS = 100;

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

    @Option(names = "--rate", paramLabel = "N",
        description = "Messages to publish a second, from 1. Default: as many as it takes.")
    private Long rate;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call() throws InterruptedException
    {
        if (messages < 1)
        {
            throw CommandFailure.usage("--messages is " + messages + ": it must be 1 or more");
        }
        if (null != rate && rate < 1)
        {
            throw CommandFailure.usage("--rate is " + rate + ": it must be 1 or more; leave it out to publish freely");
        }
        ChannelCheck.require("--channel", channel);
        final String dir = null != directory ? directory : CommonContext.getAeronDirectoryName();
        awaitDriver(Path.of(dir));
        try
        {
            return run(dir);
        }
        catch (final CompletionException ex)
        {
            throw failure(ex.getCause());
        }
    }

    // One that was started just before, in the same shell perhaps, takes a second or two.
    private static void awaitDriver(final Path dir) throws InterruptedException
    {
        final long deadlineNs = System.nanoTime() + DRIVER_DEADLINE_NS;
        for (boolean isFirst = true; ; isFirst = false)
        {
            try
            {
                DriverWatch.open(dir).close();
                return;
            }
            catch (final CommandFailure ex)
            {
                if (System.nanoTime() - deadlineNs >= 0)
                {
                    throw ex;
                }
                if (isFirst)
                {
                    Messages.say("waits for a driver in " + dir);
                }
            }
            Thread.sleep(POLL_INTERVAL_MS);
        }
    }

    private int run(final String dir)
    {
        final CompletableFuture<Long> publisher = Side.SUBSCRIBE == side ? null : CompletableFuture.supplyAsync(
            () -> PlainAeron.publish(dir, channel, messages, null == rate ? 0 : rate), SamplePlainAeron::start);
        if (Side.PUBLISH != side)
        {
            final CompletableFuture<Double> subscriber = CompletableFuture.supplyAsync(
                () -> PlainAeron.subscribe(dir, channel, messages), SamplePlainAeron::start);
            if (null != publisher)
            {
                publisher.exceptionally((ex) ->
                {
                    subscriber.completeExceptionally(ex);
                    return 0L;
                });
            }
            final double seconds = subscriber.join();
            if (seconds < 0)
            {
                return CommandFailure.FAILED;
            }
            result("received", messages / seconds);
        }
        if (null != publisher)
        {
            if (publisher.join() < messages)
            {
                return CommandFailure.FAILED;
            }
            if (Side.PUBLISH == side)
            {
                result("published", 0);
            }
        }
        return 0;
    }

    // On two cores the common pool has one thread: one side would wait for the other to end.
    private static void start(final Runnable task)
    {
        Thread.ofPlatform().daemon().start(task);
    }

    private CommandFailure failure(final Throwable ex)
    {
        final String message = ex instanceof final AeronException aeron ?
            CommandFailure.withoutCategory(aeron) : ex.getMessage();
        return CommandFailure.failed(!(ex instanceof RegistrationException) ? message :
            message.contains(PORT_IN_USE) ? "--channel " + channel + " is in use here: a port takes one " +
            "subscriber's driver; end the other, or name another port" :
            "--channel " + channel + ": the driver refused it: " + message + "; name another channel", ex);
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
