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
package io.millrace.bridge.registry;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import io.millrace.bridge.ChildJvm;
import io.millrace.bridge.CounterSet;
import io.millrace.bridge.device.CopyDirection;
import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.device.HostEvent;
import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.KvCopyQueue;
import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.KvDeviceContract;
import io.millrace.bridge.device.acl.AclDevice;
import io.millrace.bridge.device.acl.StandIn;
import org.agrona.BufferUtil;
import org.agrona.CloseHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

/**
 * Buffers that one process hands to another, with either side killed and started again.
 */
@Timeout(120)
class RegistryTest
{
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long TIMEOUT_NS = TimeUnit.SECONDS.toNanos(2);
    private static final int LENGTH = 10_000;

    @TempDir
    Path temp;

    private final CounterSet<RegistryCounter> counters = CounterSet.inMemory(RegistryCounter.class);
    private final List<Throwable> errors = new CopyOnWriteArrayList<>();
    private KvDevice device = new HostDevice();
    private RegistryServer server;

    private RegistryServer serve(final long clientTimeoutNs, final long deleteTimeoutNs)
    {
        server = RegistryServer.launch(
            temp.resolve("registry"), device, clientTimeoutNs, deleteTimeoutNs, counters, errors::add);
        return server;
    }

    @AfterEach
    void close()
    {
        CloseHelper.closeAll(server, device);
    }

    private ChildJvm client(final String name, final Path... files)
    {
        final String[] arguments = new String[3 + files.length];
        arguments[0] = "client";
        arguments[1] = temp.resolve("registry").toString();
        arguments[2] = name;
        for (int i = 0; i < files.length; i++)
        {
            arguments[3 + i] = files[i].toString();
        }
        return new ChildJvm(RegistryNode.class, arguments);
    }

    private Path file(final String name) throws IOException
    {
        final byte[] bytes = new byte[LENGTH];
        new Random(name.hashCode()).nextBytes(bytes);
        return Files.write(temp.resolve(name), bytes);
    }

    private static void await(final BooleanSupplier condition)
    {
        final long startNs = System.nanoTime();
        while (!condition.getAsBoolean())
        {
            if (System.nanoTime() - startNs > LIMIT_NS)
            {
                fail("not reached in time");
            }
            LockSupport.parkNanos(1_000_000);
        }
    }

    private void assertServed(final Path file) throws IOException
    {
        final byte[] bytes = new byte[LENGTH - 100];
        device.get(server.resolve("c", file.toString(), 100, LENGTH - 100), bytes, 0, bytes.length);
        final byte[] expected = Files.readAllBytes(file);
        assertThat(bytes).isEqualTo(java.util.Arrays.copyOfRange(expected, 100, LENGTH));
    }

    @Test
    void aClientThatIsPausedOrKilledIsReapedAndServedAgainWhenItIsBack() throws IOException
    {
        serve(TIMEOUT_NS, LIMIT_NS);
        final Path file = file("a");
        try (ChildJvm child = client("c", file))
        {
            assertThat(child.await("status ")).isEqualTo("MAPPED");
            await(() -> 1 == counters.get(RegistryCounter.BUFFERS));
            assertServed(file);
            await(() -> LENGTH == counters.get(RegistryCounter.BYTES));
            // What the owner of the device writes, the client sees.
            device.put(server.resolve("c", file.toString(), 5, 3), new byte[]{1, 2, 3}, 0, 3);
            assertThat(Files.readAllBytes(file)).containsSequence(1, 2, 3);
            assertThatThrownBy(() -> server.resolve("c", file.toString(), LENGTH - 5, 6))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("9995 + 6");

            child.signal("STOP");
            await(() -> counters.get(RegistryCounter.REAPED) > 0 && server.buffers().isEmpty());
            await(() -> 0 == counters.get(RegistryCounter.CLIENTS));
            child.signal("CONT");
            await(() -> 1 == server.buffers().size());
        }
        await(() -> counters.get(RegistryCounter.REAPED) > 1 && server.buffers().isEmpty());

        try (ChildJvm child = client("c"))
        {
            assertThat(child.await("status ")).isEqualTo("MAPPED");
            await(() -> 1 == server.buffers().size());
            assertServed(file);
            await(() -> counters.get(RegistryCounter.REPLAYS) > 0);
            assertThatThrownBy(() -> RegistryClient.open(temp.resolve("registry"), "c"))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("a live process uses");
        }
        assertThat(errors).isEmpty();
    }

