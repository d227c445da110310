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

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * libfabric in the process leaves the JVM's signal handling alone.
 */
class HazardTest
{
    private static final int SIGACTION_LENGTH = 152;
    private static final int FLAGS_OFFSET = 136;

    @Test
    void shouldLiveThroughNullChecksStackOverflowAndDeoptimisation() throws Exception
    {
        final ForkedJvm.Result result = ForkedJvm.run(List.of("-XX:-BackgroundCompilation"), HazardMain.class);
        assertThat(result.exitCode()).as(result.output()).isZero();
        assertThat(result.output())
            .contains("SHM [shm/").contains("null checks 4").contains("overflow caught").contains("received 77")
            .endsWith("survived\n");
    }

    @Test
    void shouldKeepEverySignalHandler() throws Exception
    {
        final ForkedJvm.Result result = ForkedJvm.run(List.of(), SignalMain.class);
        assertThat(result.exitCode()).as(result.output()).isZero();
        assertThat(result.output()).isEqualTo("changed []\n");
    }

    @Test
    void shouldLetTheJvmChangeItsOwnHandlersMeanwhile() throws Exception
    {
        final ForkedJvm.Result result = ForkedJvm.run(List.of(), SignalMain.class, "own");
        assertThat(result.exitCode()).as(result.output()).isZero();
        // SIGWINCH is 28.
        assertThat(result.output()).isEqualTo("changed [28]\n");
    }

    /**
     * Prints the signals whose handlers are others after libfabric was loaded and has opened endpoints.
     */
    static final class SignalMain
    {
        private SignalMain()
        {
        }

        public static void main(final String[] args)
        {
            final List<String> before = handlers();
            if (args.length > 0)
            {
                SignalGuard.guarded(() ->
                    sun.misc.Signal.handle(new sun.misc.Signal("WINCH"), (signal) -> System.out.println(signal)));
            }
            final LibFabric fabric = LibFabric.load();
            for (final FabricProvider provider : FabricProvider.values())
            {
                fabric.nics(provider);
            }
            new Peer(Peer.nic(FabricProvider.SHM)).close();
            new Peer(Peer.nic(FabricProvider.TCP)).close();

            final List<String> after = handlers();
            final List<Integer> changed = new ArrayList<>();
            for (int i = 0; i < before.size(); i++)
            {
                if (!before.get(i).equals(after.get(i)))
                {
                    changed.add(i + 1);
                }
            }
            System.out.println("changed " + changed);
        }

        private static List<String> handlers()
        {
            final List<String> handlers = new ArrayList<>();
            try (Arena arena = Arena.ofConfined())
            {
                for (int signal = 1; signal <= 31; signal++)
                {
                    final long action = arena.allocate(SIGACTION_LENGTH, Long.BYTES).address();
                    LibC.INSTANCE.sigaction(signal, 0, action);
                    handlers.add(RawMemory.getLong(action) + " " + RawMemory.getInt(action + FLAGS_OFFSET));
                }
            }
            return handlers;
        }
    }
}
