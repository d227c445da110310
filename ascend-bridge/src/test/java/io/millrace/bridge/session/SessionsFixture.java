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
package io.millrace.bridge.session;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import org.agrona.CloseHelper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

import static org.assertj.core.api.Assertions.fail;

/**
 * Instances on two drivers, one for prefill and one for decode, run on the test's thread.
 */
abstract class SessionsFixture
{
    static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);

    final List<SessionNode> nodes = new ArrayList<>();
    private MediaDriver prefillDriver;
    private MediaDriver decodeDriver;
    Aeron prefillAeron;
    Aeron decodeAeron;

    @BeforeEach
    void launch()
    {
        prefillDriver = MediaDriver.launchEmbedded(SessionNode.driver());
        decodeDriver = MediaDriver.launchEmbedded(SessionNode.driver());
        prefillAeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(prefillDriver.aeronDirectoryName()));
        decodeAeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(decodeDriver.aeronDirectoryName()));
    }

    @AfterEach
    void close()
    {
        CloseHelper.closeAll(nodes);
        CloseHelper.closeAll(prefillAeron, decodeAeron, prefillDriver, decodeDriver);
    }

    SessionNode prefill(final String name)
    {
        return node(prefillAeron, SessionNode.instance(name, KvRole.PREFILL, 0, 1), ctx -> ctx);
    }

    SessionNode decode(final String name)
    {
        return node(decodeAeron, SessionNode.instance(name, KvRole.DECODE, 0, 1), ctx -> ctx);
    }

    SessionNode node(
        final Aeron aeron, final KvInstance instance, final UnaryOperator<KvSessions.Context> tuning)
    {
        final SessionNode node = new SessionNode(aeron, instance, tuning);
        nodes.add(node);
        return node;
    }

    void runUntil(final BooleanSupplier condition)
    {
        final long startNs = System.nanoTime();
        while (!condition.getAsBoolean())
        {
            int workCount = 0;
            for (final SessionNode node : nodes)
            {
                workCount += node.turn();
            }
            if (System.nanoTime() - startNs > LIMIT_NS)
            {
                fail("not reached in time: " + nodes.stream().map(node -> node.events).toList());
            }
            if (0 == workCount)
            {
                Thread.yield();
            }
        }
    }
}
