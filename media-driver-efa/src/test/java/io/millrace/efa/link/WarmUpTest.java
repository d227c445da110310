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

import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A link carries frames only when its rails were heard in both directions.
 */
class WarmUpTest extends SimulatedNetwork
{
    @Test
    void shouldProveAllPathsOfUnequalRails()
    {
        sender = keyed(true, 100, 3);
        receiver = keyed(false, 200, 2);
        connect();
        run(50);

        assertLinked();
        assertThat(receiver.link.isUp()).isTrue();
        assertThat(sender.link.paths().size()).isEqualTo(3);
        assertThat(receiver.link.paths().size()).isEqualTo(3);
        assertThat(sender.counters.railsUnproven().get()).isZero();
    }

    @Test
    void shouldNotBeUpBeforeRailsReachThePeer()
    {
        areRailsCut = true;
        connect();
        run(4_900);
        assertThat(sender.link).isNull();
        assertThat(sender.counters.handshakes().get()).isEqualTo(1);
        assertThat(sender.counters.fallbacks().get()).isZero();

        run(300);
        assertThat(sender.errors).singleElement().asString()
            .contains("rails brought no answer of the peer for 5000 ms");
        assertThat(sender.counters.links().get()).isZero();
        assertThat(sender.counters.railsUnproven().get()).isEqualTo(1);

        areRailsCut = false;
        run(2_000);
        assertLinked();
    }

    @Test
    void shouldUseTheRailsThatAnswer()
    {
        sender = keyed(true, 100, 2);
        receiver = keyed(false, 200, 2);
        cutEndpoint = sender.endpoints.get(1);
        connect();
        run(5_200);

        assertThat(sender.link.isUp()).isTrue();
        assertThat(sender.link.paths().size()).isEqualTo(1);
        assertThat(sender.link.paths().path(0).rail().index()).isEqualTo(1);
        assertThat(sender.counters.railsUnproven().get()).isEqualTo(1);
        assertThat(sender.counters.links().get()).isEqualTo(1);
    }

    @Test
    void shouldBelieveNoProbeOfAnother()
    {
        connect();
        run(100);
        assertLinked();
        final RailProbe probe = new RailProbe();
        final byte[] message = new byte[RailProbe.LENGTH];
        final long rejected = receiver.counters.framesRejected().get();
        for (final long token : new long[] { 0, 1, Long.MIN_VALUE })
        {
            new UnsafeBuffer(probe.encode(false, token, 0), RailProbe.LENGTH).getBytes(0, message);
            receiver.endpoints.get(0).arrive(message, receiver.link.handle());
            receiver.run();
        }
        final long token = Peering.token(100, 200);
        for (final int path : new int[] { -1, 64, Integer.MAX_VALUE })
        {
            new UnsafeBuffer(probe.encode(true, token, path), RailProbe.LENGTH).getBytes(0, message);
            receiver.endpoints.get(0).arrive(message, receiver.link.handle());
            receiver.run();
        }
        assertThat(receiver.counters.framesRejected().get()).isEqualTo(rejected + 6);
        assertLinked();
    }
}
