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
package io.millrace.bridge.staging;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicInteger;

import io.millrace.bridge.KvCounters;
import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.KvDeviceMeter;
import io.millrace.bridge.device.acl.AclDevice;
import io.millrace.bridge.device.acl.StandIn;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.agrona.BufferUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Slabs of this machine's memory, whatever pages and nodes it has.
 */
class SlabTest
{
    private static final int LENGTH = 1 << 20;
    private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
    private static final Path GIANT_PAGES = Path.of("/sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages");

    private final KvCounters counters = KvCounters.inMemory();

    private static void assertUsable(final ByteBuffer slab, final int length)
    {
        assertThat(slab.capacity()).isGreaterThanOrEqualTo(length);
        assertThat(BufferUtil.address(slab) % 4096).isZero();
        for (int i = 0; i < length; i += 4095)
        {
            slab.put(i, (byte)i);
        }
        for (int i = 0; i < length; i += 4095)
        {
            assertThat(slab.get(i)).isEqualTo((byte)i);
        }
    }

    @Test
    void pagesAreAsLargeAsTheMachineHas() throws IOException
    {
        final boolean isHuge = Files.exists(HUGE_PAGES) && !"0".equals(Files.readString(HUGE_PAGES).strip());
        try (KvDevice device = new HostDevice())
        {
            final HostSlabs slabs = new HostSlabs(device, HostSlabs.ANY_NODE);
            final ByteBuffer slab = slabs.allocate(LENGTH, counters);

            assertUsable(slab, LENGTH);
            assertThat(counters.get(KvCounters.Kind.STAGING_PAGE_FALLBACKS)).isEqualTo(isHuge ? 0 : 1);
            assertThat(counters.get(KvCounters.Kind.STAGING_NODE_FALLBACKS)).isZero();
            slabs.free(slab);
            final ByteBuffer small = slabs.allocate(LENGTH / 4, counters);
            assertUsable(small, LENGTH / 4);
            assertThat(counters.get(KvCounters.Kind.STAGING_PAGE_FALLBACKS)).as("too short to ask for huge pages")
                .isEqualTo(isHuge ? 0 : 1);
            slabs.free(small);
        }
    }

    @Test
    void theLadderBeginsWithPagesOf1GiB() throws IOException
    {
        final int length = 512 << 20;
        final long freeHuge = Files.exists(HUGE_PAGES) ? Long.parseLong(Files.readString(HUGE_PAGES).strip()) : 0;
        final long freeGiant = Files.exists(GIANT_PAGES) ? Long.parseLong(Files.readString(GIANT_PAGES).strip()) : 0;
        try (KvDevice device = new HostDevice())
        {
            final HostSlabs slabs = new HostSlabs(device, HostSlabs.ANY_NODE);
            final ByteBuffer slab = slabs.allocate(length, counters);
            assertUsable(slab, LENGTH);
            slabs.free(slab);

            assertThat(counters.get(KvCounters.Kind.STAGING_PAGE_FALLBACKS))
                .isEqualTo(freeGiant > 0 ? 0 : freeHuge >= length >> 21 ? 1 : 2);
        }
    }

    @Test
    void slabsAreBoundToTheirNodeOrItIsSaid() throws IOException
    {
        try (KvDevice device = new HostDevice())
        {
            final SlabSource slabs = SlabSource.parse(device, "numa:0");
            final ByteBuffer slab = slabs.allocate(LENGTH / 4, counters);
            assertUsable(slab, LENGTH / 4);
            final Path maps = Path.of("/proc/self/numa_maps");
            if (0 == counters.get(KvCounters.Kind.STAGING_NODE_FALLBACKS) && Files.exists(maps))
            {
                assertThat(Files.readAllLines(maps)).anyMatch(line ->
                    line.startsWith(Long.toHexString(BufferUtil.address(slab)) + " ") && line.contains("bind:0"));
            }
            slabs.free(slab);

            final long before = counters.get(KvCounters.Kind.STAGING_NODE_FALLBACKS);
            final SlabSource nowhere = SlabSource.parse(device, "numa:999");
            final ByteBuffer anywhere = nowhere.allocate(LENGTH / 4, counters);
            assertUsable(anywhere, LENGTH / 4);
            assertThat(counters.get(KvCounters.Kind.STAGING_NODE_FALLBACKS)).isEqualTo(before + 1);
            nowhere.free(anywhere);
        }
    }

