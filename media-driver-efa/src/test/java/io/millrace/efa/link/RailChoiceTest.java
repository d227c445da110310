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
import io.millrace.efa.rail.RailListener;
import io.millrace.efa.rail.RailPeer;
import io.millrace.efa.rail.ScriptedEndpoint;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersManager;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

/**
 * Choice among real rails on scripted endpoints.
 */
class RailChoiceTest
{
    private static final int MESSAGE_LENGTH = 32 * 1024;
    private static final long STALL_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(5);
    private static final int HOME = 0;

    private final ByteBuffer message = ByteBuffer.allocateDirect(MESSAGE_LENGTH);
    private final List<ScriptedEndpoint> endpoints = new ArrayList<>();
    private final List<RailPath> paths = new ArrayList<>();
    private final RailListener listener = mock(RailListener.class);

    @Test
    void shouldKeepAQuietStreamOnItsHome()
    {
        final RailChoice choice = choice(1000, 1000, 1000);
        for (int key = -4; key < 4; key++)
        {
            final int home = choice.choose(key, MESSAGE_LENGTH, 0);
            assertThat(home).isEqualTo((key & Integer.MAX_VALUE) % 3);
            post(home, 3);
            assertThat(choice.choose(key, MESSAGE_LENGTH, 0)).as("below the limit").isEqualTo(home);
            complete(home);
        }
    }

    @Test
    void shouldJoinTheShortestQueueWhenTheHomeIsBusy()
    {
        final RailChoice choice = choice(1000, 1000, 1000);
        post(HOME, 4);
        post(1, 2);
        assertThat(choice.choose(HOME, MESSAGE_LENGTH, 0)).isEqualTo(2);
        post(2, 3);
        assertThat(choice.choose(HOME, MESSAGE_LENGTH, 0)).isEqualTo(1);
        complete(HOME);
        assertThat(choice.choose(HOME, MESSAGE_LENGTH, 0)).isEqualTo(HOME);
    }

    @Test
    void shouldGiveASlowLinkLessByItsSpeed()
    {
        final RailChoice choice = choice(1000, 250);
        assertThat(spread(choice, 40)).containsExactly(32, 8);
    }

    @Test
    void shouldHeedTheSpeedOfTheOtherEnd()
    {
        addPath(newRail(1000), 1000, 1);
        addPath(newRail(1000), 500, 2);
        assertThat(spread(new RailChoice(paths.toArray(new RailPath[0])), 30)).containsExactly(20, 10);
    }

    @Test
    void shouldFillBothRailsOfAPeerThatHasMore()
    {
        final Rail rail = newRail(2000);
        addPath(rail, 1000, 1);
        addPath(rail, 1000, 2);
        final RailChoice choice = new RailChoice(paths.toArray(new RailPath[0]));
        final int[] counts = new int[2];
        for (int i = 0; i < 20; i++)
        {
            final int chosen = choice.choose(HOME, MESSAGE_LENGTH, 0);
            counts[chosen]++;
            post(chosen, 1);
        }
        assertThat(counts[1]).as("in queue at the second rail of the peer").isBetween(8, 10);
    }

    @Test
    void shouldPassOverWhatIsSlowUntilItIsNot()
    {
        final RailChoice choice = choice(1000, 1000);
        post(HOME, 1);
        final long nowNs = System.nanoTime();
        checkHealth(nowNs + TimeUnit.MILLISECONDS.toNanos(150));
        assertThat(choice.choose(HOME, MESSAGE_LENGTH, 0)).isEqualTo(1);
        assertThat(choice.choose(HOME, MESSAGE_LENGTH, 1 << 1))
            .as("not even if the other pushes back").isEqualTo(RailChoice.NONE);

        complete(HOME);
        checkHealth(nowNs + TimeUnit.MILLISECONDS.toNanos(160));
        assertThat(choice.choose(HOME, MESSAGE_LENGTH, 0)).isEqualTo(HOME);
    }

    @Test
    void shouldUseSlowPathsWhenAllAreSlow()
    {
        final RailChoice choice = choice(1000, 1000);
        post(HOME, 2);
        post(1, 1);
        checkHealth(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(150));
        assertThat(choice.choose(HOME, MESSAGE_LENGTH, 0)).as("the shorter queue").isEqualTo(1);
    }

    @Test
    void shouldNeverUseWhatFailed()
    {
        final RailChoice choice = choice(1000, 1000);
        endpoints.get(HOME).postResult = -FabricErrors.EIO;
        assertThat(send(HOME)).isEqualTo(Rail.FAILED);
        assertThat(choice.choose(HOME, MESSAGE_LENGTH, 0)).isEqualTo(1);

        post(1, 1);
        checkHealth(System.nanoTime() + 2 * STALL_TIMEOUT_NS);
        assertThat(paths.get(1).rail().isUsable()).isFalse();
        assertThat(choice.choose(HOME, MESSAGE_LENGTH, 0)).isEqualTo(RailChoice.NONE);
    }

