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
package io.millrace.tests;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.DatagramSocket;
import java.net.ServerSocket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

/**
 * Runs {@code ./millrace} as a user does, in a process of its own.
 */
final class Tool implements AutoCloseable
{
    static final Path ROOT = root();
    static final long DEADLINE_MS = 180_000;

    private static final ObjectMapper MAPPER =
        new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final long POLL_INTERVAL_MS = 10;
    // Of all processes of a command: most live for seconds, which C2 spends on compiling. JVMs tell of it.
    private static final String JVM_OPTIONS = "-XX:TieredStopAtLevel=1";
    private static final String JVM_NOTE = "NOTE: Picked up JDK_JAVA_OPTIONS: " + JVM_OPTIONS + "\n";
    private static final int FIRST_PORT = 10_000;
    private static final int PORT_ATTEMPTS = 100;

    private final Process process;
    private final Path out;
    private final Path err;

    private Tool(final Process process, final Path out, final Path err)
    {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /**
     * Start a command.
     *
     * @param directory   for what it prints.
     * @param environment additional variables.
     * @param arguments   of {@code ./millrace}.
     * @return the running command.
     */
    static Tool start(final Path directory, final Map<String, String> environment, final String... arguments)
        throws IOException
    {
        final List<String> command = new ArrayList<>(List.of(ROOT.resolve("millrace").toString()));
        command.addAll(List.of(arguments));
        return startProcess(directory, environment, command);
    }

    /**
     * Start a line of a shell in a directory.
     *
     * @param directory   in which it runs, and for what it prints.
     * @param environment additional variables.
     * @param line        for {@code bash}.
     * @return the running program.
     */
    static Tool startShell(final Path directory, final Map<String, String> environment, final String line)
        throws IOException
    {
        // The last command takes the place of the shell, so that signals reach it.
        return startProcess(directory, environment,
            List.of("bash", "-c", "cd '" + directory + "' && exec " + line));
    }

    /**
     * Start any program.
     *
     * @param directory   for what it prints.
     * @param environment additional variables.
     * @param command     with its arguments.
     * @return the running program.
     */
    static Tool startProcess(
        final Path directory, final Map<String, String> environment, final List<String> command) throws IOException
    {
        final Path out = Files.createTempFile(directory, "out", ".txt");
        final Path err = Files.createTempFile(directory, "err", ".txt");
        final ProcessBuilder builder = new ProcessBuilder(command)
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        // The build that runs this test has built the tool already, and must not be built into meanwhile.
        builder.environment().put("MILLRACE_NO_BUILD", "1");
        builder.environment().put("MILLRACE_NO_INSTALL", "1");
        builder.environment().put("JDK_JAVA_OPTIONS", JVM_OPTIONS);
        builder.environment().remove("MILLRACE_PROTOCOL");
        builder.environment().putAll(environment);
        return new Tool(builder.start(), out, err);
    }

    /**
     * Run a command to its end.
     *
     * @param directory for what it prints.
     * @param arguments of {@code ./millrace}.
     * @return the ended command.
     */
    static Tool run(final Path directory, final String... arguments) throws IOException
    {
        final Tool tool = start(directory, Map.of(), arguments);
        tool.awaitStatus();
        return tool;
    }

    /**
     * Wait for the end.
     *
     * @return exit status.
     */
    int awaitStatus()
    {
        try
        {
            if (!process.waitFor(DEADLINE_MS, TimeUnit.MILLISECONDS))
            {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
                fail("did not end within " + DEADLINE_MS + " ms: " + this);
            }
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            fail("interrupted", ex);
        }
        return process.exitValue();
    }

    Process process()
    {
        return process;
    }

    String out() throws IOException
    {
        return Files.readString(out);
    }

    String err() throws IOException
    {
        return Files.readString(err).replace(JVM_NOTE, "");
    }

    /**
     * Standard output as the only JSON object in it.
     *
     * @return the object.
     */
    JsonNode json() throws IOException
    {
        final JsonNode node = MAPPER.readTree(out());
        assertThat(node.isObject()).as(this::toString).isTrue();
        return node;
    }

    boolean hasErr(final String text)
    {
        return readable(err).contains(text);
    }

    /**
     * Wait for the first line on standard output.
     *
     * @return the line.
     */
    String awaitLine()
    {
        awaitTrue("a line on standard output", () -> readable(out).contains("\n"));
        return readable(out).lines().findFirst().orElseThrow();
    }

    /**
     * Wait until something holds, as long as the program lives.
     *
     * @param what      is waited for.
     * @param condition to become true.
     */
    void awaitTrue(final String what, final BooleanSupplier condition)
    {
        final long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DEADLINE_MS);
        while (!condition.getAsBoolean())
        {
            if (!process.isAlive() && !condition.getAsBoolean())
            {
                fail("ended without " + what + ": " + this);
            }
            if (System.nanoTime() - deadlineNs > 0)
            {
                fail("no " + what + " within " + DEADLINE_MS + " ms: " + this);
            }
            pause();
        }
    }

