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

import io.millrace.samples.demo.WorkDirectory;
import io.millrace.samples.embedded.KvHttp;
import io.millrace.samples.embedded.KvService;
import io.millrace.samples.failure.CommandFailure;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import sun.misc.Signal;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * {@code ./millrace sample embedded-service}.
 */
@Command(
    name = "embedded-service",
    sortOptions = false,
    description = {
        "An HTTP service that embeds driver, bridge and archive.",
        "Runs until SIGTERM or SIGINT, then drains: no new requests, those in flight",
        "are completed, the recording is closed.",
        "" },
    footer = {
        "",
        "  POST /prefill?tokens=N   sends the KV blocks of a prompt, answers when they",
        "                           have landed",
        "  GET /health              200 up, 503 starting or draining",
        "  GET /metrics             all counters, for Prometheus",
        "",
        "Exit status: 0 ended by a signal and drained, 1 failed or not drained,",
        "2 wrong option or value." })
public final class SampleEmbeddedService implements Callable<Integer>
{
    private static final int MAX_PORT = 65535;

    @Option(names = "--port", paramLabel = "PORT", defaultValue = "8080", description = "For HTTP, 0 for any. " +
        "Default: 8080.")
    private int port;

    @Option(names = "--channel", paramLabel = "CHANNEL", defaultValue = "aeron:ipc",
        description = "Of the KV streams. Default: aeron:ipc.")
    private String channel;

    @Option(names = "--dir", paramLabel = "DIR",
        description = "For the driver's files and the recording, removed at the end. Default: /dev/shm.")
    private Path directory;

    @Option(names = "--drain", paramLabel = "SECONDS", defaultValue = "30",
        description = "Longest time for requests in flight. Default: 30.")
    private int drainSeconds;

    @Option(names = "--compute", paramLabel = "MS", defaultValue = "0",
        description = "Time that a model would take for a prompt. Default: 0.")
    private int computeMs;

    @Option(names = "--json", description = "Print the line as a JSON object.")
    private boolean json;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call() throws InterruptedException
    {
        if (port < 0 || port > MAX_PORT)
        {
            throw CommandFailure.usage("--port is " + port + ": it must be from 0 to 65535; 0 takes any that is free");
        }
        if (drainSeconds < 0 || computeMs < 0)
        {
            throw CommandFailure.usage((drainSeconds < 0 ? "--drain is " + drainSeconds : "--compute is " + computeMs) +
                ": it must be 0 or more");
        }
        ChannelCheck.require("--channel", channel);
        final CountDownLatch ended = new CountDownLatch(1);
        for (final String name : new String[]{ "TERM", "INT" })
        {
            Signal.handle(new Signal(name), (signal) -> ended.countDown());
        }
        try (WorkDirectory work = WorkDirectory.create(WorkDirectory.Owner.EMBEDDED_SERVICE, directory);
            KvService service = new KvService(
                work.path().resolve("driver"), work.path().resolve("archive"), channel, computeMs);
            KvHttp http = new KvHttp(service, work.path().resolve("driver"), new InetSocketAddress(port)))
        {
            if (json)
            {
                Json.print(Map.of("port", http.port()));
            }
            else
            {
                Output.print("ready: http://localhost:" + http.port() + "\n");
            }
            // No deadline: a service runs until it is told to end.
            ended.await();
            final boolean isDrained = service.drain(TimeUnit.SECONDS.toNanos(drainSeconds));
            Messages.say(isDrained ? "drained" :
                service.inFlight() + " requests were not done within " + drainSeconds + " s");
            if (!isDrained)
            {
                service.cancel();
            }
            return isDrained ? 0 : CommandFailure.FAILED;
        }
        catch (final IOException ex)
        {
            throw CommandFailure.failed("port " + port + " cannot be listened on: " + ex.getMessage() +
                "; name another with --port, or 0 for any", ex);
        }
    }
}
