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

import io.millrace.efa.libfabric.MachineLimits;
import io.millrace.samples.stat.Units;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Memory, processors and clock.
 */
final class MachineChecks
{
    private static final long SMALL_SHARED_MEMORY = 64L << 20;
    private static final long AMPLE_SHARED_MEMORY = 1L << 30;
    private static final int CORES_OF_A_DRIVER = 4;
    private static final long SOCKET_BUFFER = 2L << 20;
    private static final String CPU = "/sys/devices/system/cpu";

    private final SystemFiles files;

    MachineChecks(final SystemFiles files)
    {
        this.files = files;
    }

    static Finding lockedMemory(final MachineLimits limits, final boolean isForEfa)
    {
        final String check = "locked memory";
        if (Long.MAX_VALUE == limits.lockedMemoryBytes())
        {
            return Finding.ok(check, "unlimited");
        }
        final String found = "limit of " + Units.bytes(limits.lockedMemoryBytes());
        if (!limits.isMemlockEnforced())
        {
            return Finding.ok(check, found + ", not enforced for this user");
        }
        // Only EFA pins what is registered.
        return isForEfa ? Finding.warn(check, found,
            "EFA pins all that is registered: ulimit -l unlimited, LimitMEMLOCK=infinity for systemd, " +
            "docker run --ulimit memlock=-1") : Finding.ok(check, found + ", which this provider does not need");
    }

    Finding hugePages(final boolean isForEfa)
    {
        final long total = files.number("/proc/meminfo", "HugePages_Total");
        final long size = files.number("/proc/meminfo", "Hugepagesize");
        final String mounts = files.lines("/proc/mounts").stream().map((line) -> line.split(" "))
            .filter((cells) -> cells.length > 2 && "hugetlbfs".equals(cells[2])).map((cells) -> cells[1])
            .collect(Collectors.joining(", "));
        final String found = total <= 0 ? "none" :
            total + " of " + Units.bytes(size << 10) + (mounts.isEmpty() ? ", not mounted" : ", mounted at " + mounts);
        if (total > 0 && !mounts.isEmpty())
        {
            return Finding.ok("huge pages", found);
        }
        final String remedy = "sysctl vm.nr_hugepages=N, mount -t hugetlbfs none /dev/hugepages, and aeron.dir " +
            "there: long terms then take few of a NIC's page entries, and registration is fast";
        return isForEfa ? Finding.warn("huge pages", found, remedy) : Finding.note("huge pages", found, remedy);
    }

    static Finding sharedMemory(final long totalBytes, final long freeBytes)
    {
        final String found = Units.bytes(freeBytes) + " free of " + Units.bytes(totalBytes);
        final String remedy = "mount -o remount,size=4g /dev/shm, docker run --shm-size=4g, or an emptyDir of medium " +
            "Memory in Kubernetes: log buffers of all streams lie there";
        return freeBytes < SMALL_SHARED_MEMORY ? Finding.fail("/dev/shm", found, remedy) :
            freeBytes < AMPLE_SHARED_MEMORY ? Finding.warn("/dev/shm", found, remedy) : Finding.ok("/dev/shm", found);
    }

    Finding sharedMemoryPages()
    {
        final String check = "/dev/shm pages";
        final String huge = files.sharedMemoryPages();
        return List.of("huge=within_size", "huge=always").contains(huge) ? Finding.ok(check, huge) :
            Finding.note(check, huge, "mount -o remount,huge=within_size /dev/shm before drivers start: copies of " +
                "long frames between processes then look up one page for 2 MiB, not 512");
    }

    Finding isolation(final int cores)
    {
        final String isolated = files.text(CPU + "/isolated");
        if (null != isolated && !isolated.isEmpty())
        {
            return Finding.ok("CPU isolation", cores + " cores for this process, isolated: " + isolated);
        }
        final String found = cores + " cores for this process, none isolated";
        return cores < CORES_OF_A_DRIVER ? Finding.warn("CPU isolation", found,
            "a driver with a thread for each agent wants " + CORES_OF_A_DRIVER + " cores of its own: with fewer, " +
            "aeron.threading.mode=SHARED and a backing-off idle strategy") :
            Finding.note("CPU isolation", found,
            "for low tails: isolcpus= or a cpuset for the agents' cores, and pin threads to them (taskset by name)");
    }

    Finding governor()
    {
        final TreeSet<String> governors = new TreeSet<>();
        files.list(CPU, "cpu[0-9]*").forEach((cpu) ->
        {
            final String governor = files.text(CPU + "/" + cpu.getFileName() + "/cpufreq/scaling_governor");
            if (null != governor)
            {
                governors.add(governor);
            }
        });
        if (governors.isEmpty())
        {
            return Finding.ok("CPU governor", "not ours to set: the host does");
        }
        final String found = String.join(", ", governors);
        return governors.equals(new TreeSet<>(List.of("performance"))) ? Finding.ok("CPU governor", found) :
            Finding.warn("CPU governor", found, "cpupower frequency-set -g performance: cores that slow down when " +
                "idle take time to wake");
    }

    Finding clock()
    {
        final String directory = "/sys/devices/system/clocksource/clocksource0/";
        final String current = files.text(directory + "current_clocksource");
        if (null == current)
        {
            return Finding.note("clock source", "not known", "it should be tsc: dmesg | grep clocksource");
        }
        if (List.of("tsc", "arch_sys_counter", "kvm-clock").contains(current))
        {
            return Finding.ok("clock source", current);
        }
        return Finding.warn("clock source", current, "each look at the clock is a system call with it: " +
            "echo tsc > " + directory + "current_clocksource, and clocksource=tsc on the kernel's command line");
    }

    Finding sockets()
    {
        final long receive = files.number("/proc/sys/net/core/rmem_max");
        final long send = files.number("/proc/sys/net/core/wmem_max");
        if (receive < 0 || send < 0)
        {
            return Finding.note("socket buffers", "not known", "net.core.rmem_max and wmem_max of 2097152 or more");
        }
        final String found = "up to " + Units.bytes(receive) + " to receive, " + Units.bytes(send) + " to send";
        return Math.min(receive, send) >= SOCKET_BUFFER ? Finding.ok("socket buffers", found) :
            Finding.warn("socket buffers", found, "sysctl -w net.core.rmem_max=2097152 net.core.wmem_max=2097152: " +
                "peers without rails are reached by UDP");
    }

    Finding tracing()
    {
        final long scope = files.number("/proc/sys/kernel/yama/ptrace_scope");
        return scope <= 0 ? Finding.ok("ptrace scope", scope < 0 ? "not limited" : "0") :
            Finding.warn("ptrace scope", Long.toString(scope), "messages over 4 KiB between processes that are no " +
                "parent and child are copied twice: sysctl -w kernel.yama.ptrace_scope=0");
    }

    List<Finding> all(final boolean isForEfa, final boolean isHostLocal)
    {
        final List<Finding> found = new ArrayList<>();
        found.add(hugePages(isForEfa));
        found.add(isolation(Runtime.getRuntime().availableProcessors()));
        found.add(governor());
        found.add(clock());
        found.add(sockets());
        if (isHostLocal)
        {
            found.add(tracing());
            found.add(sharedMemoryPages());
        }
        return found;
    }
}
