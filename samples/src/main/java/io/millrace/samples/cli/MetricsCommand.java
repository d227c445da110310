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
import io.millrace.samples.metrics.DriverCollector;
import io.prometheus.metrics.exporter.httpserver.HTTPServer;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import sun.misc.Signal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

/**
 * {@code ./millrace metrics}.
 */
@Command(
    name = "metrics",
    sortOptions = false,
    description = {
        "Exports the counters of a driver to Prometheus, over HTTP at /metrics.",
        "Reads the driver's cnc.dat and nothing else, so that the driver does not",
        "notice. Any Aeron driver will do.",
        "" },
    footer = {
        "",
        "The driver may start later, end, and start again: aeron_driver_up is 0 while",
        "there is none. Prints one line when it is ready, and runs until SIGTERM or",
        "SIGINT.",
        "",
        "  ./millrace metrics --dir /dev/shm/aeron-millrace --port 9464",
        "  ./millrace metrics --once > /var/lib/node_exporter/millrace.prom",
        "",
        "Exit status: 0 ended by a signal, or printed once; 1 the port is taken;",
        "2 wrong option or value." })
public final class MetricsCommand implements Callable<Integer>
{
    private static final int MAX_PORT = 65535;

    @Option(names = "--dir", paramLabel = "DIR",
        description = "Directory of the driver. Default: Aeron's, aeron.dir or /dev/shm/aeron-USER.")
    private Path directory;

    @Option(names = "--port", paramLabel = "PORT", defaultValue = "9464",
        description = "To listen on, 0 for any. Default: 9464.")
    private int port;

    @Option(names = "--host", paramLabel = "ADDRESS", defaultValue = "0.0.0.0",
        description = "To listen on. Default: all.")
    private String host;

    @Option(names = "--once", description = "Print the metrics once, and end.")
    private boolean once;

    @Option(names = "--json", description = "Print one JSON object when ready: address and directory.")
    private boolean json;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call() throws InterruptedException, IOException
    {
        if (port < 0 || port > MAX_PORT)
        {
            throw CommandFailure.usage("--port is " + port + ": it must be from 0 to 65535; 0 takes any that is free");
        }
        if (once && json)
        {
            throw CommandFailure.usage("--once prints in Prometheus' format: it does not go with --json; `./millrace " +
                "stat --json` prints one sample as JSON");
        }
        final Path path = null != directory ? directory : Path.of(CommonContext.getAeronDirectoryName());
        final DriverCollector collector = new DriverCollector(path);
        if (once)
        {
            final ByteArrayOutputStream out = new ByteArrayOutputStream();
            PrometheusTextFormatWriter.create().write(out, collector.collect());
            Output.print(out.toString(StandardCharsets.UTF_8));
            return 0;
        }
        serve(path, collector);
        return 0;
    }

    private void serve(final Path path, final DriverCollector collector) throws InterruptedException
    {
        final CountDownLatch ended = new CountDownLatch(1);
        for (final String name : new String[]{ "TERM", "INT" })
        {
            Signal.handle(new Signal(name), (signal) -> ended.countDown());
        }
        final PrometheusRegistry registry = new PrometheusRegistry();
        registry.register(collector);
        try (HTTPServer server = HTTPServer.builder().hostname(host).port(port).registry(registry).buildAndStart())
        {
            if (json)
            {
                Json.print(Map.of("host", host, "port", server.getPort(), "directory", path.toString()));
            }
            else
            {
                Output.print("ready: http://" + host + ":" + server.getPort() + "/metrics of " + path + "\n");
            }
            // No deadline: an exporter runs until it is told to end.
            ended.await();
        }
        catch (final IOException ex)
        {
            throw CommandFailure.failed(host + ":" + port + " cannot be listened on: " + ex.getMessage() +
                "; name another with --host and --port, or --port 0 for any", ex);
        }
    }
}
