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
package io.millrace.samples.marketdata;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.aeron.Aeron;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.millrace.efa.EfaContext;
import io.millrace.efa.EfaCounters;
import io.millrace.efa.EfaMediaDriver;
import org.agrona.CloseHelper;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Driver and client of one process. A service would use its machine's driver; here each process brings its own, so that
 * every hop is one between drivers.
 */
final class StageNode implements AutoCloseable
{
    private static final long DEADLINE_NS = TimeUnit.SECONDS.toNanos(30);
    // A machine that stalls for seconds must not end a stream; the driver wants the last to be the longest.
    private static final long LIVENESS_NS = TimeUnit.SECONDS.toNanos(30);
    private static final long UNBLOCK_NS = TimeUnit.SECONDS.toNanos(40);
    private static final int TERM_LENGTH = 1 << 20;
    private static final int COUNTERS_LENGTH = 1 << 20;
    /**
     * Any port that is free.
     */
    static final String LOCAL = "aeron:udp?endpoint=127.0.0.1:0";

    private final MediaDriver stock;
    private final EfaMediaDriver millrace;
    private final Aeron aeron;
    private final IdleStrategy idle = newIdleStrategy();

    StageNode(final StageOrders orders)
    {
        final MediaDriver.Context context = new MediaDriver.Context()
            .aeronDirectoryName(orders.aeronDirectory())
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true)
            .publicationTermBufferLength(TERM_LENGTH)
            .counterValuesBufferLength(COUNTERS_LENGTH)
            .publicationConnectionTimeoutNs(LIVENESS_NS)
            .imageLivenessTimeoutNs(LIVENESS_NS)
            .clientLivenessTimeoutNs(LIVENESS_NS)
            .publicationUnblockTimeoutNs(UNBLOCK_NS)
            .threadingMode(ThreadingMode.SHARED)
            .sharedIdleStrategy(newIdleStrategy());
        final boolean isStock = StageOrders.STOCK.equals(orders.protocol());
        stock = isStock ? MediaDriver.launchEmbedded(context) : null;
        millrace = isStock ? null : EfaMediaDriver.launchEmbedded(context, efaContext(orders.protocol()));
        aeron = Aeron.connect(new Aeron.Context()
            .aeronDirectoryName(isStock ? stock.aeronDirectoryName() : millrace.aeronDirectoryName())
            .driverTimeoutMs(TimeUnit.NANOSECONDS.toMillis(LIVENESS_NS)));
    }

    private static EfaContext efaContext(final String protocol)
    {
        return null == protocol ? new EfaContext() : new EfaContext().protocol(protocol);
    }

    /**
     * Gives the core away soon: five processes share two or more.
     */
    static IdleStrategy newIdleStrategy()
    {
        return new BackoffIdleStrategy(20, 50, TimeUnit.MICROSECONDS.toNanos(1), TimeUnit.MICROSECONDS.toNanos(50));
    }

    Aeron aeron()
    {
        return aeron;
    }

    IdleStrategy idle()
    {
        return idle;
    }

    Subscription subscribe(final String channel, final int streamId)
    {
        final Subscription subscription = aeron.addSubscription(channel, streamId);
        await("port", () -> null != subscription.tryResolveChannelEndpointPort());
        return subscription;
    }

    /**
     * Wait for the other end and, where there are rails, for the upgrade, so that the first message is like the others.
     */
    void awaitConnected(final Publication... publications)
    {
        for (final Publication publication : publications)
        {
            await("subscriber", publication::isConnected);
        }
        final long deadlineNs = System.nanoTime() + DEADLINE_NS;
        while (null != millrace && millrace.protocol().isFabric() && System.nanoTime() - deadlineNs < 0 &&
            EfaCounters.sum(aeron.countersReader(), EfaCounters.LINKS_TYPE_ID) < publications.length)
        {
            idle.idle();
        }
    }

    String transport()
    {
        return null == millrace ? "Aeron's driver, UDP" :
            "Millrace, " + millrace.protocol().protocol() + ": " + millrace.protocol().reason();
    }

    /**
     * Add the transport and the frames that this driver has sent on it.
     */
    ObjectNode describe(final ObjectNode event)
    {
        return event
            .put("transport", transport())
            .put("fabricFrames", EfaCounters.sum(aeron.countersReader(), EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID))
            .put("udpFrames", EfaCounters.sum(aeron.countersReader(), EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID));
    }

    void await(final String what, final BooleanSupplier condition)
    {
        final long deadlineNs = System.nanoTime() + DEADLINE_NS;
        while (!condition.getAsBoolean())
        {
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw new IllegalStateException("no " + what + " within 30 s");
            }
            idle.idle();
        }
        idle.reset();
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(aeron, stock, millrace);
    }
}