    @Test
    void aServerThatIsKilledAndStartedAgainMapsAllAnew() throws IOException
    {
        final Path file = file("a");
        final Path directory = temp.resolve("registry");
        try (RegistryClient client = RegistryClient.open(directory, "c", TIMEOUT_NS))
        {
            final RegisteredBuffer buffer = client.registerFile(file, 4096, LENGTH - 4096);
            assertThat(client.status(buffer)).isEqualTo(MapStatus.UNSERVED);
            try (ChildJvm child = new ChildJvm(RegistryNode.class, "server", directory.toString()))
            {
                child.await("ready");
                assertThat(client.await(buffer, LIMIT_NS)).isEqualTo(MapStatus.MAPPED);
                assertThatThrownBy(() -> serve(LIMIT_NS, LIMIT_NS)).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("a live server uses");
            }
            await(() -> MapStatus.UNSERVED == client.status(buffer));
            assertThat(client.isServerAlive()).isFalse();

            try (ChildJvm child = new ChildJvm(RegistryNode.class, "server", directory.toString()))
            {
                child.await("ready");
                assertThat(client.await(buffer, LIMIT_NS)).isEqualTo(MapStatus.MAPPED);
                client.unregister(buffer);
                await(() -> MapStatus.UNREGISTERED == client.status(buffer));
                assertThat(client.buffers()).isEmpty();
                assertThatThrownBy(() -> client.unregister(buffer))
                    .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("is not registered");
            }
        }
    }

    @Test
    void registersOnceAndRefusesWhatCannotBeMapped() throws IOException
    {
        serve(LIMIT_NS, 1);
        final Path file = file("a");
        final Path shorter = file("b");
        final Path badFile = temp.resolve("registry").resolve("bad.client");
        final byte[] foreign = new byte[4096 + 1024 * 1024];
        foreign[0] = 1;
        Files.move(Files.write(temp.resolve("foreign"), foreign), badFile);
        final Path shortFile = temp.resolve("registry").resolve("short.client");
        Files.write(shortFile, new byte[8]);
        try (RegistryClient client = RegistryClient.open(temp.resolve("registry"), "c"))
        {
            final RegisteredBuffer buffer = client.registerFile(file, 0, LENGTH);
            assertThat(client.registerFile(file, 0, LENGTH)).isEqualTo(buffer);
            assertThat(client.await(buffer, LIMIT_NS)).isEqualTo(MapStatus.MAPPED);
            assertThatThrownBy(() -> client.registerFile(file, 0, LENGTH + 1))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("with 10000 bytes, now with 10001");
            assertThatThrownBy(() -> client.registerFile(file, 7, 10))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("offset=7");

            final RegisteredBuffer tooLong = client.registerFile(shorter, 0, LENGTH * 2);
            assertThat(client.await(tooLong, LIMIT_NS)).isEqualTo(MapStatus.REFUSED);
            assertThat(client.refusal(tooLong)).contains("0 + 20000").contains("of 10000 bytes");
            Files.write(shorter, new byte[LENGTH * 2]);
            client.registerFile(shorter, 0, LENGTH * 2);
            await(() -> MapStatus.MAPPED == client.status(tooLong));
            final RegisteredBuffer key = client.registerDevice("no-such-key", LENGTH);
            assertThat(client.await(key, LIMIT_NS)).isEqualTo(MapStatus.REFUSED);
            assertThat(client.refusal(key)).contains("host:0 cannot import device memory");

            assertThat(counters.get(RegistryCounter.MAPS)).isEqualTo(2);
            assertThat(counters.get(RegistryCounter.REFUSALS)).isEqualTo(2);
            await(() -> 2 == counters.get(RegistryCounter.BAD_FILES));
            assertThat(errors).hasSize(2).extracting(Throwable::getMessage)
                .anyMatch(each -> each.contains("bad.client has magic 0x1"))
                .anyMatch(each -> each.contains("short.client has 8 bytes, not 1052672"));
            assertThat(badFile).hasBinaryContent(foreign);
            assertThat(shortFile).hasBinaryContent(new byte[8]);
            Files.delete(badFile);
            try (RegistryClient remade = RegistryClient.open(temp.resolve("registry"), "bad"))
            {
                assertThat(remade.await(remade.registerFile(file, 0, LENGTH), LIMIT_NS)).isEqualTo(MapStatus.MAPPED);
            }
        }
        await(() -> server.buffers().isEmpty() && !Files.exists(temp.resolve("registry").resolve("c.client")));
        assertThatThrownBy(() -> RegistryClient.open(temp, "a/b"))
            .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("'a/b'");
    }

