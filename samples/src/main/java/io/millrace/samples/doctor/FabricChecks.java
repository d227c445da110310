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
package io.millrace.samples.doctor;

import io.millrace.efa.libfabric.FabricNic;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.LibFabric;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * libfabric and what it finds.
 */
final class FabricChecks
{
    private static final List<String> LIBRARY_DIRECTORIES = List.of("/opt/amazon/efa/lib64", "/opt/amazon/efa/lib",
        "/usr/local/lib", "/usr/local/lib64", "/usr/lib64", "/usr/lib", "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu", "/lib64");
    private static final String LIBRARY = "libfabric.so.1";
    private static final String INSTALLER = "/opt/amazon/efa";
    private static final int DIRECT_MINOR = 1;
    private static final int ADVISED_MINOR = 4;

    private FabricChecks()
    {
    }

    /**
     * Which libfabric a driver loads here.
     *
     * @param isForEfa whether rails are to be EFA's.
     */
    static Finding library(final boolean isForEfa)
    {
        if (!LibFabric.isAvailable())
        {
            return Finding.fail("libfabric", LibFabric.unavailabilityCause(), isForEfa ?
                "run AWS's EFA installer: its libfabric is looked at first" :
                "install it: libfabric1 on Debian and Ubuntu, libfabric on Red Hat");
        }
        final LibFabric library = LibFabric.load();
        return version(library.versionText(), library.path(), isForEfa);
    }

    static Finding version(final String version, final String path, final boolean isForEfa)
    {
        final String found = version + " at " + path;
        final String[] numbers = version.split("\\.");
        final int major = Integer.parseInt(numbers[0]);
        final int minor = Integer.parseInt(numbers[1]);
        if (!isForEfa)
        {
            return Finding.ok("libfabric", found);
        }
        if (!path.startsWith(INSTALLER))
        {
            return Finding.warn("libfabric", found,
                "it is not the EFA installer's, which has what AWS tests: run the installer, or name its file with -D" +
                LibFabric.PATH_PROP_NAME);
        }
        return major > 2 || 2 == major && minor >= ADVISED_MINOR ? Finding.ok("libfabric", found) :
            Finding.warn("libfabric", found, 2 == major && minor >= DIRECT_MINOR ?
                "2.4 or later is advised: run a later EFA installer" :
                "efa-direct, the fast path, needs 2.1, and 2.4 or later is advised: run a later EFA installer");
    }

    /**
     * Whether there are several, of which a process might load two: the first takes the device.
     */
    static Finding copies(final SystemFiles files)
    {
        final Map<String, TreeSet<String>> byProcess = new TreeMap<>();
        for (final Path process : files.list("/proc", "[0-9]*"))
        {
            final String pid = process.getFileName().toString();
            final TreeSet<String> loaded = files.lines("/proc/" + pid + "/maps").stream()
                .filter((line) -> line.contains("/") &&
                    line.substring(line.lastIndexOf('/') + 1).startsWith("libfabric.so"))
                .map((line) -> line.substring(line.indexOf('/')))
                .collect(Collectors.toCollection(TreeSet::new));
            if (loaded.size() > 1)
            {
                byProcess.put(pid, loaded);
            }
        }
        if (!byProcess.isEmpty())
        {
            final Map.Entry<String, TreeSet<String>> first = byProcess.entrySet().iterator().next();
            return Finding.fail("one libfabric", "process " + first.getKey() + " has loaded " +
                String.join(" and ", first.getValue()),
                "the first takes the device and the other finds none: name one of them for all, -D" +
                LibFabric.PATH_PROP_NAME + " here, LD_LIBRARY_PATH for other libraries such as aws-ofi-nccl");
        }

        final TreeSet<String> installed = new TreeSet<>();
        for (final String directory : LIBRARY_DIRECTORIES)
        {
            for (final Path file : files.list(directory, LIBRARY))
            {
                installed.add(real(file));
            }
        }
        return installed.size() <= 1 ?
            Finding.ok("one libfabric", installed.isEmpty() ? "none in the usual places" : installed.first()) :
            Finding.warn("one libfabric", String.join(", ", installed),
                "a process that loads two of them loses one: remove all but the EFA installer's, or make sure that " +
                "every library of a process finds the same");
    }

    /**
     * NICs of a provider.
     */
    static Finding nics(final FabricProvider provider)
    {
        if (!LibFabric.isAvailable())
        {
            return Finding.fail("NICs", "not known without libfabric", "see libfabric above");
        }
        final LibFabric library = LibFabric.load();
        final List<FabricNic> nics = library.nics(provider);
        if (nics.isEmpty())
        {
            return Finding.fail("NICs", "none of " + provider.word(), library.absenceCause(provider));
        }
        return Finding.ok("NICs", nics.stream().map((nic) -> nic.deviceName() +
            (nic.speedMbps() > 0 ? " " + nic.speedMbps() / 1000 + " Gbit/s" : "") +
            (nic.numaNode() >= 0 ? " NUMA " + nic.numaNode() : "")).collect(Collectors.joining(", ")));
    }

    private static String real(final Path file)
    {
        try
        {
            return file.toRealPath().toString();
        }
        catch (final IOException ex)
        {
            return file.toString();
        }
    }
}
