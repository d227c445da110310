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
package io.millrace.efa.media;

import org.junit.jupiter.api.Test;

import static io.millrace.efa.media.SocketPace.BUSY_NS;
import static io.millrace.efa.media.SocketPace.INTERVAL_NS;
import static io.millrace.efa.media.SocketPace.UDP_PEER_INTERVAL_NS;
import static io.millrace.efa.media.SocketPace.UDP_PEER_NS;
import static org.assertj.core.api.Assertions.assertThat;

class SocketPaceTest
{
    private static final long START_NS = Long.MAX_VALUE - BUSY_NS;

    private final SocketPace pace = new SocketPace(START_NS);

    @Test
    void shouldLookOnceAnIntervalWhileNothingComes()
    {
        final long quietNs = START_NS + BUSY_NS;
        assertThat(pace.isDue(quietNs)).isTrue();
        assertThat(pace.isDue(quietNs)).isFalse();
        assertThat(pace.isDue(quietNs + INTERVAL_NS - 1)).isFalse();
        assertThat(pace.isDue(quietNs + INTERVAL_NS)).isTrue();
        assertThat(pace.isDue(quietNs + INTERVAL_NS + 1)).isFalse();
    }

    @Test
    void shouldLookMoreOftenForASecondAfterAPeerOnUdp()
    {
        final long heardNs = START_NS + BUSY_NS;
        pace.onDatagram(heardNs);
        pace.onUdpPeer(heardNs);
        final long quietNs = heardNs + BUSY_NS;
        assertThat(pace.isDue(quietNs - 1)).isTrue();
        assertThat(pace.isDue(quietNs + UDP_PEER_INTERVAL_NS - 2)).isFalse();
        assertThat(pace.isDue(quietNs + UDP_PEER_INTERVAL_NS - 1)).isTrue();

        final long forgottenNs = heardNs + UDP_PEER_NS;
        assertThat(pace.isDue(forgottenNs)).isTrue();
        assertThat(pace.isDue(forgottenNs + UDP_PEER_INTERVAL_NS)).isFalse();
        assertThat(pace.isDue(forgottenNs + INTERVAL_NS)).isTrue();
    }

    @Test
    void shouldLookInEveryCycleWhileDatagramsCome()
    {
        final long heardNs = START_NS + 2 * BUSY_NS;
        assertThat(pace.isDue(heardNs)).isTrue();
        pace.onDatagram(heardNs);
        for (long nowNs = heardNs; nowNs < heardNs + BUSY_NS; nowNs += INTERVAL_NS / 4)
        {
            assertThat(pace.isDue(nowNs)).isTrue();
        }
        assertThat(pace.isDue(heardNs + BUSY_NS)).isFalse();
    }
}
