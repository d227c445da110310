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
package io.millrace.tests.xpyd;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.efa.EfaMediaDriver;
import io.millrace.samples.demo.ChildProcess;
import io.millrace.samples.demo.ProviderFiles;
import org.agrona.IoUtil;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Two machines in processes: one with prefill instances and a driver, one with decode instances and a driver. What is
 * killed is started again.
 */
final class Cluster implements AutoCloseable
{
    static final int SIDE = 2;

    private static final List<String> OPTIONS = List.of(
        "-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
        // A lost driver is to be noticed soon, on a machine that is slow.
        "-Daeron.driver.timeout=3000", "-Daeron.client.liveness.timeout=3s");

    final List<NodeOrders> orders = new ArrayList<>();

    private final XpydOptions options;
    private final Path directory;
    private final BlockingQueue<ChildProcess.Event> events = new LinkedBlockingQueue<>();
    private final Map<String, ChildProcess> children = new LinkedHashMap<>();
    private final Map<String, ChildProcess> killed = new HashMap<>();
    private final List<Long> pids = new ArrayList<>();
    private final Thread hook = new Thread(this::end);

    Cluster(final XpydOptions options, final int capacityBlocks) throws IOException
    {
        this.options = options;
        directory = Files.createTempDirectory(
            Files.isWritable(Path.of("/dev/shm")) ? Path.of("/dev/shm") : Path.of("/tmp"), "millrace-xpyd-");
        Runtime.getRuntime().addShutdownHook(hook);
        final List<String> endpoints = freeEndpoints(4 * SIDE);
        for (int i = 0; i < 2 * SIDE; i++)
        {
            orders.add(new NodeOrders(i % SIDE, aeronDirectory(i / SIDE), options.model(), options.seed(),
                capacityBlocks, endpoints.subList(0, 2), endpoints.subList(2, 4), endpoints.subList(4, 6),
                endpoints.subList(6, 8), options.transferTimeoutMs(), options.resumeTimeoutMs()));
        }
        for (final String name : List.of("driver-0", "driver-1", "prefill-0", "prefill-1", "decode-0", "decode-1"))
        {
            start(name);
        }
    }

    /**
     * Next thing that a child said. The end of a child that was killed starts it again.
     *
     * @return null when none came within 20 ms.
     * @throws IllegalStateException when a child ended by itself, or says that it failed.
     */
    ChildProcess.Event poll() throws InterruptedException
    {
        final ChildProcess.Event event = events.poll(20, TimeUnit.MILLISECONDS);
        if (null != event)
        {
            final JsonNode message = event.message();
            final String name = event.child().name();
            final boolean wasKilled = killed.get(name) == event.child();
            if (null == message && wasKilled)
            {
                start(name);
            }
            else if (null == message || message.has("message"))
            {
                throw new IllegalStateException(name + " failed " + message + ": " + event.child().epitaph());
            }
        }
        return event;
    }

    /**
     * SIGKILL.
     */
    void kill(final String name)
    {
        final ChildProcess child = children.get(name);
        killed.put(name, child);
        pids.add(child.pid());
        ProcessHandle.of(child.pid()).ifPresent(ProcessHandle::destroyForcibly);
    }

    void tell(final String name, final String command)
    {
        children.get(name).send(command);
    }

    private void start(final String name)
    {
        final int index = name.charAt(name.length() - 1) - '0';
        final List<String> arguments = new ArrayList<>(OPTIONS);
        final Class<?> main;
        if (name.startsWith("driver"))
        {
            main = EfaMediaDriver.class;
            arguments.addAll(List.of(
                "-Daeron.dir=" + aeronDirectory(index),
                "-Daeron.dir.delete.on.start=true",
                "-Daeron.dir.delete.on.shutdown=true",
                "-Daeron.threading.mode=SHARED",
                "-Daeron.image.liveness.timeout=3s",
                "-Daeron.publication.linger.timeout=1s",
                "-Dmillrace.efa.protocol=" + options.protocol()));
        }
        else
        {
            main = name.startsWith("prefill") ? PrefillNode.class : DecodeNode.class;
        }
        children.put(name, ChildProcess.start(name, main, arguments, Path.of("").toAbsolutePath(),
            name.startsWith("driver") ? Map.of() : orders.get(name.startsWith("prefill") ? index : SIDE + index),
            events, options.verbose()));
    }

    private String aeronDirectory(final int machine)
    {
        return directory.resolve("machine-" + machine).toString();
    }

    private static List<String> freeEndpoints(final int count) throws IOException
    {
        final List<DatagramSocket> sockets = new ArrayList<>();
        final List<String> endpoints = new ArrayList<>();
        for (int i = 0; i < count; i++)
        {
            sockets.add(new DatagramSocket(0, InetAddress.getLoopbackAddress()));
            endpoints.add("127.0.0.1:" + sockets.get(i).getLocalPort());
        }
        sockets.forEach(DatagramSocket::close);
        return endpoints;
    }

    @Override
    public void close()
    {
        end();
        Runtime.getRuntime().removeShutdownHook(hook);
    }

    private synchronized void end()
    {
        final List<ChildProcess> all = new ArrayList<>(children.values()).reversed();
        all.stream().filter(child -> !child.name().startsWith("driver")).forEach(child -> child.send("exit"));
        all.forEach(child ->
        {
            if (!child.name().startsWith("driver"))
            {
                child.awaitExit();
            }
            child.kill();
        });
        pids.forEach(ProviderFiles::remove);
        IoUtil.delete(directory.toFile(), true);
    }
}
