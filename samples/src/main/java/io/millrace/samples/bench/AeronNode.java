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
package io.millrace.samples.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.FrameDescriptor;
import io.millrace.efa.EfaContext;
import io.millrace.efa.EfaCounters;
import io.millrace.efa.EfaMediaDriver;
import org.agrona.BufferUtil;
import org.agrona.CloseHelper;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.BusySpinIdleStrategy;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A side on Aeron: embedded driver, client, one publication and one subscription. The IPC client has no driver, it uses
 * the server's.
 */
final class AeronNode implements Node
{
    // Different ones, since both directions of IPC are one channel.
    private static final int TO_SERVER_STREAM_ID = 2001;
    private static final int TO_CLIENT_STREAM_ID = 2002;
    private static final int FRAGMENT_LIMIT = 64;
    private static final int LINKS = 2;
    // The client's conductor has a thread of its own elsewhere: it is no part of a message's way.
    private static final int CLIENT_CYCLES_MASK = 63;
    private static final int COUNTERS_LENGTH = 1 << 20;
    private static final int CACHE_LINE = 64;

    private final Order order;
    private final AutoCloseable driver;
    private final AgentInvoker driverInvoker;
    private final DutyClock driverDuty;
    private final Aeron aeron;
    private final AgentInvoker clientInvoker;
    private final ExclusivePublication publication;
    private final Subscription subscription;
    private final BufferClaim claim = new BufferClaim();
    private final UnsafeBuffer message;
    private final FragmentHandler fragmentHandler;
    private Handler handler;
    private long udpFrames;
    private long cycles;

