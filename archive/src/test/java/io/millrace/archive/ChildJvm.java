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
package io.millrace.archive;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A process of the tests that is spoken with by lines, and that can be killed. It ends with the one that started it.
 */
final class ChildJvm implements AutoCloseable
{
    static final String EXITED = "exited ";

    private final Process process;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final BufferedWriter input;

    /**
     * Start.
     *
     * @param prefix of the command, such as one that sets limits, or none.
     */
    ChildJvm(final List<String> prefix, final File errors, final Class<?> main, final String... args)
    {
        final List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED",
            "--add-opens", "java.base/java.util.zip=ALL-UNNAMED",
            "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m",
            "-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(args));
        try
        {
            process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(errors)).start();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
        input = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.US_ASCII));
        final Thread reader = new Thread(this::read, "child-lines");
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * The next line, or one that begins with {@link #EXITED} when there are no more.
     *
     * @return null when none came in time.
     */
    String next(final long timeoutNs)
    {
        try
        {
            return lines.poll(timeoutNs, TimeUnit.NANOSECONDS);
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    void say(final String line)
    {
        try
        {
            input.write(line);
            input.newLine();
            input.flush();
        }
        catch (final IOException ignore)
        {
            // It ended: its last line tells.
        }
    }

    /**
     * What its threads do, where it does not say.
     */
    String stacks()
    {
        try
        {
            final Process jstack = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "jstack").toString(), Long.toString(process.pid()))
                .redirectErrorStream(true).start();
            return new String(jstack.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        }
        catch (final IOException ex)
        {
            return ex.toString();
        }
    }

    long pid()
    {
        return process.pid();
    }

    void kill()
    {
        process.destroyForcibly().onExit().join();
    }

    public void close()
    {
        kill();
    }

    /**
     * In the child: end with the parent.
     *
     * @return lines that the parent says.
     */
    static BlockingQueue<String> heard()
    {
        final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
        final Thread listener = new Thread(() ->
        {
            final BufferedReader reader =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
            reader.lines().forEach(heard::add);
            Runtime.getRuntime().halt(0);
        }, "parent-lines");
        listener.setDaemon(true);
        listener.start();
        return heard;
    }

    private void read()
    {
        try (BufferedReader reader =
            new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII)))
        {
            reader.lines().forEach(lines::add);
        }
        catch (final IOException | UncheckedIOException ignore)
        {
            // Told by the last line.
        }
        lines.add(EXITED + process.onExit().join().exitValue());
    }
}
