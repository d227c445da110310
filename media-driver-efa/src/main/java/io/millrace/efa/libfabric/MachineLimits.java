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

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the machine lets this process have, read and not assumed.
 *
 * @param lockedMemoryBytes RLIMIT_MEMLOCK, {@link Long#MAX_VALUE} where there is no limit.
 * @param isMemlockEnforced false for a process that may lock memory beyond the limit, as root usually may.
 * @param sharedMemoryBytes free in {@code /dev/shm}.
 * @param pageSize          of memory, bytes.
 */
public record MachineLimits(
    long lockedMemoryBytes, boolean isMemlockEnforced, long sharedMemoryBytes, int pageSize)
{
    /**
     * What an endpoint of the shm provider takes of {@code /dev/shm}, rounded up.
     */
    public static final long SHM_ENDPOINT_BYTES = ShmRegionFile.NEEDED_BYTES;

    // <sys/resource.h> and <linux/capability.h>, the same on x86-64 and AArch64.
    private static final int RLIMIT_MEMLOCK = 8;
    private static final int RLIMIT_LENGTH = 2 * Long.BYTES;
    private static final int CAP_IPC_LOCK = 14;
    private static final String CAPABILITIES = "CapEff:";
    private static final int RADIX = 16;

    /**
     * Limits of this process, now.
     *
     * @return the limits.
     */
    public static MachineLimits read()
    {
        return new MachineLimits(
            lockedMemory(), !hasCapability(Path.of("/proc/self/status")), usableBytes(ShmRegionFile.DIRECTORY),
            NativeMemory.PAGE_SIZE);
    }

    /**
     * Whether so much memory can be registered with a provider that pins it.
     *
     * @param bytes to register.
     * @return false when the limit is in the way.
     */
    public boolean canLock(final long bytes)
    {
        return !isMemlockEnforced || bytes <= lockedMemoryBytes;
    }

    /**
     * Free space of the file system that a path is on or will be on.
     *
     * @param path that need not exist.
     * @return bytes, {@link Long#MAX_VALUE} if they cannot be known.
     */
    public static long usableBytes(final Path path)
    {
        Path existing = path.toAbsolutePath();
        while (null != existing && !Files.exists(existing))
        {
            existing = existing.getParent();
        }
        try
        {
            return null == existing ? Long.MAX_VALUE : Files.getFileStore(existing).getUsableSpace();
        }
        catch (final IOException ex)
        {
            return Long.MAX_VALUE;
        }
    }

    private static long lockedMemory()
    {
        try (NativeMemory limits = NativeMemory.allocate(RLIMIT_LENGTH))
        {
            final int result = LibC.INSTANCE.getrlimit(RLIMIT_MEMLOCK, limits.address());
            return 0 == result ? FabricInfo.clamp(RawMemory.getLong(limits.address())) : Long.MAX_VALUE;
        }
    }

    static boolean hasCapability(final Path status)
    {
        try
        {
            for (final String line : Files.readAllLines(status))
            {
                if (line.startsWith(CAPABILITIES))
                {
                    final String mask = line.substring(CAPABILITIES.length()).trim();
                    return 0 != (Long.parseUnsignedLong(mask, RADIX) & 1L << CAP_IPC_LOCK);
                }
            }
        }
        catch (final IOException | NumberFormatException ignore)
        {
            // No such file: the limit is taken as it stands.
        }
        return false;
    }
}