    /**
     * Start.
     *
     * @param order of the measurement.
     */
    AeronNode(final Order order)
    {
        this.order = order;
        message = new UnsafeBuffer(BufferUtil.allocateDirectAligned(order.size(), CACHE_LINE));
        final MediaDriver.Context context = driverContext(order);
        MediaDriver mediaDriver = null;
        if (Transport.MILLRACE == order.transport())
        {
            final EfaMediaDriver efaDriver =
                EfaMediaDriver.launch(context, new EfaContext().protocol(order.protocol()));
            driver = efaDriver;
            mediaDriver = efaDriver.mediaDriver();
        }
        else if (order.isServer() || Transport.AERON_IPC != order.transport())
        {
            mediaDriver = MediaDriver.launch(context);
            driver = mediaDriver;
        }
        else
        {
            driver = null;
        }
        driverInvoker = null == mediaDriver ? null : mediaDriver.sharedAgentInvoker();
        // Where the message is what is measured, the meter is not to be a part of it.
        final boolean isMetered = order.kind().isKv() && !order.kind().isLatency();
        driverDuty = null == driverInvoker || !isMetered ? null : new DutyClock(driverInvoker);
        try
        {
            aeron = Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(order.aeronDirectory())
                .preTouchMappedMemory(true)
                .useConductorAgentInvoker(true)
                .driverAgentInvoker(driverInvoker));
            clientInvoker = aeron.conductorAgentInvoker();
            subscription = order.isServer() ?
                aeron.addSubscription(order.toServer(), TO_SERVER_STREAM_ID) :
                aeron.addSubscription(order.toClient(), TO_CLIENT_STREAM_ID);
            publication = order.isServer() ?
                aeron.addExclusivePublication(order.toClient(), TO_CLIENT_STREAM_ID) :
                aeron.addExclusivePublication(order.toServer(), TO_SERVER_STREAM_ID);
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietClose(driver);
            throw ex;
        }
        fragmentHandler = (buffer, offset, length, header) ->
        {
            final byte flags = header.flags();
            final boolean begins = 0 != (flags & FrameDescriptor.BEGIN_FRAG_FLAG);
            final long first = begins ? buffer.getLong(offset) : 0;
            final long second = begins ? buffer.getLong(offset + Long.BYTES) : 0;
            handler.onFragment(first, second, length, begins, 0 != (flags & FrameDescriptor.END_FRAG_FLAG));
        };
    }

    /**
     * Client of this side's driver.
     *
     * @return the client.
     */
    Aeron aeron()
    {
        return aeron;
    }

    /**
     * Whether the driver works in {@link #progress()}.
     *
     * @return false when it has threads of its own, or another process has it.
     */
    boolean isDriverOnThisThread()
    {
        return null != driverInvoker;
    }

    /**
     * Time of the driver's duty cycles on this thread.
     *
     * @return nanoseconds.
     */
    long driverNs()
    {
        return null == driverDuty ? 0 : driverDuty.ns();
    }

    private static MediaDriver.Context driverContext(final Order order)
    {
        final int[] cores = order.cores();
        final MediaDriver.Context context = new MediaDriver.Context()
            .aeronDirectoryName(order.aeronDirectory())
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true)
            .termBufferSparseFile(false)
            .counterValuesBufferLength(COUNTERS_LENGTH)
            .threadingMode(order.threading().mode())
            .sharedIdleStrategy(BusySpinIdleStrategy.INSTANCE)
            .senderIdleStrategy(BusySpinIdleStrategy.INSTANCE)
            .receiverIdleStrategy(BusySpinIdleStrategy.INSTANCE)
            .conductorIdleStrategy(new BackoffIdleStrategy());
        if (cores.length > 1)
        {
            context
                .sharedThreadFactory(Placement.threads("driver", cores[1]))
                .senderThreadFactory(Placement.threads("sender", cores[1]));
        }
        if (cores.length > 2)
        {
            context.receiverThreadFactory(Placement.threads("receiver", cores[2]));
        }
        return context;
    }

    /**
     * {@inheritDoc}
     */
    public void describe(final ObjectNode event)
    {
    }

    /**
     * {@inheritDoc}
     */
    public void connect(final JsonNode peer)
    {
    }

    /**
     * {@inheritDoc}
     */
    public boolean isConnected()
    {
        final boolean isConnected = publication.isConnected() && subscription.isConnected() && linksAreUp();
        if (isConnected)
        {
            udpFrames = udpFrames();
        }
        return isConnected;
    }

    private boolean linksAreUp()
    {
        return Transport.MILLRACE != order.transport() || "udp".equals(order.protocol()) ||
            EfaCounters.sum(aeron.countersReader(), EfaCounters.LINKS_TYPE_ID) >= LINKS;
    }

    private long udpFrames()
    {
        return EfaCounters.sum(aeron.countersReader(), EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID);
    }

    /**
     * {@inheritDoc}
     */
    public void verify()
    {
        final long strayed = udpFrames() - udpFrames;
        if (Transport.MILLRACE == order.transport() && 0 != strayed && !"udp".equals(order.protocol()))
        {
            throw new IllegalStateException(strayed + " data frames went by UDP instead of the rails");
        }
    }

    /**
     * {@inheritDoc}
     */
    public void work()
    {
        if (0 == (++cycles & CLIENT_CYCLES_MASK))
        {
            clientInvoker.invoke();
        }
        progress();
    }

    /**
     * {@inheritDoc}
     */
    public void progress()
    {
        if (null != driverDuty)
        {
            driverDuty.invoke();
        }
        else if (null != driverInvoker)
        {
            driverInvoker.invoke();
        }
    }

    /**
     * {@inheritDoc}
     */
    public boolean offer(final long first, final long second)
    {
        final int size = order.size();
        final long position;
        if (size <= publication.maxPayloadLength())
        {
            position = publication.tryClaim(size, claim);
            if (position > 0)
            {
                claim.buffer().putLong(claim.offset(), first);
                claim.buffer().putLong(claim.offset() + Long.BYTES, second);
                claim.commit();
            }
        }
        else
        {
            message.putLong(0, first);
            message.putLong(Long.BYTES, second);
            position = publication.offer(message, 0, size);
        }
        if (position < 0 && Publication.BACK_PRESSURED != position && Publication.ADMIN_ACTION != position)
        {
            throw new IllegalStateException("publication is " + Publication.errorString(position));
        }
        return position > 0;
    }

    /**
     * {@inheritDoc}
     */
    public int poll(final Handler newHandler)
    {
        handler = newHandler;
        return subscription.poll(fragmentHandler, FRAGMENT_LIMIT);
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(aeron, driver);
    }
}
