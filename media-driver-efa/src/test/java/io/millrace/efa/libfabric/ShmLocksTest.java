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
import org.junit.jupiter.api.Timeout;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Locks in real shared memory regions of libfabric, held by a process that is killed. The clock is the test's.
 */
@Timeout(150)
class ShmLocksTest
{
    private static final long LOOK_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final int LOOKS = 40;

    /** Too long to travel in the command itself, for which some versions take no lock. */
    private static final int MESSAGE_LENGTH = 1024;

    private final ShmLocks locks = new ShmLocks();
    private final List<String> unknown = new ArrayList<>();
    private long nowNs = System.nanoTime();

    @Test
    void shouldReleaseTheLockOfADeadProcessSoThatItsSenderGoesOn() throws Exception
    {
        try (Peer peer = new Peer(Peer.nic(FabricProvider.SHM)))
        {
            final Process holder = ForkedJvm.start(ShmLockHolderMain.class, ShmLockHolderMain.OWN);
            final byte[] address;
            final Thread sender;
            try (BufferedReader out = holder.inputReader(StandardCharsets.US_ASCII))
            {
                address = HexFormat.of().parseHex(out.readLine());
                final long toHolder = awaitHeld(peer, address, holder, out);
                sender = Thread.ofPlatform().daemon().start(
                    () -> peer.endpoint.inject(peer.sendAddress(), MESSAGE_LENGTH, 1, toHolder));
                assertThat(look(LOOKS)).as("its holder lives").isEmpty();
                assertThat(sender.isAlive()).as("waits for the lock").isTrue();
            }
            finally
            {
                holder.destroyForcibly().waitFor();
            }

            final String name = ShmRegionFile.name(address);
            Files.deleteIfExists(ShmRegionFile.DIRECTORY.resolve(name));
            assertThat(look(5)).as("too short").isEmpty();
            nowNs += TimeUnit.SECONDS.toNanos(10);
            assertThat(look(5)).as("after a pause without looks").isEmpty();
            assertThat(look(LOOKS)).containsExactly(new ShmLocks.Held(name, (int)holder.pid(), false));
            sender.join();
            assertThat(look(LOOKS)).isEmpty();
            assertThat(unknown).isEmpty();
        }
    }

    @Test
    void shouldReleaseTheOwnLockThatADeadSenderHeld() throws Exception
    {
        try (Peer peer = new Peer(Peer.nic(FabricProvider.SHM)))
        {
            final byte[] own = peer.endpoint.localAddress();
            final String name = ShmRegionFile.name(own);
            final Process holder = ForkedJvm.start(ShmLockHolderMain.class, ShmLockHolderMain.OTHER);
            try (BufferedReader out = holder.inputReader(StandardCharsets.US_ASCII))
            {
                awaitHeld(peer, HexFormat.of().parseHex(out.readLine()), holder, out);
            }
            finally
            {
                holder.destroyForcibly().waitFor();
            }

            final Thread poller = Thread.ofPlatform().daemon().start(peer::progress);
            final long region = ShmLockHolderMain.region(name);
            final int version = RawMemory.getUnsignedByte(region);
            RawMemory.putByte(region, (byte)77);
            assertThat(look(LOOKS)).as("an unknown version is not touched").isEmpty();
            assertThat(unknown).hasSize(1).allMatch((text) -> text.contains("version 77"));

            RawMemory.putByte(region, (byte)version);
            final List<ShmLocks.Held> released = look(LOOKS);
            assertThat(released).containsExactly(new ShmLocks.Held(name, (int)holder.pid(), true));
            assertThat(released.get(0).isOf(own)).isTrue();
            poller.join();
        }
    }

    @Test
    void shouldKnowTheDead() throws Exception
    {
        // a process that has ended, whose parent has become another program that knows nothing of it
        final Process parent = new ProcessBuilder(
            "sh", "-c", "exec 3<&0; cat <&3 & echo $!; exec sleep 60").start();
        try (BufferedReader out = parent.inputReader(StandardCharsets.US_ASCII))
        {
            final int zombie = Integer.parseInt(out.readLine());
            final Path name = Path.of("/proc", Long.toString(parent.pid()), "comm");
            while (!"sleep".equals(Files.readString(name).trim()))
            {
                Thread.onSpinWait();
            }
            assertThat(ShmLocks.isDead((int)parent.pid())).isFalse();
            assertThat(ShmLocks.isDead(zombie)).isFalse();
            parent.getOutputStream().close();
            while (!ShmLocks.isDead(zombie))
            {
                Thread.onSpinWait();
            }
            assertThat(Path.of("/proc", Integer.toString(zombie))).exists();
        }
        finally
        {
            parent.destroyForcibly().waitFor();
        }
        assertThat(ShmLocks.isDead((int)parent.pid())).isTrue();
    }

    private List<ShmLocks.Held> look(final int times)
    {
        final List<ShmLocks.Held> released = new ArrayList<>();
        for (int i = 0; i < times; i++)
        {
            nowNs += LOOK_INTERVAL_NS;
            released.addAll(locks.releaseThoseOfTheDead(nowNs, unknown::add));
        }
        return released;
    }

    private static long awaitHeld(
        final Peer peer, final byte[] address, final Process holder, final BufferedReader out) throws IOException
    {
        final long toHolder = peer.endpoint.insertAddress(address);
        try (BufferedWriter in = holder.outputWriter(StandardCharsets.US_ASCII))
        {
            in.write(HexFormat.of().formatHex(peer.endpoint.localAddress()) + "\n");
        }
        Peer.until(() -> 0 == peer.endpoint.inject(peer.sendAddress(), 8, 1, toHolder), peer);
        assertThat(out.readLine()).isEqualTo("locked");
        return toHolder;
    }
}