    @Test
    void anAscendDeviceImportsDeviceMemoryAndPinsHostMemory() throws IOException
    {
        final StandIn standIn = StandIn.get(StandIn.Symbols.NEW);
        device.close();
        device = new AclDevice(standIn.context(1));
        serve(LIMIT_NS, LIMIT_NS);
        try (AclDevice owner = new AclDevice(standIn.context(0));
            RegistryClient client = RegistryClient.open(temp.resolve("registry"), "c"))
        {
            final long address = owner.allocate(LENGTH);
            final byte[] bytes = {1, 2, 3, 4};
            owner.put(address + 10, bytes, 0, 4);
            final String key = owner.exportMemory(address, LENGTH);

            final RegisteredBuffer buffer = client.registerDevice(key, LENGTH);
            final RegisteredBuffer pinned = client.registerFile(file("a"), 0, LENGTH);

            assertThat(client.await(buffer, LIMIT_NS)).as(client.refusal(buffer)).isEqualTo(MapStatus.MAPPED);
            assertThat(client.await(pinned, LIMIT_NS)).as(client.refusal(pinned)).isEqualTo(MapStatus.MAPPED);
            final byte[] read = new byte[4];
            device.get(server.resolve("c", key, 10, 4), read, 0, 4);
            assertThat(read).isEqualTo(bytes);
            client.unregister(buffer);
            client.unregister(pinned);
            await(() -> server.buffers().isEmpty());
        }
    }

