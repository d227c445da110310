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
package io.millrace.samples.demo;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.millrace.bridge.device.HostDevice;
import io.millrace.efa.EfaContext;
import io.millrace.efa.EfaCounters;
import io.millrace.efa.EfaMediaDriver;
import org.agrona.CloseHelper;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.status.CountersReader;

import java.util.concurrent.TimeUnit;

/**
 * What both children have: an embedded driver, an Aeron client of it, and device memory.
 */
final class DemoNode implements AutoCloseable
{
    private static final int LINKS = 2;
    private static final long LINK_DEADLINE_NS = TimeUnit.SECONDS.toNanos(5);
    private static final int MAX_SPINS = 20;
    private static final int MAX_YIELDS = 50;
    private static final long MIN_PARK_NS = TimeUnit.MICROSECONDS.toNanos(1);
    private static final long MAX_PARK_NS = TimeUnit.MICROSECONDS.toNanos(100);

    // A few dozen counters are used. Aeron's default takes 40 MiB with its labels, which docker's 64 MiB of shared
    // memory do not have twice.
    private static final int COUNTERS_LENGTH = 1 << 20;

    private final EfaMediaDriver driver;
    private final Aeron aeron;
    private final HostDevice device = new HostDevice();

    /**
     * Start the driver and connect to it.
     *
     * @param orders of the child.
     */
    DemoNode(final Orders orders)
    {
        final EfaContext efaContext = new EfaContext().protocol(orders.protocol()).rails(orders.rails());
        // One thread for the whole driver: the demonstration is to run on two cores.
        final MediaDriver.Context context = new MediaDriver.Context()
            .aeronDirectoryName(orders.aeronDirectory())
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true)
            // Space is taken at once, so that a file system that is full says so now and not in mid-transfer.
            .termBufferSparseFile(false)
            .counterValuesBufferLength(COUNTERS_LENGTH)
            .threadingMode(ThreadingMode.SHARED)
            .sharedIdleStrategy(idleStrategy());
        driver = EfaMediaDriver.launchEmbedded(context, efaContext);
        try
        {
            aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietClose(driver);
            throw ex;
        }
    }

    /**
     * An idle strategy that leaves the cores to others when there is nothing to do.
     *
     * @return a new one, for one thread.
     */
    static BackoffIdleStrategy idleStrategy()
    {
        return new BackoffIdleStrategy(MAX_SPINS, MAX_YIELDS, MIN_PARK_NS, MAX_PARK_NS);
    }

    /**
     * Client of the embedded driver.
     *
     * @return the client.
     */
    Aeron aeron()
    {
        return aeron;
    }

    /**
     * Device whose memory holds the KV blocks.
     *
     * @return the device.
     */
    HostDevice device()
    {
        return device;
    }

    /**
     * Wait until both streams, the one that this side sends and the one that it receives, travel on rails, so that the
     * first transfer does as well. Where they do not get there in time the run goes on: over UDP, and counted.
     *
     * @return event {@code ready}, which says what this driver runs on.
     * @throws InterruptedException if the wait was interrupted.
     */
    ObjectNode awaitReady() throws InterruptedException
    {
        final long deadlineNs = System.nanoTime() + LINK_DEADLINE_NS;
        while (driver.protocol().isFabric() &&
            EfaCounters.sum(aeron.countersReader(), EfaCounters.LINKS_TYPE_ID) < LINKS &&
            System.nanoTime() - deadlineNs < 0)
        {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        return ParentLink.event("ready")
            .put("protocol", driver.protocol().protocol())
            .put("provider", driver.protocol().provider())
            .put("reason", driver.protocol().reason())
            .put("rails", driver.protocol().rails());
    }

    /**
     * The event that says what this driver counted.
     *
     * @param checksumErrors of this side of the KV stream.
     * @return event {@code counters}.
     */
    ObjectNode counters(final long checksumErrors)
    {
        final CountersReader counters = aeron.countersReader();
        return ParentLink.event("counters")
            .put("fabricFrames", EfaCounters.sum(counters, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID))
            .put("udpDataFrames", EfaCounters.sum(counters, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID))
            .put("fallbacks", EfaCounters.sum(counters, EfaCounters.FALLBACKS_TYPE_ID))
            .put("retransmits", counters.getCounterValue(SystemCounterDescriptor.RETRANSMITS_SENT.id()))
            .put("checksumErrors", checksumErrors);
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(aeron, driver, device);
    }
}
