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

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * What endpoints leave behind: nothing when closed, and what is swept when killed.
 */
class LifecycleTest
{
    private static final int CYCLES = 8;
    private static final int CONTROL_ROUNDS = 300;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource(names = { "SHM", "TCP" })
    void shouldLeaveNoDescriptorAndNoFile(final FabricProvider provider) throws IOException
    {
        cycle(provider);
        final long descriptors = count(Path.of("/proc/self/fd"), "");
        final String ownFiles = ProcessHandle.current().pid() + ":";
        for (int i = 0; i < CYCLES; i++)
        {
            cycle(provider);
        }
        assertThat(count(Path.of("/proc/self/fd"), "")).isLessThanOrEqualTo(descriptors);
        assertThat(count(ShmRegionFile.DIRECTORY, ownFiles)).isZero();
    }

    private static void cycle(final FabricProvider provider)
    {
        final FabricNic nic = Peer.nic(provider);
        try (Peer a = new Peer(nic); Peer b = new Peer(nic))
        {
            final long toB = a.endpoint.insertAddress(b.endpoint.localAddress());
            b.postReceive(0, 8, 0);
            a.send(b, toB, 8, 1, 0);
            b.awaitCompletion(a);
            a.awaitCompletion(b);
            a.endpoint.removeAddress(toB);
        }
    }

    private static long count(final Path directory, final String prefix) throws IOException
    {
        try (Stream<Path> files = Files.list(directory))
        {
            return files.filter((file) -> file.getFileName().toString().startsWith(prefix)).count();
        }
    }

    @ParameterizedTest
    @EnumSource(names = { "SHM", "TCP" })
    void shouldRegisterAndInsertFromAnotherThreadThanTheOwner(final FabricProvider provider) throws Exception
    {
        final FabricNic nic = Peer.nic(provider);
        try (Peer a = new Peer(nic); Peer b = new Peer(nic); Peer c = new Peer(nic);
            NativeMemory memory = NativeMemory.allocate(NativeMemory.PAGE_SIZE))
        {
            final long toB = a.endpoint.insertAddress(b.endpoint.localAddress());
            final AtomicReference<Throwable> failure = new AtomicReference<>();
            final Thread conductor = new Thread(() ->
            {
                final Set<Long> keys = new HashSet<>();
                for (int i = 0; i < CONTROL_ROUNDS; i++)
                {
                    final long toC = a.endpoint.insertAddress(c.endpoint.localAddress());
                    try (MemoryRegion region = a.endpoint.register(
                        memory.address(), memory.length(), MemoryRegion.ACCESS_WRITE_TARGET))
                    {
                        keys.add(region.key());
                    }
                    a.endpoint.removeAddress(toC);
                }
                assertThat(keys).as("a key is not used again").hasSize(CONTROL_ROUNDS);
            });
            conductor.setUncaughtExceptionHandler((thread, ex) -> failure.set(ex));
            conductor.start();
            int rounds = 0;
            while (conductor.isAlive() || rounds < 100)
            {
                b.postReceive(0, 8, 0);
                a.send(b, toB, 8, rounds, 0);
                assertThat(b.awaitCompletion(a).data()).isEqualTo(rounds++);
                a.awaitCompletion(b);
            }
            conductor.join();
            assertThat(failure.get()).isNull();
        }
    }

    @ParameterizedTest
    @EnumSource(names = { "SHM", "TCP" })
    void shouldOutliveItsPeer(final FabricProvider provider) throws Exception
    {
        final Path output = directory.resolve("out");
        final Process process = ForkedJvm.start(output, List.of(), EndpointMain.class, provider.name(), "idle");
        try (Peer peer = new Peer(Peer.nic(provider)); Peer other = new Peer(Peer.nic(provider)))
        {
            await(() -> Files.exists(output) && Files.readString(output).contains("\n"), process);
            final String[] words = Files.readString(output).split(" ");
            final long toDead = peer.endpoint.insertAddress(HexFormat.of().parseHex(words[1]));
            peer.send(peer, toDead, 64, 0, 0);
            peer.awaitCompletion(peer);
            process.destroyForcibly().waitFor();

            // Anything but a crash: accepted, refused, or an error completion, as the provider notices.
            for (int i = 0; i < 3_000; i++)
            {
                peer.endpoint.send(
                    peer.sendAddress(), 64, peer.region.descriptor(), i, toDead, peer.contexts.address(i & 1023));
                peer.progress();
            }
            peer.errors.clear();
            peer.completions.clear();

            final long toOther = peer.endpoint.insertAddress(other.endpoint.localAddress());
            other.postReceive(0, 64, 0);
            peer.send(other, toOther, 64, 4711, 0);
            assertThat(other.awaitCompletion(peer).data()).isEqualTo(4711);
        }
        finally
        {
            process.destroyForcibly().waitFor();
            ShmSweeper.sweep();
        }
    }