    /**
     * Find a child of the demonstration.
     *
     * @param mainClass of the child.
     * @return the child.
     */
    ProcessHandle awaitChild(final String mainClass)
    {
        awaitTrue("child " + mainClass, () -> null != child(mainClass));
        return child(mainClass);
    }

    /**
     * Send a signal to the program itself.
     *
     * @param name such as INT.
     */
    void signal(final String name) throws IOException, InterruptedException
    {
        final Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        assertThat(kill.waitFor(DEADLINE_MS, TimeUnit.MILLISECONDS)).isTrue();
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    /**
     * {@inheritDoc}
     */
    public String toString()
    {
        return "\nstandard output: " + readable(out) + "\nstandard error: " + readable(err);
    }

    /**
     * Files that libfabric's shm provider has for a process.
     *
     * @param pid of the process.
     * @return paths.
     */
    static List<Path> providerFiles(final long pid) throws IOException
    {
        final List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(Path.of("/dev/shm"), pid + ":*"))
        {
            stream.forEach(files::add);
        }
        return files;
    }

    /**
     * A free port that the system gives nobody who does not ask for it, so that none is given it before it is used.
     */
    static int freePort()
    {
        try
        {
            final int first = Integer.parseInt(
                Files.readString(Path.of("/proc/sys/net/ipv4/ip_local_port_range")).trim().split("\\s+")[0]);
            for (int i = 0; i < PORT_ATTEMPTS; i++)
            {
                final int port = ThreadLocalRandom.current().nextInt(FIRST_PORT, Math.max(first, 2 * FIRST_PORT));
                try (ServerSocket tcp = new ServerSocket(port); DatagramSocket udp = new DatagramSocket(port))
                {
                    return port;
                }
                catch (final BindException ignore)
                {
                    // Another has it: the next one may be free.
                }
            }
            return fail("no free port in " + PORT_ATTEMPTS + " attempts");
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    static void pause()
    {
        try
        {
            TimeUnit.MILLISECONDS.sleep(POLL_INTERVAL_MS);
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            fail("interrupted", ex);
        }
    }

    private ProcessHandle child(final String mainClass)
    {
        return process.descendants()
            .filter((handle) -> handle.info().commandLine().orElse("").contains(mainClass) ||
                String.join(" ", handle.info().arguments().orElse(new String[0])).contains(mainClass))
            .findFirst()
            .orElse(null);
    }

    private static String readable(final Path file)
    {
        try
        {
            return Files.readString(file);
        }
        catch (final IOException ex)
        {
            return ex.toString();
        }
    }

    private static Path root()
    {
        Path path = Path.of("").toAbsolutePath();
        while (!Files.isExecutable(path.resolve("millrace")))
        {
            path = path.getParent();
        }
        return path;
    }
}
