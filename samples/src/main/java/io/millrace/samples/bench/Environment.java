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
package io.millrace.samples.bench;

import io.aeron.AeronVersion;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.LibFabric;
import io.millrace.samples.doctor.SystemFiles;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What figures depend on beside the code that is measured.
 */
public final class Environment
{
    static final String CORES = "cores";
    static final String LOAD = "loadAverage";
    private static final String UNKNOWN = "not shown by this machine";

    private Environment()
    {
    }

    /**
     * Look at the machine.
     *
     * @param options of the benchmark.
     * @param choice  of the protocol.
     * @return values by name.
     */
    static Map<String, String> of(final BenchOptions options, final ProtocolChoice choice)
    {
        final Map<String, String> environment = ofMachine(choice);
        environment.put("threading", options.threading().name().toLowerCase(Locale.ROOT));
        environment.put("placement", Cores.describe(options.threading()));
        environment.put("rounds", Integer.toString(options.rounds()));
        environment.put("secondsPerRound", Double.toString(options.durationMs() / 1e3));
        environment.put("warmupSeconds", Double.toString(options.warmupMs() / 1e3));
        environment.put("rttMessagesPerSecond", Integer.toString(options.ratePerSecond()));
        environment.put("window", Channels.windowLength() + " bytes, socket buffers the same");
        return environment;
    }

    /**
     * Look at the machine alone.
     *
     * @param choice of the protocol.
     * @return values by name, to which more can be added.
     */
    public static Map<String, String> ofMachine(final ProtocolChoice choice)
    {
        final Map<String, String> environment = new LinkedHashMap<>();
        environment.put("startedAt", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        environment.put("cpu", line("/proc/cpuinfo", "model name"));
        environment.put(CORES, Integer.toString(Runtime.getRuntime().availableProcessors()));
        environment.put("coreSiblings", text("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list"));
        environment.put(LOAD, text("/proc/loadavg"));
        environment.put("kernel", System.getProperty("os.name") + " " + System.getProperty("os.version") + " " +
            System.getProperty("os.arch"));
        environment.put("jdk", System.getProperty("java.vm.vendor") + " " + System.getProperty("java.vm.version"));
        environment.put("aeron", AeronVersion.VERSION);
        environment.put("libfabric", LibFabric.isAvailable() ?
            LibFabric.load().versionText() + " at " + LibFabric.load().path() : LibFabric.unavailabilityCause());
        environment.put("provider", choice.provider() + " (" + choice.reason() + ")");
        environment.put("governor", text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
        environment.put("hugePages", text("/sys/kernel/mm/transparent_hugepage/enabled") + "; reserved " +
            line("/proc/meminfo", "HugePages_Total") + "; /dev/shm " +
            SystemFiles.ofThisMachine().sharedMemoryPages());
        environment.put("maxSocketBuffers", text("/proc/sys/net/core/rmem_max") + " receive, " +
            text("/proc/sys/net/core/wmem_max") + " send");
        return environment;
    }

    /**
     * As the head of a table.
     *
     * @param environment values by name.
     * @return lines, each ended, their values below each other.
     */
    public static String table(final Map<String, String> environment)
    {
        final StringBuilder text = new StringBuilder();
        final int width = environment.keySet().stream().mapToInt(String::length).max().orElse(0);
        environment.forEach((name, value) ->
            text.append(name).repeat(' ', width - name.length() + 2).append(value).append('\n'));
        return text.toString();
    }

    private static String text(final String file)
    {
        try
        {
            // By lines: sysctl files end after the first read, and readString's first takes one byte.
            return Files.readAllLines(Path.of(file)).getFirst();
        }
        catch (final IOException ex)
        {
            return UNKNOWN;
        }
    }

    private static String line(final String file, final String name)
    {
        try (Stream<String> lines = Files.lines(Path.of(file)))
        {
            return lines.filter((line) -> line.startsWith(name) && line.contains(":"))
                .map((line) -> line.substring(line.indexOf(':') + 1).trim())
                .findFirst().orElse(UNKNOWN);
        }
        catch (final IOException ex)
        {
            return UNKNOWN;
        }
    }
}