    @Test
    void shouldUnwindWhenOpeningFails() throws IOException
    {
        final FabricNic nic = Peer.nic(FabricProvider.SHM);
        cycle(FabricProvider.SHM);
        final long descriptors = count(Path.of("/proc/self/fd"), "");
        for (int i = 0; i < CYCLES; i++)
        {
            assertThatThrownBy(() -> LibFabric.load().open(nic, new EndpointOptions(0, 0, Integer.MAX_VALUE)))
                .isInstanceOfSatisfying(FabricException.class, (ex) ->
                    assertThat(ex.getSuppressed()).as("closing what was open").isEmpty())
                .hasMessageContaining("fi_cq_open failed: ");
        }
        assertThat(count(Path.of("/proc/self/fd"), "")).isLessThanOrEqualTo(descriptors);
    }

    @Test
    void shouldRefuseOptionsThatMakeNoSense()
    {
        assertThatThrownBy(() -> new EndpointOptions(-1, 0, 0)).hasMessageContaining("txDepth -1");
        assertThatThrownBy(() -> new EndpointOptions(0, -2, 0)).hasMessageContaining("rxDepth -2");
        assertThatThrownBy(() -> new EndpointOptions(0, 0, -3)).hasMessageContaining("cqDepth -3");
        assertThatThrownBy(() -> new EndpointOptions(0, 0, 0, 8)).hasMessageContaining("rnrRetry 8");
    }

    @Test
    void shouldSweepFilesOfKilledProcessesOnly() throws Exception
    {
        final Path output = directory.resolve("out");
        final Process process = ForkedJvm.start(output, List.of(), EndpointMain.class, "SHM", "idle");
        final String prefix = process.pid() + ":";
        try (Peer living = new Peer(Peer.nic(FabricProvider.SHM)))
        {
            final String livingPrefix = ProcessHandle.current().pid() + ":";
            await(() -> Files.exists(output) && Files.readString(output).contains("address"), process);
            assertThat(count(ShmRegionFile.DIRECTORY, prefix)).isEqualTo(1);
            ShmSweeper.sweep();
            assertThat(count(ShmRegionFile.DIRECTORY, prefix)).as("of a living process").isEqualTo(1);

            process.destroyForcibly().waitFor();
            assertThat(ShmSweeper.sweep()).isGreaterThanOrEqualTo(1);
            assertThat(count(ShmRegionFile.DIRECTORY, prefix)).isZero();
            assertThat(count(ShmRegionFile.DIRECTORY, livingPrefix)).isEqualTo(1);
            assertThat(living.endpoint.pollEvents()).isZero();
        }
        finally
        {
            process.destroyForcibly();
        }
    }

    @Test
    void shouldSweepByNameOwnerAndLife() throws IOException
    {
        final Path proc = Files.createDirectory(directory.resolve("proc"));
        Files.createDirectory(proc.resolve("self"));
        Files.createDirectory(proc.resolve("100"));
        final Path shm = Files.createDirectory(directory.resolve("shm"));
        final List<String> kept = List.of(
            "100:7:0", "101:8:0", "101:7", "101:7:0:x", "x101:7:0", "aeron-101", "101:7:0.tmp");
        for (final String name : kept)
        {
            Files.createFile(shm.resolve(name));
        }
        Files.createDirectory(shm.resolve("102:7:0"));
        Files.createFile(shm.resolve("101:7:0"));
        Files.createFile(shm.resolve("101:7:1:12345"));

        assertThat(ShmSweeper.sweep(shm, 7, proc)).isEqualTo(2);
        assertThat(count(shm, "")).isEqualTo(kept.size() + 1);
        Files.delete(proc.resolve("self"));
        Files.createFile(shm.resolve("101:7:0"));
        assertThat(ShmSweeper.sweep(shm, 7, proc)).as("without a proc file system nobody is known dead").isZero();
        assertThat(ShmSweeper.sweep(directory.resolve("absent"), 7, proc)).isZero();
    }

    /** A condition that may fail to be read. */
    private interface Condition
    {
        boolean isTrue() throws IOException;
    }

    private static void await(final Condition condition, final Process process) throws IOException
    {
        final long deadlineNs = System.nanoTime() + 30_000_000_000L;
        while (!condition.isTrue())
        {
            assertThat(process.isAlive()).isTrue();
            assertThat(System.nanoTime() - deadlineNs).isNegative();
            Thread.onSpinWait();
        }
    }
}
