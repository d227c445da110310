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
package io.millrace.efa;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.driver.MediaDriver;
import io.millrace.efa.libfabric.LibFabric;
import org.agrona.IoUtil;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static io.millrace.efa.TwoDrivers.await;

/**
 * A media driver in a process of its own, by its {@code main}, that can be stopped, continued and killed.
 */
final class DriverProcess implements AutoCloseable
{
    static final String STOCK = "stock";

    private final String aeronDirectory = CommonContext.generateRandomDirName();
    private final Process process;

    /**
     * Start a driver and wait until clients can connect.
     *
     * @param protocol   of the rails, or {@link #STOCK} for Aeron's own driver.
     * @param properties in addition, each as {@code name=value}.
     */
    DriverProcess(final String protocol, final String... properties)
    {
        final List<String> command = new ArrayList<>(List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED",
            "--enable-native-access=ALL-UNNAMED",
            "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Djava.util.logging.config.file=/dev/null",
            "-Daeron.dir=" + aeronDirectory,
            "-Daeron.threading.mode=SHARED",
            "-Daeron.sharedidle.strategy=org.agrona.concurrent.BackoffIdleStrategy",
            "-Daeron.term.buffer.length=1m"));
        for (final String property : properties)
        {
            command.add("-D" + property);
        }
        if (!STOCK.equals(protocol))
        {
            command.add("-D" + EfaConfiguration.PROTOCOL_PROP_NAME + "=" + protocol);
            command.add("-D" + LibFabric.PATH_PROP_NAME + "=" + LibFabric.load().path());
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"),
            (STOCK.equals(protocol) ? MediaDriver.class : EfaMediaDriver.class).getName()));

        process = start(command);
    }

    Process process()
    {
        return process;
    }

    File directory()
    {
        return new File(aeronDirectory);
    }

    Aeron connect()
    {
        await("driver", () -> new File(aeronDirectory, "cnc.dat").exists());
        return Aeron.connect(new Aeron.Context()
            .aeronDirectoryName(aeronDirectory).errorHandler((ignore) -> {}));
    }

    /**
     * Start a client of this driver.
     *
     * @param mainClass that takes the driver's directory, then the arguments.
     */
    Process client(final Class<?> mainClass, final String... arguments)
    {
        final List<String> command = new ArrayList<>(List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED",
            "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-cp", System.getProperty("java.class.path"), mainClass.getName(), aeronDirectory));
        command.addAll(List.of(arguments));
        return start(command);
    }

    private static Process start(final List<String> command)
    {
        try
        {
            return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    /**
     * Send a signal, such as STOP.
     */
    void signal(final String name)
    {
        signal(process, name);
    }

    static void signal(final Process process, final String name)
    {
        try
        {
            final int status = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start().waitFor();
            if (0 != status)
            {
                throw new IllegalStateException("kill -" + name + " " + process.pid() + " ended with " + status);
            }
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
        catch (final InterruptedException ex)
        {
            throw new IllegalStateException(ex);
        }
    }

    @Override
    public void close()
    {
        process.destroyForcibly().onExit().join();
        IoUtil.delete(new File(aeronDirectory), true);
    }
}
