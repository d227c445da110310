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

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Messages and writes between two processes, each content checked on the other side.
 */
class TwoProcessTest
{
    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource(names = { "SHM", "TCP" })
    void shouldCarryMessagesAndWritesBetweenProcesses(final FabricProvider provider) throws Exception
    {
        try (Peer peer = new Peer(Peer.nic(provider)))
        {
            final String own = HexFormat.of().formatHex(peer.endpoint.localAddress());
            final Path output = directory.resolve("out");
            final Process process =
                ForkedJvm.start(output, List.of(), EndpointMain.class, provider.name(), Integer.toString(own.length()));
            try
            {
                final String[] words = awaitAddress(output, process).split(" ");
                try (OutputStream in = process.getOutputStream())
                {
                    in.write(own.getBytes(StandardCharsets.US_ASCII));
                }
                final long toOther = peer.endpoint.insertAddress(HexFormat.of().parseHex(words[1]));
                exchange(peer, toOther, Long.parseLong(words[2]), Long.parseLong(words[3]));

                final ForkedJvm.Result result = ForkedJvm.await(process, output);
                assertThat(result.exitCode()).as(result.output()).isZero();
                assertThat(result.output()).endsWith("done\n");
            }
            finally
            {
                process.destroyForcibly();
            }
        }
    }

    private static void exchange(final Peer peer, final long toOther, final long key, final long base)
    {
        for (int i = 0; i < EndpointMain.ROUNDS; i++)
        {
            final int round = i;
            peer.postReceive(0, 64, 0);
            peer.sendBuffer.setMemory(0, EndpointMain.LENGTH, (byte)i);
            peer.sendBuffer.setMemory(EndpointMain.LENGTH, EndpointMain.LENGTH, (byte)~i);
            peer.send(peer, toOther, EndpointMain.LENGTH, i, 1);
            Peer.accepted(() -> peer.endpoint.writeData(
                peer.sendAddress() + EndpointMain.LENGTH, EndpointMain.LENGTH, peer.region.descriptor(),
                EndpointMain.ROUNDS + round, toOther, base + 16 * EndpointMain.LENGTH, key,
                peer.contexts.address(2)), peer);

            Peer.until(() -> 3 == peer.completions.size(), peer);
            assertThat(peer.errors).isEmpty();
            assertThat(peer.completions).anyMatch((c) -> c.receive() && c.data() == round);
            peer.completions.clear();
        }
    }

    private static String awaitAddress(final Path output, final Process process) throws IOException
    {
        final long deadlineNs = System.nanoTime() + 30_000_000_000L;
        String text = "";
        while (!text.contains("\n"))
        {
            assertThat(process.isAlive()).as(text).isTrue();
            assertThat(System.nanoTime() - deadlineNs).isNegative();
            text = Files.exists(output) ? Files.readString(output) : "";
        }
        return text.lines().findFirst().orElseThrow();
    }
}
