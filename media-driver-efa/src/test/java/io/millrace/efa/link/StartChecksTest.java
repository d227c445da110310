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
package io.millrace.efa.link;

import io.aeron.exceptions.ConfigurationException;
import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.FabricNic;
import io.millrace.efa.libfabric.MachineLimits;
import org.junit.jupiter.api.Test;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class StartChecksTest
{
    private static final long RAIL_BYTES = 512 * (65_984 + 2_496);
    private static final long MIB = 1 << 20;
    private static final int TERM_LENGTH = 16 << 20;
    private static final int PAGE_SIZE = 4096;

    private static StartChecks checks(final String protocol, final int rails, final MachineLimits limits)
    {
        final ProtocolChoice choice = new ProtocolChoice(protocol, protocol, protocol, "test", true, false,
            Collections.nCopies(rails, (FabricNic)null));
        return new StartChecks(new FabricSettings(choice, new EfaContext().railSlots(256), 1, 2, List.of()), limits);
    }

    private static StartChecks checks(final EfaContext context, final MachineLimits limits)
    {
        final ProtocolChoice choice = new ProtocolChoice("efa", "efa", "efa", "test", true, false,
            Collections.nCopies(1, (FabricNic)null));
        return new StartChecks(new FabricSettings(choice, context.railSlots(256), 1, 2, List.of()), limits);
    }

    @Test
    void shouldWarnOfLogsThatLockedMemoryHasNoRoomFor()
    {
        final MachineLimits little = new MachineLimits(100 * MIB, true, 0, PAGE_SIZE);
        assertThat(checks("efa", 1, little).logs(TERM_LENGTH, 8128, PAGE_SIZE)).singleElement().asString()
            .contains("(RLIMIT_MEMLOCK) is 104857600 bytes, the rails register 35061760")
            .contains("terms of 16777216 bytes registers 50331648 bytes, 12288 pages of 4096")
            .contains("room for 2 logs", "lower aeron.term.buffer.length", "ulimit -l unlimited");

        assertThat(checks("efa", 1, new MachineLimits(130 * MIB, true, 0, PAGE_SIZE))
            .logs(TERM_LENGTH, 8128, PAGE_SIZE)).isEmpty();
        assertThat(checks("efa", 1, little).logs(1 << 20, 8128, PAGE_SIZE)).as("shorter terms").isEmpty();
        assertThat(checks("efa", 1, little).logs(TERM_LENGTH, 1408, PAGE_SIZE)).as("none is registered").isEmpty();
        assertThat(checks("tcp", 1, little).logs(TERM_LENGTH, 8128, PAGE_SIZE)).as("does not pin").isEmpty();
    }

    @Test
    void shouldWarnOfLogsBeyondTheBudgetOfPages()
    {
        final MachineLimits limits = new MachineLimits(0, false, 0, PAGE_SIZE);
        assertThat(checks(new EfaContext().logPagesPerRegion(12_287), limits).logs(TERM_LENGTH, 8128, PAGE_SIZE))
            .singleElement().asString()
            .contains("12288 pages of 4096, more than millrace.efa.log.pages.per.region=12287", "huge pages");
        assertThat(checks(new EfaContext().logPagesPerNic(24_575), limits).logs(TERM_LENGTH, 8128, PAGE_SIZE))
            .singleElement().asString()
            .contains("millrace.efa.log.pages.per.nic=24575 has no room for 2 of them");
        assertThat(checks(new EfaContext().logPagesPerNic(24_576).logPagesPerRegion(12_288), limits)
            .logs(TERM_LENGTH, 8128, PAGE_SIZE)).isEmpty();
        assertThat(checks(new EfaContext().logPagesPerNic(48), limits).logs(TERM_LENGTH, 8128, 2 * MIB))
            .as("huge pages").isEmpty();
        assertThat(checks("udp", 0, limits).logs(TERM_LENGTH, 8128, PAGE_SIZE)).isEmpty();
    }

    @Test
    void shouldCountWhatRailsRegister()
    {
        final MachineLimits limits = new MachineLimits(0, false, 0, PAGE_SIZE);
        assertThat(checks("efa", 1, limits).railBytes()).isEqualTo(RAIL_BYTES);
        assertThat(checks("efa", 4, limits).railBytes()).isEqualTo(4 * RAIL_BYTES);
        assertThat(checks("udp", 0, limits).railBytes()).isZero();
    }

    @Test
    void shouldRefuseEfaWithLittleLockedMemory()
    {
        final MachineLimits little = new MachineLimits(8 * MIB, true, 0, PAGE_SIZE);
        assertThatThrownBy(checks("efa", 2, little)::requireRails)
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContaining("(RLIMIT_MEMLOCK) is 8388608 bytes, and 2 rails register 70123520 bytes")
            .hasMessageContaining("ulimit -l unlimited")
            .hasMessageContaining("or lower millrace.efa.rail.slots=256");

        assertThat(checks("efa", 2, new MachineLimits(67 * MIB, true, 0, PAGE_SIZE)).rails()).isEmpty();
        assertThat(checks("efa", 2, new MachineLimits(8 * MIB, false, 0, PAGE_SIZE)).rails())
            .as("may lock what it likes").isEmpty();
        assertThat(checks("tcp", 2, little).rails()).as("does not pin").isEmpty();
    }

    @Test
    void shouldRefuseShmWithLittleSharedMemory()
    {
        final MachineLimits little = new MachineLimits(0, true, 64 * MIB, PAGE_SIZE);
        assertThatThrownBy(checks("shm", 2, little)::requireRails)
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContaining("/dev/shm has 67108864 bytes free, and the endpoints of 2 rails")
            .hasMessageContaining("docker run --shm-size=1g");
        assertThat(checks("shm", 1, little).rails()).isEmpty();
        assertThat(checks("tcp", 2, little).rails()).isEmpty();
    }

    @Test
    void shouldWarnOfADirectoryWithoutRoomForAStream()
    {
        final Path directory = Path.of("/dev/shm/aeron-x");
        final List<String> found = StartChecks.directory(directory, 64 * MIB, TERM_LENGTH, PAGE_SIZE);
        assertThat(found).hasSize(1);
        assertThat(found.get(0)).contains(
            "/dev/shm/aeron-x is on a file system with 67108864 bytes free", "terms of 16777216 bytes",
            "lower aeron.term.buffer.length");
        assertThat(StartChecks.directory(directory, 128 * MIB, TERM_LENGTH, PAGE_SIZE)).isEmpty();
    }
}
