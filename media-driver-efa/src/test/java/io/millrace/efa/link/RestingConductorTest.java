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

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.net.InetSocketAddress;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * A fabric conductor that rests for longer than anybody would wait.
 */
class RestingConductorTest
{
    private static final InetSocketAddress PEER = new InetSocketAddress("127.0.0.1", 40_124);
    private static final long DEADLINE_S = 60;

    static Stream<Consumer<SimulatedNode>> tellings()
    {
        return Stream.of(
            (node) -> node.conductor.onUdpOnly("a fact"),
            (node) -> assertTrue(node.conductor.onDestination(node, PEER)),
            (node) -> node.conductor.onHandshake(node, PEER, new byte[32], false));
    }

    @ParameterizedTest
    @MethodSource("tellings")
    void isWokenByWhatItIsTold(final Consumer<SimulatedNode> telling) throws InterruptedException
    {
        final SimulatedNode[] node = new SimulatedNode[1];
        final CountDownLatch started = new CountDownLatch(1);
        final CountDownLatch woken = new CountDownLatch(1);
        final Thread thread = Thread.ofPlatform().daemon().start(
            () ->
            {
                node[0] = new SimulatedNode(40_123, true, 1, 2, () -> 0);
                started.countDown();
                LockSupport.parkNanos(TimeUnit.HOURS.toNanos(1));
                woken.countDown();
            });
        assertTrue(started.await(DEADLINE_S, TimeUnit.SECONDS));
        while (Thread.State.TIMED_WAITING != thread.getState())
        {
            assertFalse(Thread.State.TERMINATED == thread.getState(), "woken by nobody");
            Thread.onSpinWait();
        }

        telling.accept(node[0]);
        assertTrue(woken.await(DEADLINE_S, TimeUnit.SECONDS));
    }
}
