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

import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.MachineLimits;
import io.millrace.samples.doctor.Finding.Level;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Checks on files as machines have them.
 */
class DoctorTest
{
    private static final String CPU = "sys/devices/system/cpu/";

    @TempDir
    private Path root;

    private SystemFiles files()
    {
        return new SystemFiles(root);
    }

    private void file(final String path, final String text) throws IOException
    {
        Files.createDirectories(root.resolve(path).getParent());
        Files.writeString(root.resolve(path), text);
    }

    @Test
    void aTunedMachineIsFine() throws IOException
    {
        file("proc/meminfo", "MemTotal: 1024 kB\nHugePages_Total:     512\nHugepagesize:       2048 kB\n");
        file("proc/mounts", "tmpfs /dev/shm tmpfs rw 0 0\n" +
            "none /dev/hugepages hugetlbfs rw 0 0\ntmpfs /dev/shm tmpfs rw,relatime,huge=within_size 0 0\n");
        file(CPU + "isolated", "2-7\n");
        file(CPU + "cpu0/cpufreq/scaling_governor", "performance\n");
        file(CPU + "cpu1/cpufreq/scaling_governor", "performance\n");
        file("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
        file("proc/sys/net/core/rmem_max", "2097152\n");
        file("proc/sys/net/core/wmem_max", "4194304\n");
        file("proc/sys/kernel/yama/ptrace_scope", "0\n");
        final MachineChecks checks = new MachineChecks(files());
        assertThat(checks.all(true, true)).hasSize(7).extracting(Finding::level).containsOnly(Level.OK);
        assertThat(checks.hugePages(true).found()).contains("512 of 2.0 MiB", "/dev/hugepages");
        assertThat(checks.isolation(8).found()).contains("2-7");
    }

    @Test
    void whatSlowsDownIsWarnedOfWithARemedy() throws IOException
    {
        file("proc/meminfo", "HugePages_Total:       0\n");
        file(CPU + "cpu0/cpufreq/scaling_governor", "performance\n");
        file(CPU + "cpu1/cpufreq/scaling_governor", "powersave\n");
        file("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
        file("proc/sys/net/core/rmem_max", "212992\n");
        file("proc/sys/net/core/wmem_max", "212992\n");
        file("proc/sys/kernel/yama/ptrace_scope", "1\n");
        final MachineChecks checks = new MachineChecks(files());
        final List<Finding> found = List.of(checks.hugePages(true), checks.isolation(2), checks.governor(),
            checks.clock(), checks.sockets(), checks.tracing());
        assertThat(found).extracting(Finding::level).containsOnly(Level.WARN);
        assertThat(found).extracting(Finding::remedy).doesNotContainNull();
        assertThat(checks.governor().found()).isEqualTo("performance, powersave");
        assertThat(checks.hugePages(false).level()).isEqualTo(Level.NOTE);
        assertThat(checks.sharedMemoryPages().level()).isEqualTo(Level.NOTE);
        file("proc/mounts", "tmpfs /dev/shm tmpfs rw,huge=advise 0 0\n");
        assertThat(checks.sharedMemoryPages().remedy()).contains("huge=within_size");
        assertThat(checks.isolation(8).level()).isEqualTo(Level.NOTE);
    }

    @Test
    void memoryIsJudgedByWhatTheProviderNeeds()
    {
        final MachineLimits limits = new MachineLimits(8 << 20, true, 0, 4096);
        assertThat(MachineChecks.lockedMemory(limits, true).level()).isEqualTo(Level.WARN);
        assertThat(MachineChecks.lockedMemory(limits, false).level()).isEqualTo(Level.OK);
        assertThat(MachineChecks.lockedMemory(new MachineLimits(8 << 20, false, 0, 4096), true).level())
            .isEqualTo(Level.OK);
        assertThat(MachineChecks.sharedMemory(64L << 20, 40L << 20).level()).isEqualTo(Level.FAIL);
        assertThat(MachineChecks.sharedMemory(1L << 30, 900L << 20).level()).isEqualTo(Level.WARN);
        assertThat(MachineChecks.sharedMemory(8L << 30, 4L << 30).level()).isEqualTo(Level.OK);
    }

    @Test
    void twoLibrariesInOneProcessAreFound() throws IOException
    {
        file("opt/amazon/efa/lib64/libfabric.so.1", "");
        file("proc/12/maps", "7f00 r-xp 0 fd:00 1 /opt/amazon/efa/lib64/libfabric.so.1.27.0\n" +
            "7f10 r-xp 0 fd:00 2 /opt/plugins/libfabric/libnet.so\n7f20 r-xp 0 fd:00 3 /opt/libfabric-hooks.so.1\n");
        assertThat(FabricChecks.copies(files()).level()).isEqualTo(Level.OK);

        file("usr/lib64/libfabric.so.1", "");
        assertThat(FabricChecks.copies(files())).satisfies((finding) ->
        {
            assertThat(finding.level()).isEqualTo(Level.WARN);
            assertThat(finding.found()).contains("/opt/amazon/efa/lib64", "/usr/lib64");
        });

        file("proc/34/maps", "7f00 r-xp 0 fd:00 1 /opt/amazon/efa/lib64/libfabric.so.1.27.0\n" +
            "7f10 r-xp 0 fd:00 2 /usr/lib64/libfabric.so.1.17.0\n");
        assertThat(FabricChecks.copies(files())).satisfies((finding) ->
        {
            assertThat(finding.level()).isEqualTo(Level.FAIL);
            assertThat(finding.found()).contains("process 34").doesNotContain("process 12");
        });
    }

    @Test
    void versionsAreJudgedByTheProtocol()
    {
        final String installed = "/opt/amazon/efa/lib64/libfabric.so.1";
        assertThat(FabricChecks.version("2.4", installed, true).level()).isEqualTo(Level.OK);
        assertThat(FabricChecks.version("2.1", installed, true).remedy()).contains("2.4 or later is advised");
        assertThat(FabricChecks.version("1.22", installed, true).remedy()).contains("efa-direct");
        assertThat(FabricChecks.version("2.4", "/usr/lib64/libfabric.so.1", true).level()).isEqualTo(Level.WARN);
        assertThat(FabricChecks.version("1.17", "/usr/lib64/libfabric.so.1", false).level()).isEqualTo(Level.OK);
    }

    @Test
    void everyCheckIsInTheDocument() throws IOException
    {
        final String page = Files.readString(Path.of("").toAbsolutePath().getParent().resolve("docs/operations.md"));
        for (final FabricProvider provider : new FabricProvider[]{ FabricProvider.EFA, FabricProvider.SHM })
        {
            assertThat(Doctor.examine(provider)).hasSizeGreaterThan(10)
                .allSatisfy((finding) -> assertThat(page).contains("| " + finding.check() + " |"));
        }
    }
}
