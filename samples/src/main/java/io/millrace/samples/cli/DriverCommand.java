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

import io.aeron.driver.Configuration;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.exceptions.ActiveDriverException;
import io.aeron.exceptions.ConfigurationException;
import io.millrace.efa.EfaMediaDriver;
import io.millrace.efa.PropertyNames;
import io.millrace.efa.ProtocolChoice;
import io.millrace.samples.demo.ProviderFiles;
import io.millrace.samples.failure.CommandFailure;
import org.agrona.IoUtil;
import org.agrona.SystemUtil;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import sun.misc.Signal;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

/**
 * {@code ./millrace driver}.
 */
@Command(
    name = "driver",
    sortOptions = false,
    customSynopsis = {
        "./millrace driver [-h] [--verbose] [--print-config [--json]]",
        "                         [-Dname=value]... [file.properties...]" },
    description = "Runs a standalone media driver until SIGTERM or SIGINT.",
    footer = {
        "",
        "Takes Aeron's properties and Millrace's. As with Aeron's own driver a file",
        "overrides -D, and a later file an earlier one:",
        "context > file > -D > environment > default. Prints one line when ready.",
        "Removes its directory when it ends, unless told",
        "-Daeron.dir.delete.on.shutdown=false.",
        "",
        "  ./millrace driver -Daeron.dir=/dev/shm/aeron-1",
        "  ./millrace driver -Dmillrace.efa.protocol=tcp --print-config",
        "",
        "Exit status: 0 ended by a signal, 1 failed, 2 wrong option or value." })
public final class DriverCommand implements Callable<Integer>
{
    private static final String LOG_FORMAT = "java.util.logging.SimpleFormatter.format";

    // Hidden, since picocli would show it as -D=name=value.
    @Option(names = "-D", hidden = true, mapFallbackValue = "")
    private Map<String, String> properties;

    @Parameters(paramLabel = "file.properties", description = "Files of properties.")
    private String[] files = {};

    @Option(names = "--print-config",
        description = "Print every property of Millrace, and those of Aeron that are set, with value and origin; " +
            "and end.")
    private boolean printConfig;

    @Option(names = "--json", description = "Print them as one JSON object.")
    private boolean json;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call() throws InterruptedException
    {
        System.setProperty(LOG_FORMAT, System.getProperty(LOG_FORMAT, "%1$tF %1$tT %4$s %5$s%6$s%n"));
        if (null != properties)
        {
            properties.forEach(System::setProperty);
        }
        final Map<String, String> fromFiles = new HashMap<>();
        for (final String file : files)
        {
            if (!file.contains(":") && !Files.isReadable(Path.of(file)))
            {
                throw CommandFailure.usage("properties file " + file + " cannot be read: give a readable file or URL");
            }
            final Map<Object, Object> before = new HashMap<>(System.getProperties());
            SystemUtil.loadPropertiesFile(file);
            System.getProperties().forEach((name, value) ->
            {
                if (!value.equals(before.get(name)))
                {
                    fromFiles.put(name.toString(), file);
                }
            });
        }
        if (json && !printConfig)
        {
            throw CommandFailure.usage("--json is for --print-config: a driver prints one line; leave --json out");
        }
        if (printConfig)
        {
            return print(fromFiles);
        }

        final CountDownLatch ended = new CountDownLatch(1);
        for (final String name : new String[]{ "TERM", "INT" })
        {
            // A shutdown hook would end the process with the signal's status, and this is the orderly end.
            Signal.handle(new Signal(name), (signal) -> ended.countDown());
        }
        final MediaDriver.Context context = new MediaDriver.Context().terminationHook(ended::countDown);
        if (null == System.getProperty(Configuration.DIR_DELETE_ON_SHUTDOWN_PROP_NAME))
        {
            context.dirDeleteOnShutdown(true);
        }
        try (EfaMediaDriver driver = launch(context))
        {
            final ProtocolChoice choice = driver.protocol();
            Output.print("ready: aeron.dir=" + driver.aeronDirectoryName() +
                " protocol=" + choice.protocol() + " provider=" + choice.provider() + " rails=" + choice.rails() +
                " why=\"" + choice.reason() + "\"\n");
            // No deadline: a driver runs until it is told to end.
            ended.await();
        }
        catch (final ConfigurationException ex)
        {
            final String text = CommandFailure.withoutCategory(ex);
            // Aeron names its field and not the property that sets it.
            throw CommandFailure.usage(text.contains("millrace.") || text.startsWith("aeron.dir") ? text :
                text + "; correct or leave out the property that sets it, given were " + given());
        }
        catch (final ActiveDriverException ex)
        {
            throw CommandFailure.failed(CommandFailure.withoutCategory(ex) +
                ": a directory serves one driver, and one that was killed counts as running for 10 s; end it, wait, " +
                "or name another directory with -Daeron.dir", ex);
        }
        catch (final IllegalArgumentException ex)
        {
            throw CommandFailure.usage("the driver does not start: " + ex.getMessage() +
                "; correct the property that has this value, given were " + given());
        }
        return 0;
    }

    private int print(final Map<String, String> fromFiles)
    {
        try
        {
            final List<DriverSettings.Setting> settings = DriverSettings.read(fromFiles);
            PropertyNames.unknown(System.getProperties().stringPropertyNames(), System.getenv().keySet())
                .forEach(Messages::say);
            if (json)
            {
                Json.print(Map.of("properties", settings));
            }
            else
            {
                Output.print(DriverSettings.table(settings));
            }
            return 0;
        }
        catch (final ConfigurationException ex)
        {
            throw CommandFailure.usage(ex);
        }
    }

    private String given()
    {
        final List<String> all = new ArrayList<>();
        if (null != properties)
        {
            properties.forEach((name, value) -> all.add("-D" + name + "=" + value));
        }
        all.addAll(List.of(files));
        return all.isEmpty() ? "none: see the environment" : String.join(" ", all);
    }

    private static EfaMediaDriver launch(final MediaDriver.Context context)
    {
        try
        {
            return EfaMediaDriver.launch(context);
        }
        catch (final RuntimeException ex)
        {
            // Aeron makes its directory before it looks at the properties. One with files in it stays.
            new File(context.aeronDirectoryName()).delete();
            throw ex;
        }
        catch (final InternalError ex)
        {
            // How a mapped file that finds no space comes to Java. The directory is this driver's: another's would
            // have been found before its files are made.
            final Path directory = Path.of(context.aeronDirectoryName()).toAbsolutePath();
            final long freeBytes = directory.toFile().getUsableSpace();
            IoUtil.delete(directory.toFile(), true);
            ProviderFiles.remove(ProcessHandle.current().pid());
            throw CommandFailure.failed("no space for the driver's files: aeron.dir=" + directory +
                " is on a file system with " + (freeBytes >> 10) + " KiB free; make room, enlarge it (mount -o " +
                "remount,size=1g /dev/shm, docker run --shm-size=1g), or name another directory with -Daeron.dir", ex);
        }
    }
}
