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
package io.millrace.tests.striping;

import io.aeron.driver.status.SubscriberPos;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.millrace.efa.EfaCounters;
import org.agrona.IoUtil;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * One stream between two drivers on namespaces of their own, over a number of shaped rails.
 */
final class StripingRun implements AutoCloseable
{
    private static final long DEADLINE_NS = TimeUnit.SECONDS.toNanos(60);

    private final RailNetwork network;
    private final Path directory;
    private final int rails;
    private final List<Node> nodes = new CopyOnWriteArrayList<>();
    private final Thread hook = new Thread(this::end);
    private final Node subscriber;
    private final Node publisher;

    /**
     * Start both ends and wait until the stream flows on all rails.
     *
     * @param rails      of each driver.
     * @param megabits   of each rail.
     * @param properties of both drivers besides those of the network.
     */
    StripingRun(final int rails, final int megabits, final Map<String, String> properties) throws IOException
    {
        this.rails = rails;
        network = RailNetwork.create(rails, megabits);
        directory = Files.createTempDirectory(
            Files.isWritable(Path.of("/dev/shm")) ? Path.of("/dev/shm") : Path.of("/tmp"), "millrace-striping-");
        Runtime.getRuntime().addShutdownHook(hook);
        try
        {
            subscriber = new Node(RailNetwork.RECEIVER, "sub", properties);
            nodes.add(subscriber);
            subscriber.awaitLine("ready");
            publisher = new Node(RailNetwork.SENDER, "pub", properties);
            nodes.add(publisher);
            await("data on each rail", () -> publisher.isStarted() && allRailsCarry());
        }
        catch (final IOException | RuntimeException | Error ex)
        {
            end();
            Runtime.getRuntime().removeShutdownHook(hook);
            throw ex;
        }
    }

    private boolean allRailsCarry()
    {
        for (int rail = 0; rail < rails; rail++)
        {
            if (0 == railBytes(rail))
            {
                return false;
            }
        }
        return true;
    }

    /**
     * Let the stream flow for a while.
     *
     * @param seconds to measure.
     * @return megabits of the stream that the subscriber consumed in a second, headers of frames included.
     */
    double megabits(final double seconds)
    {
        final long startPosition = position();
        final long startNs = System.nanoTime();
        LockSupport.parkNanos((long)(seconds * 1e9));
        final long endPosition = position();
        return (endPosition - startPosition) * 8e3 / (System.nanoTime() - startNs);
    }

    /**
     * Position up to which the subscriber has consumed the stream.
     */
    long position()
    {
        return subscriber.counters().sum(SubscriberPos.SUBSCRIBER_POSITION_TYPE_ID, "");
    }

    /**
     * Bytes that arrived on a rail of the Receiver, {@code rcv-0} or, shared with the Sender, {@code snd-rcv-0}.
     */
    long railBytes(final int rail)
    {
        return subscriber.counters().sum(EfaCounters.RAIL_BYTES_RECEIVED_TYPE_ID, "rcv-" + rail + " ");
    }

    /**
     * What happened so far, of both drivers.
     *
     * @return counters by name.
     */
    Map<String, Long> events()
    {
        final Map<String, Long> events = new TreeMap<>();
        events.put("naksSent", subscriber.counters().value(SystemCounterDescriptor.NAK_MESSAGES_SENT.id()));
        events.put("retransmits", publisher.counters().value(SystemCounterDescriptor.RETRANSMITS_SENT.id()));
        events.put("fallbacks", both(EfaCounters.FALLBACKS_TYPE_ID));
        events.put("udpDataFrames", both(EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID));
        events.put("pushBacks", both(EfaCounters.RAIL_EAGAIN_TYPE_ID));
        events.put("railsFailed", both(EfaCounters.RAILS_FAILED_TYPE_ID));
        events.put("railsReopened", both(EfaCounters.RAILS_REOPENED_TYPE_ID));
        events.put("pathsLost", both(EfaCounters.PATHS_LOST_TYPE_ID));
        events.put("pathsAdded", both(EfaCounters.PATHS_ADDED_TYPE_ID));
        events.put("slow", both(EfaCounters.RAIL_SLOW_TYPE_ID));
        return events;
    }

    private long both(final int typeId)
    {
        return publisher.counters().sum(typeId, "") + subscriber.counters().sum(typeId, "");
    }

    /**
     * Take a link down, and wait until a rail on it has failed and the stream goes on.
     *
     * @param rail on the link.
     */
    void cutUntilRailFails(final int rail) throws IOException
    {
        final long failed = both(EfaCounters.RAILS_FAILED_TYPE_ID);
        network.link(rail, false);
        await("failure of the rail", () -> both(EfaCounters.RAILS_FAILED_TYPE_ID) > failed);
        final long position = position();
        await("progress over other links", () -> position() > position);
    }

