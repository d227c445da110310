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
package io.millrace.efa.libfabric;

import com.sun.jna.LastErrorException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The locks that libfabric's {@code shm} keeps in memory that processes share. Who is killed while holding one never
 * gives it back, and whoever wants it spins for ever: here it is given back for the dead.
 * <p>
 * The regions are those that this process has mapped, found in {@code /proc/self/maps}, as files of dead processes may
 * be removed. A look duplicates the first page, so that it may be unmapped by others meanwhile.
 */
public final class ShmLocks
{
    private static final Pattern MAPPING = Pattern.compile(
        "([0-9a-f]+)-[0-9a-f]+ rw-s 0+ (\\S+ \\d+) +/dev/shm/((\\d{1,10}):\\d{1,10}:\\d{1,10}(?::\\d{1,10})?)(?: .*)?");
    private static final Path MAPS = Path.of("/proc/self/maps");
    private static final Path PROC = Path.of("/proc");

    private static final long HELD_NS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long MAX_LOOK_GAP_NS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final int MIN_LOOKS = 5;

    private static final int VERSION_WITHOUT_LOCK = 9;

    /**
     * What was seen of a lock, by region. For the whole process: two drivers in one do not both release it.
     */
    private static final Map<String, Seen> SEEN = new HashMap<>();

    private final Set<Integer> unknownVersions = new HashSet<>();

    /**
     * A lock that was held by a process that is dead.
     *
     * @param region name of the shared memory file.
     * @param pid    of the process that is dead.
     * @param isOwn  true for a region of this process, false for one of the dead.
     */
    public record Held(String region, int pid, boolean isOwn)
    {
        /**
         * Is the region that of an endpoint?
         *
         * @param address of the endpoint.
         * @return true when it is.
         */
        public boolean isOf(final byte[] address)
        {
            return region.equals(ShmRegionFile.name(address));
        }

        @Override
        public String toString()
        {
            return "shared memory region " + region + " was held by process " + pid + ", which is dead";
        }
    }

    private record Region(long address, String inode, String name, int pid)
    {
    }

    /**
     * Look at all locks, and release those that the dead have held for half a second. To be called several times within
     * that, and only while an agent stands still.
     *
     * @param nowNs     time of {@link System#nanoTime()}.
     * @param onUnknown told once of each version of regions whose lock cannot be found.
     * @return locks that were released.
     */
    public List<Held> releaseThoseOfTheDead(final long nowNs, final Consumer<String> onUnknown)
    {
        synchronized (SEEN)
        {
            final List<Held> released = new ArrayList<>();
            final List<Region> regions = regions();
            final int ownPid = (int)ProcessHandle.current().pid();
            int deadPid = 0;
            boolean isAnyStopped = false;
            for (final Region region : regions)
            {
                if (isDead(region.pid))
                {
                    deadPid = region.pid;
                }
                isAnyStopped |= isStopped(region.pid);
            }

            for (final Region region : regions)
            {
                final boolean isOwn = ownPid == region.pid;
                final boolean isDead = isDead(region.pid);
                // Others mend their regions themselves; one that is stopped may hold ours, and goes on some day.
                if ((isDead || isOwn && 0 != deadPid && !isAnyStopped) && release(region, nowNs, onUnknown))
                {
                    released.add(new Held(region.name, isDead ? region.pid : deadPid, isOwn));
                }
            }

            return released;
        }
    }

    private boolean release(final Region region, final long nowNs, final Consumer<String> onUnknown)
    {
        final long page = duplicate(region);
        if (0 == page)
        {
            SEEN.remove(region.name);
            return false;
        }

        try
        {
            final int version = RawMemory.getUnsignedByte(page);
            final int offset = lockOffset(version);
            if (offset < 0 || region.pid != RawMemory.getInt(page + pidOffset(version)))
            {
                if (VERSION_WITHOUT_LOCK != version && unknownVersions.add(version))
                {
                    onUnknown.accept("shared memory region " + region.name + " has version " + version +
                        ", whose lock is not known: if a peer was killed holding it," +
                        " the agent that wants it stands still");
                }
                return false;
            }

            final long lock = page + offset;
            if (0 == LibC.INSTANCE.pthread_spin_trylock(lock))
            {
                LibC.INSTANCE.pthread_spin_unlock(lock);
                SEEN.remove(region.name);
                return false;
            }

            if (!SEEN.computeIfAbsent(region.name, (name) -> new Seen(nowNs)).isHeldForLong(nowNs))
            {
                return false;
            }

            SEEN.remove(region.name);
            LibC.INSTANCE.pthread_spin_unlock(lock);
            return true;
        }
        finally
        {
            LibC.INSTANCE.munmap(page, LibC.INSTANCE.getpagesize());
        }
    }

