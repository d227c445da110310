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

import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailCounters;
import io.millrace.efa.rail.RailPeer;
import io.millrace.efa.rail.ScriptedEndpoint;
import io.millrace.efa.term.PlacedImages;
import org.agrona.BufferUtil;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;
import org.agrona.concurrent.status.CountersManager;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

/**
 * When the rails of an agent are polled, by times of the test.
 */
class RailSetTest
{
    private static final long REST_NS = 3_000;
    private static final long STALL_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(5);
    private static final long CYCLE_NS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final int LENGTH = 64;

    private final RailChannel first = newChannel(true);
    private final RailChannel second = newChannel(true);
    private final RailSet railSet = new RailSet(
        mock(FabricEvents.class), mock(AtomicCounter.class), mock(ErrorHandler.class), STALL_TIMEOUT_NS,
        STALL_TIMEOUT_NS, mock(PlacedImages.class));
    private final ScriptedEndpoint endpoint = new ScriptedEndpoint(8, 0, 1024);
    private final Rail rail = newRail();
    private final RailPeer peer = rail.peers().acquire(1, new byte[] { 1 });
    private final ByteBuffer message = ByteBuffer.allocateDirect(LENGTH);
    private long nowNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);

    @Test
    void shouldPollOncePerDutyCycleWithTheSameChannel()
    {
        for (int cycle = 0; cycle < 3; cycle++)
        {
            nowNs += REST_NS;
            assertPolled(true, first);
            assertPolled(false, second);
        }
    }

    @Test
    void shouldTakeTurnsOverFromAChannelThatIsClosedOrPolledNoMore()
    {
        assertPolled(true, first);
        when(first.isClosed()).thenReturn(true);
        nowNs += REST_NS;
        assertPolled(true, second);

        final RailChannel third = newChannel(true);
        nowNs += REST_NS;
        assertPolled(false, third);
        nowNs += REST_NS;
        assertPolled(true, third);
        assertPolled(false, second);
    }

    @Test
    void shouldRestWhileNothingIsUnderWay()
    {
        assertPolled(true, first);
        nowNs += REST_NS - 1;
        assertPolled(false, first);
        nowNs++;
        assertPolled(true, first);
        assertPolled(false, first);
    }

    @Test
    void shouldNotRestWhileAnOperationIsInFlight()
    {
        assertPolled(true, first);
        assertThat(send()).isEqualTo(Rail.POSTED);
        assertPolled(true, first);
        assertPolled(true, first);
        endpoint.completeSend(0);
        assertPolled(true, first);
        assertPolled(false, first);
    }

    @Test
    void shouldNotRestAfterAMessage()
    {
        assertPolled(true, first);
        endpoint.arrive(new byte[LENGTH], 1);
        assertPolled(false, first);
        nowNs += REST_NS;
        assertPolled(true, first);
        assertPolled(true, first);
        assertPolled(false, first);
    }

    @Test
    void shouldNotRestAfterARailHasPushedBack()
    {
        assertPolled(true, first);
        endpoint.postResult = -FabricErrors.EAGAIN;
        assertThat(send()).isEqualTo(Rail.BUSY);
        assertPolled(true, first);
        assertPolled(false, first);
    }

    @Test
    void shouldNotTakeAPauseOfTheAgentForTheAgeOfAnOperation()
    {
        poll(first);
        nowNs += CYCLE_NS;
        poll(first);
        send();
        nowNs += 2 * STALL_TIMEOUT_NS;
        poll(first);
        assertThat(rail.isUsable()).isTrue();
        assertThat(rail.isSlow(peer)).isFalse();
        nowNs += CYCLE_NS;
        poll(first);
        assertThat(rail.isUsable()).as("has time to end").isTrue();

        for (int i = 0; i < 5; i++)
        {
            nowNs += CYCLE_NS;
            poll(first);
        }
        assertThat(rail.isUsable()).isFalse();
    }

    @Test
    void shouldCheckRailsOfAnAgentThatIsAlwaysSlow()
    {
        poll(first);
        send();
        final long startNs = nowNs;
        while (nowNs - startNs < 2 * STALL_TIMEOUT_NS)
        {
            nowNs += TimeUnit.MILLISECONDS.toNanos(70);
            poll(first);
        }
        assertThat(rail.isUsable()).isFalse();
    }

    @Test
    void shouldPollForBothAgentsWithAChannelOfTheReceiverInEachCycle()
    {
        final RailChannel receiving = newChannel(false);
        assertPolled(true, first);
        assertPolled(true, receiving);
        for (int cycle = 0; cycle < 3; cycle++)
        {
            nowNs++;
            assertPolled(false, first);
            assertPolled(true, receiving);
        }

        nowNs++;
        assertPolled(true, receiving);
        assertPolled(true, receiving);

        when(receiving.isClosed()).thenReturn(true);
        nowNs += REST_NS;
        assertPolled(true, first);
    }

    private static RailChannel newChannel(final boolean isSender)
    {
        final RailChannel channel = mock(RailChannel.class);
        when(channel.isSender()).thenReturn(isSender);
        return channel;
    }

    private void assertPolled(final boolean isPolled, final RailChannel channel)
    {
        final int polls = railSet.polls();
        poll(channel);
        assertThat(railSet.polls() - polls).isEqualTo(isPolled ? 1 : 0);
    }

    private void poll(final RailChannel channel)
    {
        railSet.poll(channel, nowNs);
    }

    private int send()
    {
        return rail.send(peer, BufferUtil.address(message), LENGTH, 1, 1, 1);
    }

    private Rail newRail()
    {
        final CountersManager countersManager = new CountersManager(
            new UnsafeBuffer(ByteBuffer.allocateDirect(64 * 1024)),
            new UnsafeBuffer(ByteBuffer.allocateDirect(16 * 1024)), US_ASCII);
        final Rail opened = new Rail(0, endpoint, 8, 1024, 1024);
        opened.attach(new RailCounters(countersManager, "test"), railSet);
        railSet.rails(new Rail[] { opened });
        return opened;
    }
}