    @Test
    void memoryThatCannotBePinnedComesFromTheLibrary()
    {
        final StandIn standIn = StandIn.get(StandIn.Symbols.OF_2020);
        try (KvDevice device = new AclDevice(standIn.context(0)))
        {
            final HostSlabs slabs = new HostSlabs(device, HostSlabs.ANY_NODE);
            final ByteBuffer slab = slabs.allocate(LENGTH, counters);

            assertUsable(slab, LENGTH);
            assertThat(counters.get(KvCounters.Kind.STAGING_PIN_FALLBACKS)).isEqualTo(1);
            slabs.free(slab);
        }
    }

    @Test
    void theNextPoolUsesTheSlabsOfTheOneBefore()
    {
        try (KvDevice device = new HostDevice();
            SlabCache cache = new SlabCache(new DeviceSlabs(device), 8 << 20))
        {
            final StagingPool first = new StagingPool(device, cache, StagingConfig.parse("4:1"), counters);
            first.close();
            assertThat(cache.cachedBytes()).isBetween(4L << 20, 5L << 20);
            final StagingPool second = new StagingPool(device, cache, StagingConfig.parse("4:1"), counters);
            assertThat(counters.get(KvCounters.Kind.STAGING_CACHE_HITS)).isEqualTo(1);
            assertThat(cache.cachedBytes()).isZero();
            final StagingPool third = new StagingPool(device, cache, StagingConfig.parse("5:1"), counters);
            second.close();
            third.close();
            assertThat(cache.cachedBytes()).as("what is over the limit goes back").isBetween(4L << 20, 8L << 20);
            assertThatThrownBy(() -> cache.free(ByteBuffer.allocateDirect(1)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("not of this cache");
        }
    }

    @Test
    void aSlabThatCannotBeUnpinnedIsFreedAgain()
    {
        final StandIn standIn = StandIn.get(StandIn.Symbols.NEW);
        try (KvDevice device = new AclDevice(standIn.context(0)))
        {
            final HostSlabs slabs = new HostSlabs(device, HostSlabs.ANY_NODE);
            final ByteBuffer slab = slabs.allocate(LENGTH / 4, counters);
            standIn.script("aclrtHostUnregister", 0, 1, 507899);
            assertThatThrownBy(() -> slabs.free(slab)).hasMessageContaining("aclrtHostUnregister");
            assertUsable(slab, LENGTH / 4);
            slabs.free(slab);
            assertThatThrownBy(() -> slabs.free(slab)).hasMessageContaining("freed before");
        }
    }

    @Test
    void aSlabThatCannotBeFreedKeepsNoOther(@TempDir final Path temp)
    {
        final AtomicInteger frees = new AtomicInteger();
        final SlabSource source = new SlabSource()
        {
            public ByteBuffer allocate(final int lengthBytes, final KvDeviceMeter meter)
            {
                // As long as a slab of a large pool, without its memory.
                try (FileChannel file = FileChannel.open(temp.resolve("slab"), StandardOpenOption.CREATE,
                    StandardOpenOption.READ, StandardOpenOption.WRITE))
                {
                    return file.map(FileChannel.MapMode.READ_WRITE, 0, lengthBytes);
                }
                catch (final IOException ex)
                {
                    throw new UncheckedIOException(ex);
                }
            }

            public void free(final ByteBuffer slab)
            {
                BufferUtil.free(slab);
                throw new IllegalStateException("slab " + frees.incrementAndGet());
            }
        };
        try (KvDevice device = new HostDevice())
        {
            final StagingPool pool = new StagingPool(device, source, StagingConfig.parse("3:600"), counters);
            assertThatThrownBy(pool::close).hasMessage("slab 1");
            assertThat(frees).hasValue(3);

            final SlabCache cache = new SlabCache(source, Long.MAX_VALUE);
            new StagingPool(device, cache, StagingConfig.parse("3:600"), counters).close();
            assertThatThrownBy(cache::close).hasMessage("slab 4");
            assertThat(frees).hasValue(6);
        }
    }

    @Property(tries = 500)
    void sizeClassesWasteAQuarterAtMost(@ForAll @IntRange(min = 1, max = Integer.MAX_VALUE) final int length)
    {
        final int size = SlabCache.sizeClass(length);
        assertThat(size).isGreaterThanOrEqualTo(length);
        assertThat((long)size).isLessThanOrEqualTo(Math.max(64 << 10, length + length / 4L));
        assertThat(SlabCache.sizeClass(size)).isEqualTo(size);
    }

    @Test
    void refusesOtherNames()
    {
        try (KvDevice device = new HostDevice())
        {
            assertThatThrownBy(() -> SlabSource.parse(device, "numa:x")).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("millrace.kv.staging.memory='numa:x'");
            assertThat(SlabSource.parse(device, "device")).isInstanceOf(DeviceSlabs.class);
        }
    }
}
