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

import java.util.HashSet;
import java.util.Set;

import io.millrace.bridge.KvCounters;
import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.device.KvCopyQueue;
import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.acl.AclDevice;
import io.millrace.bridge.device.acl.StandIn;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.mockito.Mockito;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class StagingPoolTest
{
    @ParameterizedTest
    @ValueSource(strings = {"", "8", "1:1", "8:0", "8:4x", "-2:1", "8:1025", "99999:1", ":"})
    void refusesBadSizes(final String text)
    {
        assertThatThrownBy(() -> StagingConfig.parse(text)).isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("MILLRACE_STAGING='" + text + "'").hasMessageContaining("set it to");
    }

    @Test
    void isNotNeededWhereTheHostReachesTheDeviceUnlessAskedFor()
    {
        final KvDevice other = Mockito.mock(KvDevice.class);
        try (HostDevice device = new HostDevice())
        {
            final StagingConfig standard = StagingConfig.parse(StagingConfig.DEFAULT);
            assertThat(StagingConfig.of(device, null)).isNull();
            assertThat(StagingConfig.of(device, new DeviceSlabs(device))).isEqualTo(standard);
            assertThat(StagingConfig.of(other, null)).isEqualTo(standard);
            System.setProperty(SlabSource.PROP_NAME, "device");
            assertThat(StagingConfig.of(device, null)).isEqualTo(standard);
            System.setProperty(StagingConfig.PROP_NAME, "3:2");
            assertThat(StagingConfig.of(device, null)).isEqualTo(StagingConfig.parse("3:2"));
            assertThat(StagingConfig.of(other, null)).isEqualTo(StagingConfig.parse("3:2"));
        }
        finally
        {
            System.clearProperty(SlabSource.PROP_NAME);
            System.clearProperty(StagingConfig.PROP_NAME);
        }
    }

    @Test
    void handsOutEachSlotOnceAndNeverMore()
    {
        try (HostDevice device = new HostDevice())
        {
            final StagingPool pool = new StagingPool(device, StagingConfig.parse("5:1"));
            final Set<Long> addresses = new HashSet<>();
            StagingSlot last = null;
            for (int i = 0; i < 5; i++)
            {
                last = pool.acquire();
                assertThat(last.buffer().capacity()).isEqualTo(1 << 20);
                assertThat(last.buffer().addressOffset() % 4096).isZero();
                addresses.add(last.buffer().addressOffset());
            }
            assertThat(addresses).hasSize(5);
            assertThat(pool.acquire()).isNull();
            pool.release(last);
            assertThat(pool.acquire()).isSameAs(last);
            pool.close();
        }
    }

    @Test
    void refusesIllegalTransitions()
    {
        try (HostDevice device = new HostDevice())
        {
            final StagingPool pool = new StagingPool(device, StagingConfig.parse("2:1"));
            final KvCopyQueue queue = device.openQueue();
            final StagingSlot slot = pool.acquire();
            assertThatThrownBy(slot::published).hasMessageContaining("is COPYING and cannot become PUBLISHED");
            slot.filled();
            assertThatThrownBy(slot::filled).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> pool.quarantine(slot)).hasMessageContaining("cannot become QUARANTINED");
            slot.published();
            pool.release(slot);
            assertThatThrownBy(() -> pool.release(slot)).hasMessageContaining("is FREE and cannot become FREE");

            final StagingSlot stuck = pool.acquire();
            stuck.batch().onSubmitted();
            assertThatThrownBy(() -> pool.release(stuck)).hasMessageContaining("quarantine it");
            pool.quarantine(stuck);
            assertThat(pool.pollQuarantine(queue)).isNull();
            assertThat(pool.quarantinedCount()).isEqualTo(1);
            stuck.batch().onCompleted();
            assertThat(pool.pollQuarantine(queue)).isSameAs(stuck);
            pool.release(stuck);
            assertThat(pool.freeCount()).isEqualTo(2);
            pool.close();
        }
    }

    @Test
    void takesFewerSlotsWhereMemoryIsShortAndCountsIt()
    {
        final StandIn standIn = StandIn.get(StandIn.Symbols.NEW);
        try (KvDevice device = new AclDevice(standIn.context(0)); KvCounters counters = KvCounters.inMemory())
        {
            standIn.script("aclrtMallocHost", 0, 3, 207001);
            final StagingPool pool = new StagingPool(
                device, new DeviceSlabs(device), StagingConfig.parse("10:1"), counters);
            assertThat(pool.config().slots()).isEqualTo(7);
            assertThat(pool.freeCount()).isEqualTo(7);
            assertThat(counters.get(KvCounters.Kind.STAGING_SIZE_FALLBACKS)).isEqualTo(3);
            pool.acquire();
            assertThat(counters.get(KvCounters.Kind.STAGING_IN_USE)).isEqualTo(1);
            pool.close();

            standIn.script("aclrtMallocHost", 0, 100, 207001);
            assertThatThrownBy(() -> new StagingPool(
                device, new DeviceSlabs(device), StagingConfig.parse("10:1"), counters))
                .hasMessageContaining("207001 MEMORY_ALLOCATION");
            assertThat(standIn.count("ranges")).isZero();
        }
    }
}
