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
package io.millrace.samples.disaggregated;

import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.millrace.efa.EfaContext;
import io.millrace.efa.EfaCounters;
import io.millrace.efa.EfaMediaDriver;
import io.millrace.samples.demo.ChildMain;
import io.millrace.samples.demo.ParentLink;
import org.agrona.CloseHelper;

import java.util.concurrent.TimeUnit;

/**
 * The media driver of a machine. All instances on it are clients of this one.
 */
public final class DriverNode implements ChildMain.Role
{
    // A machine that stalls for seconds must not end a stream; the driver wants the last to be the longest.
    static final long LIVENESS_NS = TimeUnit.SECONDS.toNanos(30);
    private static final long UNBLOCK_NS = TimeUnit.SECONDS.toNanos(40);
    private static final int TERM_LENGTH = 1 << 20;
    private static final int COUNTERS_LENGTH = 2 << 20;

    private final ParentLink link;
    private final EfaMediaDriver driver;
    private final Aeron aeron;

    private DriverNode(final ParentLink link)
    {
        this.link = link;
        final NodeOrders orders = link.orders(NodeOrders.class);
        final EfaContext efa = new EfaContext();
        driver = EfaMediaDriver.launchEmbedded(new MediaDriver.Context()
            .aeronDirectoryName(orders.aeronDirectory())
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true)
            .publicationTermBufferLength(TERM_LENGTH)
            .ipcTermBufferLength(TERM_LENGTH)
            .counterValuesBufferLength(COUNTERS_LENGTH)
            .imageLivenessTimeoutNs(LIVENESS_NS)
            .clientLivenessTimeoutNs(LIVENESS_NS)
            .publicationConnectionTimeoutNs(LIVENESS_NS)
            .publicationUnblockTimeoutNs(UNBLOCK_NS)
            .threadingMode(ThreadingMode.SHARED)
            .sharedIdleStrategy(Node.idle()),
            null == orders.protocol() ? efa : efa.protocol(orders.protocol()));
        aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
    }

    /**
     * Started by the sample, not by a user.
     *
     * @param args unused.
     */
    public static void main(final String[] args)
    {
        ChildMain.run(DriverNode::new, Node::leave);
    }

    /**
     * {@inheritDoc}
     */
    public void run() throws InterruptedException
    {
        link.send(ParentLink.event("ready")
            .put("aeronDirectory", driver.aeronDirectoryName())
            .put("transport", driver.protocol().protocol() + ": " + driver.protocol().reason()));
        Node.commands(link, (command) -> link.send(ParentLink.event("counted")
            .put("fabricFrames", EfaCounters.sum(aeron.countersReader(), EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID))
            .put("udpFrames", EfaCounters.sum(aeron.countersReader(), EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID))));
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(aeron, driver);
    }
}