    @Test
    void shouldTryOthersThanThoseThatPushedBack()
    {
        final RailChoice choice = choice(1000, 1000, 1000);
        assertThat(choice.choose(HOME, MESSAGE_LENGTH, 1)).isEqualTo(1);
        assertThat(choice.choose(HOME, MESSAGE_LENGTH, 0b11)).isEqualTo(2);
        assertThat(choice.choose(HOME, MESSAGE_LENGTH, 0b111)).isEqualTo(RailChoice.NONE);
        assertThat(new RailChoice(new RailPath[0]).choose(HOME, MESSAGE_LENGTH, 0)).isEqualTo(RailChoice.NONE);
    }

    @Property(tries = 100)
    void shouldPutEachMessageWhereItIsThroughFirst(
        @ForAll @Size(min = 2, max = 6) final List<@IntRange(min = 1, max = 8) Integer> speeds)
    {
        endpoints.clear();
        paths.clear();
        final RailChoice choice = choice(speeds.stream().mapToInt((speed) -> 100 * speed).toArray());
        final int[] counts = spread(choice, 30);

        // time until a queue is through, in messages of the fastest link
        final int fastest = speeds.stream().mapToInt(Integer::intValue).max().orElseThrow();
        double shortestNext = Double.MAX_VALUE;
        for (int i = 0; i < counts.length; i++)
        {
            shortestNext = Math.min(shortestNext, (counts[i] + 1.0) * fastest / speeds.get(i));
        }

        for (int i = 0; i < counts.length; i++)
        {
            // costs are whole sixteenths; the home takes its limit whatever the others do
            final double cost = (double)fastest / speeds.get(i);
            assertThat(counts[i] * cost).isLessThanOrEqualTo(
                Math.max(1.1 * shortestNext, HOME == i ? 4.0 + 1.1 * cost : 0));
        }
    }

    private int[] spread(final RailChoice choice, final int messages)
    {
        final int[] counts = new int[paths.size()];
        for (int i = 0; i < messages; i++)
        {
            final int chosen = choice.choose(HOME, MESSAGE_LENGTH, 0);
            counts[chosen]++;
            post(chosen, 1);
        }
        return counts;
    }

    private RailChoice choice(final int... speedsMbps)
    {
        for (int i = 0; i < speedsMbps.length; i++)
        {
            addPath(newRail(speedsMbps[i]), speedsMbps[i], i);
        }
        return new RailChoice(paths.toArray(new RailPath[0]));
    }

    private Rail newRail(final int speedMbps)
    {
        final ScriptedEndpoint endpoint = new ScriptedEndpoint(128, 0, 64 * 1024);
        when(endpoint.nic().speedMbps()).thenReturn(speedMbps);
        endpoints.add(endpoint);
        final CountersManager countersManager = new CountersManager(
            new UnsafeBuffer(ByteBuffer.allocateDirect(64 * 1024)),
            new UnsafeBuffer(ByteBuffer.allocateDirect(16 * 1024)), US_ASCII);
        final Rail rail = new Rail(endpoints.size() - 1, endpoint, 128, MESSAGE_LENGTH, 512);
        rail.attach(new RailCounters(countersManager, "test"), listener);
        return rail;
    }

    private void addPath(final Rail rail, final int remoteSpeedMbps, final int remoteAddress)
    {
        final RailAddress remote =
            new RailAddress(remoteSpeedMbps, -1, MESSAGE_LENGTH, new byte[] { (byte)remoteAddress });
        final RailPeer peer = rail.peers().acquire(1, remote.address());
        paths.add(new RailPath(rail, peer, MESSAGE_LENGTH, remote));
    }

    private void post(final int path, final int messages)
    {
        for (int i = 0; i < messages; i++)
        {
            assertThat(send(path)).isEqualTo(Rail.POSTED);
        }
    }

    private int send(final int path)
    {
        final RailPath taken = paths.get(path);
        return taken.rail().send(taken.peer(), BufferUtil.address(message), MESSAGE_LENGTH, 1, 1, 1);
    }

    private void complete(final int path)
    {
        final ScriptedEndpoint endpoint = endpoints.get(path);
        for (int i = 0; i < endpoint.sent.size(); i++)
        {
            endpoint.completeSend(i);
        }
        endpoint.sent.clear();
        paths.get(path).rail().poll(System.nanoTime());
        assertThat(paths.get(path).rail().outstandingBytes()).isZero();
    }

    private void checkHealth(final long nowNs)
    {
        paths.forEach((path) -> path.rail().checkHealth(nowNs, STALL_TIMEOUT_NS, STALL_TIMEOUT_NS));
    }
}
