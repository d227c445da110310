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

import java.lang.foreign.Arena;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

import static io.millrace.efa.libfabric.FabricLayout.DOMAIN_MR_OPS;
import static io.millrace.efa.libfabric.FabricLayout.OPS_MR_REG;

/**
 * Memory registered with one domain.
 */
final class MemoryRegions
{
    private final EndpointParts parts;
    private final boolean virtualAddressing;
    private final long keyMask;
    private final Set<NativeRegion> open = new LinkedHashSet<>();
    private long nextKey;
    private boolean closed;

    MemoryRegions(final EndpointParts parts)
    {
        this.parts = parts;
        virtualAddressing = 0 != (parts.memoryMode() & (FabricFlags.MR_VIRT_ADDR | FabricFlags.MR_BASIC));
        // Without FI_MR_PROV_KEY the application chooses keys: not to be guessed by who has not been told, and never
        // the -1 that stands for no key.
        keyMask = parts.memoryKeySize() >= Long.BYTES ? Long.MAX_VALUE : (1L << parts.memoryKeySize() * Byte.SIZE) - 1;
        nextKey = new SecureRandom().nextLong();
    }

    boolean virtualAddressing()
    {
        return virtualAddressing;
    }

    synchronized NativeRegion register(final long address, final long length, final int access)
    {
        if (closed)
        {
            throw new FabricException("fi_mr_reg", FabricErrors.EBADF, "the endpoint on " + parts.nic() + " is closed");
        }
        if (0 == address || length <= 0)
        {
            throw new FabricException("fi_mr_reg", FabricErrors.EINVAL,
                "address 0x" + Long.toHexString(address) + " length " + length + " is no memory");
        }

        try (Arena arena = Arena.ofConfined())
        {
            final long out = arena.allocate(Long.BYTES, Long.BYTES).address();
            final long key = nextKey++ & keyMask;
            final int result = OpsTable.callInt(
                OpsTable.slot(parts.domain(), DOMAIN_MR_OPS, OPS_MR_REG, "fi_mr_reg"),
                parts.domain(), address, length, (long)access, 0L, key, 0L, out, 0L);
            if (result < 0)
            {
                throw new FabricException("fi_mr_reg", result, length + " bytes on " + parts.nic() + remedy(result));
            }
            final NativeRegion region =
                new NativeRegion(this, RawMemory.getLong(out), address, length, virtualAddressing);
            open.add(region);
            return region;
        }
    }

    private static String remedy(final int result)
    {
        if (-FabricErrors.ENOMEM == result)
        {
            return ": raise the locked memory limit (ulimit -l unlimited), register less, or use huge pages, as the " +
                "device holds a limited number of pages";
        }
        return -FabricErrors.EOPNOTSUPP == result ? ": the device has no RDMA write, use messages" : "";
    }

    synchronized void deregister(final NativeRegion region)
    {
        if (open.remove(region))
        {
            final FabricException failure = close(region);
            if (null != failure)
            {
                open.add(region);
                throw failure;
            }
        }
    }

    private static FabricException close(final NativeRegion region)
    {
        final int result = OpsTable.close(region.fid());
        return result >= 0 ? null : new FabricException("fi_close", result, "closing a memory region of " +
            region.length() + " bytes");
    }

    synchronized FabricException closeAll(final FabricException earlier)
    {
        closed = true;
        FabricException first = earlier;
        final List<NativeRegion> left = new ArrayList<>(open);
        open.clear();
        for (final NativeRegion region : left)
        {
            final FabricException failure = close(region);
            if (null == first)
            {
                first = failure;
            }
            else if (null != failure)
            {
                first.addSuppressed(failure);
            }
        }
        return first;
    }
}