    /**
     * Where {@code struct smr_region} has its lock, in bytes: {@code include/ofi_shm.h} of libfabric 1.17 to 1.19 and
     * {@code prov/shm/src/smr_util.h} of later ones, by {@code SMR_VERSION}.
     *
     * @return offset, or -1 where there is none or it is not known.
     */
    static int lockOffset(final int version)
    {
        return switch (version)
        {
            case 4, 5 -> 24;
            case 6, 10 -> 64;
            case 7, 8 -> 56;
            default -> -1;
        };
    }

    private static int pidOffset(final int version)
    {
        return version < VERSION_WITHOUT_LOCK ? 4 : 40;
    }

    /**
     * Map the first page of a region once more, without its file, which may be removed.
     *
     * @return address, or 0 when the region is gone.
     */
    private static long duplicate(final Region region)
    {
        final long page;
        try
        {
            page = LibC.INSTANCE.mremap(region.address, 0, LibC.INSTANCE.getpagesize(), LibC.MREMAP_MAYMOVE);
        }
        catch (final LastErrorException ignore)
        {
            return 0;
        }

        for (final Region mapped : regions())
        {
            if (page == mapped.address && region.inode.equals(mapped.inode))
            {
                return page;
            }
        }

        // something else has come in its place
        LibC.INSTANCE.munmap(page, LibC.INSTANCE.getpagesize());
        return 0;
    }

    private static List<Region> regions()
    {
        final List<Region> regions = new ArrayList<>();
        try
        {
            for (final String line : Files.readAllLines(MAPS, StandardCharsets.ISO_8859_1))
            {
                final Matcher matcher = MAPPING.matcher(line);
                if (matcher.matches())
                {
                    regions.add(new Region(Long.parseUnsignedLong(matcher.group(1), 16), matcher.group(2),
                        matcher.group(3), (int)Long.parseLong(matcher.group(4))));
                }
            }
        }
        catch (final IOException ex)
        {
            return List.of();
        }

        return regions;
    }

    /**
     * Has a process ended, though its parent may not have taken note?
     */
    static boolean isDead(final int pid)
    {
        try
        {
            LibC.INSTANCE.kill(pid, 0);
        }
        catch (final LastErrorException ex)
        {
            return LibC.ESRCH == ex.getErrorCode();
        }

        final char state = state(pid);
        // the first thread of a process may end before the others
        return ('Z' == state || 'X' == state) && 1 == threads(pid);
    }

    private static boolean isStopped(final int pid)
    {
        final char state = state(pid);
        return 'T' == state || 't' == state;
    }

    private static char state(final int pid)
    {
        try
        {
            final String stat = Files.readString(
                PROC.resolve(Integer.toString(pid)).resolve("stat"), StandardCharsets.ISO_8859_1);
            return stat.charAt(stat.lastIndexOf(')') + 2);
        }
        catch (final IOException ex)
        {
            return '?';
        }
    }

    private static int threads(final int pid)
    {
        final String[] names = PROC.resolve(Integer.toString(pid)).resolve("task").toFile().list();
        return null == names ? 1 : names.length;
    }

    private static final class Seen
    {
        private long firstNs;
        private long lastNs;
        private int looks;

        Seen(final long nowNs)
        {
            firstNs = nowNs;
            lastNs = nowNs;
        }

        boolean isHeldForLong(final long nowNs)
        {
            if (nowNs - lastNs > MAX_LOOK_GAP_NS)
            {
                firstNs = nowNs;
                looks = 0;
            }
            lastNs = nowNs;
            return ++looks >= MIN_LOOKS && nowNs - firstNs >= HELD_NS;
        }
    }
}
