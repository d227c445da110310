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
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.millrace.bridge.CounterSet;
import io.millrace.bridge.Drivers;
import io.millrace.bridge.KvDtype;
import io.millrace.bridge.reshard.CacheShape;
import io.millrace.bridge.reshard.HeadOrder;
import io.millrace.bridge.reshard.Sharding;

/**
 * An instance that writes down what its listener hears; as a process of its own it says so on standard output.
 */
final class SessionNode implements AutoCloseable
{
    static final CacheShape SHAPE = CacheShape.perHead(2, 4, 16, KvDtype.BF16);

    final List<String> events = new CopyOnWriteArrayList<>();
    final List<KvSession> begun = new ArrayList<>();
    final KvSessions sessions;

    SessionNode(final Aeron aeron, final KvInstance instance, final UnaryOperator<KvSessions.Context> tuning)
    {
        sessions = KvSessions.launch(tuning.apply(new KvSessions.Context().aeron(aeron).instance(instance)
            .probeIntervalNs(TimeUnit.MILLISECONDS.toNanos(100)).probeTimeoutNs(TimeUnit.SECONDS.toNanos(1))
            .minBackoffNs(TimeUnit.MILLISECONDS.toNanos(50)).maxBackoffNs(TimeUnit.MILLISECONDS.toNanos(400))
            .bootstrapTimeoutNs(TimeUnit.SECONDS.toNanos(30)).useAgentInvoker(true)
            .counters(CounterSet.inMemory(SessionCounter.class))
            .errorHandler(error -> events.add("error " + error.getMessage()))
            .listener(new KvSessionListener()
            {
                public void onSession(final KvSession session)
                {
                    begun.add(session);
                    events.add("begin " + session.peer().name());
                }

                public void onQuarantine(final KvSession session, final String text)
                {
                    events.add("quarantine " + session.peer().name() + " " + text);
                }

                public void onRecovery(final KvSession session)
                {
                    events.add("recovery " + session.peer().name());
                }

                public void onEnd(final KvSession session, final SessionError reason, final String text)
                {
                    events.add("end " + session.peer().name() + " " + reason + " " + text);
                }
            })));
    }

    static KvInstance instance(final String name, final KvRole role, final int tpRank, final int tpSize)
    {
        return new KvInstance(name, role, "model", SHAPE,
            new Sharding(tpSize, 16, HeadOrder.TOKEN_MAJOR), tpRank, 1, 1, "0.1");
    }

    static MediaDriver.Context driver()
    {
        return Drivers.prepare(new MediaDriver.Context().aeronDirectoryName(CommonContext.generateRandomDirName())
            .threadingMode(ThreadingMode.SHARED).dirDeleteOnStart(true).dirDeleteOnShutdown(true)
            .publicationConnectionTimeoutNs(TimeUnit.SECONDS.toNanos(1))
            .imageLivenessTimeoutNs(TimeUnit.SECONDS.toNanos(1))
            .publicationLingerTimeoutNs(TimeUnit.MILLISECONDS.toNanos(200))
            .timerIntervalNs(TimeUnit.MILLISECONDS.toNanos(20))
            .statusMessageTimeoutNs(TimeUnit.MILLISECONDS.toNanos(50)));
    }

    int turn()
    {
        return null == sessions.invoker() ? 0 : sessions.invoker().invoke();
    }

    boolean saw(final String prefix)
    {
        return events.stream().anyMatch(event -> event.startsWith(prefix));
    }

    long count(final SessionCounter counter)
    {
        return sessions.counters().get(counter);
    }

    public void close()
    {
        sessions.close();
    }

    /**
     * Run an instance until standard input ends.
     *
     * @param args name and endpoint.
     */
    public static void main(final String[] args) throws Exception
    {
        try (MediaDriver driver = MediaDriver.launchEmbedded(driver());
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
            SessionNode node = new SessionNode(aeron, instance(args[0], KvRole.DECODE, 0, 1),
                ctx -> ctx.endpoint(args[1]).useAgentInvoker(false)))
        {
            System.out.println("endpoint " + node.sessions.endpoint());
            while (System.in.read() >= 0)
            {
                System.out.println(node.events);
            }
        }
    }
}