    @Test
    void aBufferThatCopiesUseStaysMappedAndIsNotGivenBack() throws IOException
    {
        final StandIn standIn = StandIn.get(StandIn.Symbols.NEW);
        device.close();
        device = new AclDevice(standIn.context(1).drainTimeoutNs(TimeUnit.MILLISECONDS.toNanos(20)));
        serve(LIMIT_NS, LIMIT_NS);
        final Path file = file("a");
        try (ChildJvm child = client("c", file))
        {
            assertThat(child.await("status ")).isEqualTo("MAPPED");
        }
        await(() -> 1 == counters.get(RegistryCounter.BUFFERS));
        final long mapped = server.resolve("c", file.toString(), 0, LENGTH);
        final KvCopyQueue queue = device.openQueue();
        final KvCopyBatch batch = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
        batch.add(mapped, device.allocate(LENGTH), LENGTH);
        standIn.stick(true);
        queue.submit(batch);

        // The client is started again, so that its buffer is to be mapped anew.
        try (RegistryClient client = RegistryClient.open(temp.resolve("registry"), "c"))
        {
            await(() -> counters.get(RegistryCounter.UNMAP_DELAYS) > 0);
            final RegisteredBuffer buffer = client.buffers().get(0);
            client.unregister(buffer);
            final long delays = counters.get(RegistryCounter.UNMAP_DELAYS);
            await(() -> counters.get(RegistryCounter.UNMAP_DELAYS) > delays + 1);
            assertThat(server.buffers()).hasSize(1);
            assertThat(client.status(buffer)).isEqualTo(MapStatus.UNMAPPING);

            standIn.stick(false);
            assertThat(KvDeviceContract.complete(queue, batch)).isEqualTo(KvCopyBatch.COMPLETED);
            await(() -> MapStatus.UNREGISTERED == client.status(buffer));
            assertThat(server.buffers()).isEmpty();
        }
        queue.close();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aServerThatIsClosedWhileCopiesRunSaysSoAndKeepsTheirMemory(final boolean isNpu) throws IOException
    {
        final StandIn standIn = StandIn.get(StandIn.Symbols.NEW);
        final long drainNs = TimeUnit.MILLISECONDS.toNanos(20);
        device.close();
        device = isNpu ? new AclDevice(standIn.context(1).drainTimeoutNs(drainNs)) : new HostDevice(0, 1, drainNs);
        serve(LIMIT_NS, LIMIT_NS);
        final Path used = file("a");
        try (RegistryClient client = RegistryClient.open(temp.resolve("registry"), "c"))
        {
            final RegisteredBuffer stuck = client.registerFile(used, 0, LENGTH);
            final RegisteredBuffer free = client.registerFile(file("b"), 0, LENGTH);
            assertThat(client.await(stuck, LIMIT_NS)).isEqualTo(MapStatus.MAPPED);
            assertThat(client.await(free, LIMIT_NS)).isEqualTo(MapStatus.MAPPED);
            final KvCopyQueue queue = device.openQueue();
            final ByteBuffer staging = device.allocateStaging(LENGTH);
            final long mapped = server.resolve("c", used.toString(), 0, LENGTH);
            final KvCopyBatch batch = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
            final HostEvent event = isNpu ? null : new HostEvent();
            batch.add(isNpu ? mapped : BufferUtil.address(staging), isNpu ? device.allocate(LENGTH) : mapped, LENGTH);
            batch.acquire(event);
            standIn.stick(isNpu);
            queue.submit(batch);

            assertThatThrownBy(server::close).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("1 buffers of registry").hasMessageContaining(used.toString())
                .hasMessageContaining("is in use after");
            client.unregister(stuck);
            client.unregister(free);
            assertThat(client.status(stuck)).isEqualTo(MapStatus.UNMAPPING);
            assertThat(client.status(free)).isEqualTo(MapStatus.UNREGISTERED);
            assertThatThrownBy(() -> serve(LIMIT_NS, LIMIT_NS)).hasMessageContaining("a live server uses");

            standIn.stick(false);
            if (null != event)
            {
                event.signal();
            }
            assertThat(KvDeviceContract.complete(queue, batch)).isEqualTo(KvCopyBatch.COMPLETED);
            server.close();
            assertThat(client.status(stuck)).isEqualTo(MapStatus.UNREGISTERED);
            queue.close();
            device.freeStaging(staging);
        }
    }

    @Test
    void aServerThatIsPausedHasItsMappingsAndOneThatIsKilledHasNot() throws IOException
    {
        final Path directory = temp.resolve("registry");
        try (RegistryClient client = RegistryClient.open(directory, "c", TIMEOUT_NS);
            ChildJvm child = new ChildJvm(RegistryNode.class, "server", directory.toString()))
        {
            child.await("ready");
            final RegisteredBuffer buffer = client.registerFile(file("a"), 0, LENGTH);
            final RegisteredBuffer other = client.registerFile(file("b"), 0, LENGTH);
            assertThat(client.await(buffer, LIMIT_NS)).isEqualTo(MapStatus.MAPPED);
            assertThat(client.await(other, LIMIT_NS)).isEqualTo(MapStatus.MAPPED);
            child.signal("STOP");
            await(() -> !client.isServerAlive());
            client.unregister(buffer);
            assertThat(client.status(buffer)).isEqualTo(MapStatus.UNMAPPING);
            assertThat(client.registerFile(file("d"), 0, LENGTH).entry()).isNotEqualTo(buffer.entry());
            child.signal("CONT");
            await(() -> MapStatus.UNREGISTERED == client.status(buffer));

            child.signal("STOP");
            client.unregister(other);
            assertThat(client.status(other)).isEqualTo(MapStatus.UNMAPPING);
            child.signal("KILL");
            await(() -> MapStatus.UNREGISTERED == client.status(other));
        }
    }
}