    /**
     * Take a link up, and wait until its rail carries the stream again.
     *
     * @param rail on the link.
     */
    void mendUntilRailCarries(final int rail) throws IOException
    {
        final long bytes = railBytes(rail);
        network.link(rail, true);
        await("data on the rail that was cut", () -> railBytes(rail) > bytes);
    }

    /**
     * End the stream and wait until the subscriber has all of it.
     *
     * @return true when every byte that was sent arrived as it was.
     */
    boolean finish() throws IOException
    {
        publisher.tell("end");
        final String sent = publisher.awaitLine("sent ").substring("sent ".length());
        return ("received " + sent + " errors 0").equals(subscriber.awaitLine("received "));
    }

    /**
     * Wait until something holds.
     *
     * @param what      is waited for.
     * @param condition to become true.
     */
    void await(final String what, final BooleanSupplier condition)
    {
        awaitTrue(what, condition);
    }

    private void awaitTrue(final String what, final BooleanSupplier condition)
    {
        final long deadlineNs = System.nanoTime() + DEADLINE_NS;
        while (!condition.getAsBoolean())
        {
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw new IllegalStateException("no " + what + " within " +
                    TimeUnit.NANOSECONDS.toSeconds(DEADLINE_NS) + " s: " + this);
            }
            try
            {
                TimeUnit.MILLISECONDS.sleep(5);
            }
            catch (final InterruptedException ex)
            {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while waiting for " + what, ex);
            }
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void close()
    {
        end();
        Runtime.getRuntime().removeShutdownHook(hook);
    }

    /** Also when interrupted. */
    private void end()
    {
        nodes.forEach(Node::close);
        nodes.clear();
        network.close();
        IoUtil.delete(directory.toFile(), true);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public String toString()
    {
        final StringBuilder builder = new StringBuilder();
        for (final Node node : nodes)
        {
            builder.append('\n').append(node.output());
            if (null != node.counters)
            {
                builder.append(String.join("\n", node.counters.errors()));
            }
        }
        return builder.toString();
    }

    private final class Node implements AutoCloseable
    {
        private final Path aeronDirectory;
        private final Path log;
        private final Process process;
        private DriverCounters counters;

        Node(final int side, final String role, final Map<String, String> properties) throws IOException
        {
            aeronDirectory = directory.resolve(role);
            log = directory.resolve(role + ".log");
            final List<String> command = new ArrayList<>(network.inside(side));
            command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED",
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-Daeron.dir=" + aeronDirectory,
                "-Dmillrace.efa.protocol=tcp",
                "-Dmillrace.efa.nics=" + network.nics(),
                "-Dmillrace.efa.rails=" + rails));
            properties.forEach((name, value) -> command.add("-D" + name + "=" + value));
            command.addAll(List.of(
                "-cp", System.getProperty("java.class.path"),
                StripingNode.class.getName(), role, "aeron:udp?endpoint=" + network.endpoint()));
            process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        }

        boolean isStarted()
        {
            if (null == counters)
            {
                counters = DriverCounters.open(aeronDirectory);
            }
            return null != counters;
        }

        DriverCounters counters()
        {
            awaitTrue("counters of a driver", this::isStarted);
            return counters;
        }

        void tell(final String command) throws IOException
        {
            process.getOutputStream().write((command + "\n").getBytes(StandardCharsets.US_ASCII));
            process.getOutputStream().flush();
        }

        String awaitLine(final String prefix)
        {
            final String[] found = new String[1];
            awaitTrue(
                "line '" + prefix + "'",
                () ->
                {
                    found[0] = output().lines().filter((line) -> line.startsWith(prefix)).findFirst().orElse(null);
                    if (null == found[0] && !process.isAlive())
                    {
                        throw new IllegalStateException("ended without '" + prefix + "': " + output());
                    }
                    return null != found[0];
                });
            return found[0];
        }

        String output()
        {
            try
            {
                return Files.readString(log);
            }
            catch (final IOException ex)
            {
                return ex.toString();
            }
        }

        @Override
        public void close()
        {
            if (null != counters)
            {
                counters.close();
            }
            try
            {
                process.getOutputStream().close();
                if (!process.waitFor(10, TimeUnit.SECONDS))
                {
                    process.descendants().forEach(ProcessHandle::destroyForcibly);
                    process.destroyForcibly().waitFor();
                }
            }
            catch (final IOException ignore)
            {
                process.destroyForcibly();
            }
            catch (final InterruptedException ex)
            {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
