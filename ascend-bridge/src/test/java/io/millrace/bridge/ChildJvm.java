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
package io.millrace.bridge;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.sun.jna.Native;
import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.millrace.codecs.FrameCheck;
import org.agrona.DirectBuffer;
import org.slf4j.LoggerFactory;

/**
 * A second JVM that is told by lines and tells by lines; it ends with its standard input.
 */
public final class ChildJvm implements AutoCloseable
{
    private static final long LIMIT_S = 60;

    private final Process process;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    /**
     * Start it.
     *
     * @param main      class to run.
     * @param arguments of it.
     */
    public ChildJvm(final Class<?> main, final String... arguments)
    {
        final String classPath = Stream.of(main, KvSender.class, FrameCheck.class, Aeron.class, MediaDriver.class,
            DirectBuffer.class, Native.class, LoggerFactory.class).map(ChildJvm::location)
            .collect(Collectors.joining(":"));
        final List<String> command = new ArrayList<>(List.of(
            System.getProperty("java.home") + "/bin/java", "-Xmx256m",
            "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED",
            "--add-opens", "java.base/java.util.zip=ALL-UNNAMED", "-cp", classPath, main.getName()));
        command.addAll(List.of(arguments));
        try
        {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        }
        catch (final IOException ex)
        {
            throw new AssertionError(ex);
        }
        final Thread reader = new Thread(this::read);
        reader.setDaemon(true);
        reader.start();
    }

    private static String location(final Class<?> type)
    {
        try
        {
            return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
        }
        catch (final java.net.URISyntaxException ex)
        {
            throw new AssertionError(ex);
        }
    }

    private void read()
    {
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8))
        {
            for (String line = reader.readLine(); null != line; line = reader.readLine())
            {
                lines.add(line);
            }
        }
        catch (final IOException ex)
        {
            lines.add(ex.toString());
        }
    }

    /**
     * Wait for a line.
     *
     * @param prefix of it; other lines are skipped.
     * @return what follows the prefix.
     */
    public String await(final String prefix)
    {
        final List<String> skipped = new ArrayList<>();
        try
        {
            while (true)
            {
                final String line = lines.poll(LIMIT_S, TimeUnit.SECONDS);
                if (null == line)
                {
                    throw new AssertionError("no line '" + prefix + "' from child, but " + skipped);
                }
                if (line.startsWith(prefix))
                {
                    return line.substring(prefix.length());
                }
                skipped.add(line);
            }
        }
        catch (final InterruptedException ex)
        {
            throw new AssertionError(ex);
        }
    }

    /**
     * Process id.
     *
     * @return of the child.
     */
    public long pid()
    {
        return process.pid();
    }

    /**
     * Stop or continue it.
     *
     * @param name of the signal, such as STOP.
     */
    public void signal(final String name)
    {
        try
        {
            new ProcessBuilder("kill", "-" + name, Long.toString(pid())).start().waitFor();
        }
        catch (final IOException | InterruptedException ex)
        {
            throw new AssertionError(ex);
        }
    }

    /**
     * SIGKILL it and wait for its end.
     */
    public void close()
    {
        try
        {
            process.destroyForcibly().waitFor();
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
        }
    }
}
