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

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Two network namespaces joined by pairs of virtual interfaces: one pair for the channel's socket, which is neither
 * shaped nor cut, and one for each rail, shaped on both ends. Removed when closed, and when the JVM ends; what one that
 * was killed left is removed by the next.
 */
final class RailNetwork implements AutoCloseable
{
    static final int SENDER = 0;
    static final int RECEIVER = 1;

    private static final String PREFIX = "millrace-";
    private static final long DEADLINE_MS = 20_000;

    private final String name = PREFIX + ProcessHandle.current().pid() + "-" + Long.toHexString(System.nanoTime());
    private final int rails;
    private final Thread hook = new Thread(this::removeNamespaces);

    private RailNetwork(final int rails)
    {
        this.rails = rails;
    }

    /**
     * Why namespaces cannot be made here.
     *
     * @return a sentence, or null when they can.
     */
    static String obstacle()
    {
        try (RailNetwork network = new RailNetwork(1))
        {
            network.build(1000);
            return null;
        }
        catch (final IOException ex)
        {
            return "network namespaces with shaped links need root, ip and tc: " + ex.getMessage();
        }
    }

    /**
     * Make a network.
     *
     * @param rails    pairs of interfaces besides that of the socket.
     * @param megabits speed of each, Mbit/s.
     * @return the network.
     */
    static RailNetwork create(final int rails, final int megabits) throws IOException
    {
        sweep();
        final RailNetwork network = new RailNetwork(rails);
        try
        {
            network.build(megabits);
            return network;
        }
        catch (final IOException ex)
        {
            network.close();
            throw ex;
        }
    }

    private void build(final int megabits) throws IOException
    {
        Runtime.getRuntime().addShutdownHook(hook);
        for (int side = SENDER; side <= RECEIVER; side++)
        {
            run("ip", "netns", "add", namespace(side));
            run("ip", "-n", namespace(side), "link", "set", "lo", "up");
        }

        join("socket0", 0);
        for (int rail = 0; rail < rails; rail++)
        {
            join(device(rail), rail + 1);
            for (int side = SENDER; side <= RECEIVER; side++)
            {
                // A bucket of a few packets as the kernel hands them over, and a queue of 10 ms.
                run("tc", "-n", namespace(side), "qdisc", "add", "dev", device(rail), "root", "tbf",
                    "rate", megabits + "mbit", "burst", "256kb", "latency", "10ms");
            }
        }
        awaitCarriers();
    }

    /** The kernel tells of carriers late, and libfabric passes over interfaces without one. */
    private void awaitCarriers() throws IOException
    {
        final long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DEADLINE_MS);
        for (int side = SENDER; side <= RECEIVER; side++)
        {
            while (rails + 1 > run("ip", "-n", namespace(side), "-o", "link", "show", "up", "type", "veth").lines()
                .filter((line) -> line.contains("state UP")).count())
            {
                if (System.nanoTime() - deadlineNs > 0)
                {
                    throw new IOException("links of " + namespace(side) + " have no carrier");
                }
                Thread.onSpinWait();
            }
        }
    }

    private void join(final String device, final int subnet) throws IOException
    {
        run("ip", "link", "add", device, "netns", namespace(SENDER),
            "type", "veth", "peer", "name", device, "netns", namespace(RECEIVER));
        for (int side = SENDER; side <= RECEIVER; side++)
        {
            run("ip", "-n", namespace(side), "address", "add", address(side, subnet) + "/24", "dev", device);
            run("ip", "-n", namespace(side), "link", "set", device, "up");
        }
    }

    /**
     * The endpoint of the channel: address of the receiver's socket.
     *
     * @return address and port.
     */
    String endpoint()
    {
        return address(RECEIVER, 0) + ":20121";
    }

    /**
     * Names of the rails' interfaces.
     *
     * @return comma separated.
     */
    String nics()
    {
        return IntStream.range(0, rails).mapToObj(RailNetwork::device).collect(Collectors.joining(","));
    }

    /**
     * Take the link of a rail down or up.
     *
     * @param rail from 0.
     * @param isUp true for up.
     */
    void link(final int rail, final boolean isUp) throws IOException
    {
        run("ip", "-n", namespace(SENDER), "link", "set", device(rail), isUp ? "up" : "down");
    }

    /**
     * What runs a program in a namespace.
     *
     * @param side {@link #SENDER} or {@link #RECEIVER}.
     * @return first words of a command.
     */
    List<String> inside(final int side)
    {
        return List.of("ip", "netns", "exec", namespace(side));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void close()
    {
        removeNamespaces();
        try
        {
            Runtime.getRuntime().removeShutdownHook(hook);
        }
        catch (final IllegalStateException ignore)
        {
            // the JVM ends already, and the hook does the same
        }
    }

    private void removeNamespaces()
    {
        for (int side = SENDER; side <= RECEIVER; side++)
        {
            remove(namespace(side));
        }
    }

    private static void remove(final String namespace)
    {
        try
        {
            run("ip", "netns", "delete", namespace);
        }
        catch (final IOException ignore)
        {
            // it is not there
        }
    }

    private static void sweep() throws IOException
    {
        for (final String line : run("ip", "netns", "list").lines().toList())
        {
            final String namespace = line.split(" ")[0];
            if (namespace.startsWith(PREFIX))
            {
                final long pid = Long.parseLong(namespace.split("-")[1]);
                if (ProcessHandle.of(pid).isEmpty())
                {
                    remove(namespace);
                }
            }
        }
    }

    private String namespace(final int side)
    {
        return name + (SENDER == side ? "-s" : "-r");
    }

    private static String device(final int rail)
    {
        return "rail" + rail;
    }

    private static String address(final int side, final int subnet)
    {
        return "10.77." + subnet + "." + (side + 1);
    }

    private static String run(final String... command) throws IOException
    {
        final Process process = new ProcessBuilder(new ArrayList<>(List.of(command)))
            .redirectErrorStream(true)
            .start();
        final String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try
        {
            if (!process.waitFor(DEADLINE_MS, TimeUnit.MILLISECONDS) || 0 != process.exitValue())
            {
                throw new IOException(String.join(" ", command) + ": " + output.strip());
            }
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            throw new IOException(ex);
        }
        return output;
    }
}
