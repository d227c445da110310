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

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * A process that gets a message from an endpoint, whose address it reads, and then takes and keeps the lock of a shared
 * memory region: its own, or that of the endpoint.
 */
final class ShmLockHolderMain
{
    static final String OWN = "own";
    static final String OTHER = "other";

    private ShmLockHolderMain()
    {
    }

    public static void main(final String[] args) throws Exception
    {
        try (Peer peer = new Peer(Peer.nic(FabricProvider.SHM));
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII)))
        {
            final byte[] own = peer.endpoint.localAddress();
            System.out.println(HexFormat.of().formatHex(own));
            final byte[] other = HexFormat.of().parseHex(in.readLine());
            peer.endpoint.insertAddress(other);
            peer.postReceive(0, 64, 0);
            peer.awaitCompletion(peer);

            final byte[] address = OWN.equals(args[0]) ? own : other;
            if (0 != LibC.INSTANCE.pthread_spin_trylock(lock(ShmRegionFile.name(address))))
            {
                throw new IllegalStateException("the lock is not free");
            }
            System.out.println("locked");
            Thread.sleep(Long.MAX_VALUE);
        }
    }

    /**
     * Address of the lock of a region that this process has mapped.
     */
    static long lock(final String name) throws IOException
    {
        final long region = region(name);
        return region + ShmLocks.lockOffset(RawMemory.getUnsignedByte(region));
    }

    static long region(final String name) throws IOException
    {
        for (final String line : Files.readAllLines(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1))
        {
            if (line.contains("/dev/shm/" + name))
            {
                return Long.parseUnsignedLong(line.substring(0, line.indexOf('-')), 16);
            }
        }
        throw new IllegalStateException("region " + name + " is not mapped");
    }
}
