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

import io.aeron.driver.MediaDriver;
import io.millrace.codecs.handshake.ByeCause;
import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.EndpointOptions;
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.libfabric.FabricNic;
import io.millrace.efa.libfabric.LibFabric;
import io.millrace.efa.libfabric.ShmSweeper;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailCounters;
import org.agrona.CloseHelper;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.SleepingMillisIdleStrategy;
import org.agrona.concurrent.SystemNanoClock;
import org.agrona.nio.TransportPoller;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;

/**
 * Rails, links and the fabric conductor of one media driver. Made before the driver is launched, started with its first
 * channel endpoint, closed with its context.
 */
public final class FabricDriver implements AutoCloseable
{
    private static final System.Logger LOGGER = System.getLogger(FabricDriver.class.getName());

    /**
     * Longest packet: Aeron's largest MTU, rounded up to whole cache lines.
     */
    private static final int DATA_SLOT_LENGTH = 64 * 1024;

    /**
     * Longest control frame, an error frame with its text, rounded up.
     */
    private static final int CONTROL_SLOT_LENGTH = 2 * 1024;

    private final FabricSettings settings;
    private List<Rail> senderRails;
    private List<Rail> receiverRails;
    private FabricCounters counters;
    private FabricConductor conductor;
    private AgentRunner conductorRunner;
    private MediaDriver.Context driverContext;
    private int endpointCount;
    private boolean isStarved;
    private boolean isClosed;

    static
    {
        SelectorThreshold.raise();
    }

    /**
     * Choose the protocol.
     *
     * @param context of the rails, copied and concluded.
     */
    public FabricDriver(final EfaContext context)
    {
        final EfaContext concluded = context.clone();
        final ProtocolChoice choice = ProtocolChoice.select(concluded);
        settings = new FabricSettings(choice, concluded, new SecureRandom().nextLong(), HostId.get());
    }

    /**
     * Protocol in use and why.
     *
     * @return the choice.
     */
    public ProtocolChoice choice()
    {
        return settings.choice();
    }

    /**
     * Configuration of the rails.
     *
     * @return the concluded context.
     */
    public EfaContext context()
    {
        return settings.context();
    }

    /**
     * Open the rails now if the protocol was asked for by name, so that a failure is an error at start. Otherwise the
     * fabric conductor opens them, and a failure is a fallback.
     *
     * @throws FabricException when a NIC cannot be opened. Nothing is left open.
     */
    public void openNamedRails()
    {
        if (choice().isNamed())
        {
            openRails();
        }
    }

    private synchronized void openRails()
    {
        if (null != senderRails || !choice().isFabric() || isClosed)
        {
            return;
        }

        if (choice().isHostLocal())
        {
            ShmSweeper.sweep();
        }

        final List<Rail> senders = openRails(DATA_SLOT_LENGTH, CONTROL_SLOT_LENGTH);
        try
        {
            receiverRails = openRails(CONTROL_SLOT_LENGTH, DATA_SLOT_LENGTH);
            senderRails = senders;
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietCloseAll(senders);
            throw ex;
        }
    }

    /**
     * Take note of a new channel endpoint, and with the first one start: allocate the counters, which only the driver's
     * conductor may, and run the fabric conductor until the driver's context is closed.
     *
     * @param context of the media driver.
     */
    public synchronized void onEndpointCreated(final MediaDriver.Context context)
    {
        if (null == counters)
        {
            start(context);
        }

        ++endpointCount;
        if (choice().isFabric() && endpointCount > TransportPoller.ITERATION_THRESHOLD && !isStarved)
        {
            isStarved = true;
            conductor.stop(endpointCount + " channel endpoints exceed " +
                TransportPoller.ITERATION_THRESHOLD_PROP_NAME + "=" + TransportPoller.ITERATION_THRESHOLD +
                ", beyond which Aeron waits for sockets and rails starve: all channels go by UDP. Set that property" +
                " before the first media driver of the process starts");
        }
    }

    /**
     * Take note that a channel endpoint is closed.
     */
    public synchronized void onEndpointClosed()
    {
        --endpointCount;
    }

    /**
     * Counters of the driver.
     *
     * @return counters, there once {@link #onEndpointCreated(MediaDriver.Context)} was called.
     */
    public FabricCounters counters()
    {
        return counters;
    }

    /**
     * Where agents tell what happens.
     *
     * @return the fabric conductor.
     */
    public FabricEvents events()
    {
        return conductor;
    }

    /**
     * Rails of the Sender.
     *
     * @return the set.
     */
    public RailSet senderRails()
    {
        return conductor.sender().railSet();
    }

    /**
     * Rails of the Receiver.
     *
     * @return the set.
     */
    public RailSet receiverRails()
    {
        return conductor.receiver().railSet();
    }

    /**
     * End a link of an endpoint that is closed, so that its agent does not use it any more.
     *
     * @param link   that ends.
     * @param reason for people.
     * @return the frame to be sent to the link's peer.
     */
    public ByteBuffer end(final Link link, final String reason)
    {
        final ByteBuffer frame = new HandshakeCodec().encode(
            new HandshakeMessage.Bye(settings.incarnation(), (int)link.peerHandle(), ByeCause.CLOSED, reason));
        link.end();
        counters.links().decrement();
        return frame;
    }

    /**
     * Stop the fabric conductor and close the rails. To be called when Sender and Receiver have ended.
     */
    @Override
    public void close()
    {
        final AgentRunner runner;
        synchronized (this)
        {
            if (isClosed)
            {
                return;
            }
            isClosed = true;
            runner = conductorRunner;
        }

        CloseHelper.quietClose(runner);
        synchronized (this)
        {
            CloseHelper.quietCloseAll(senderRails);
            CloseHelper.quietCloseAll(receiverRails);
        }
    }

    private void start(final MediaDriver.Context context)
    {
        driverContext = context;
        LOGGER.log(
            System.Logger.Level.INFO,
            "millrace: protocol={0} provider={1} rails={2}, {3}: {4}",
            choice().protocol(),
            choice().wireName(),
            choice().rails(),
            context.aeronDirectoryName(),
            choice().reason());
        counters = new FabricCounters(context.countersManager(), choice());
        final ErrorHandler errorHandler = context.countedErrorHandler();
        final List<RailCounters> railCounters = new ArrayList<>();
        for (final String agent : List.of("snd-", "rcv-"))
        {
            for (int i = 0; i < choice().rails(); i++)
            {
                railCounters.add(new RailCounters(
                    context.countersManager(), agent + i + " " + choice().nics().get(i).domainName()));
            }
        }

        conductor = new FabricConductor(
            settings, counters, errorHandler, SystemNanoClock.INSTANCE, () -> startRails(railCounters));
        context.errorHandler(new ClosingErrorHandler(context.errorHandler(), this));

        if (choice().isFallback())
        {
            conductor.onFallback("protocol udp: " + choice().reason());
        }

        if (choice().isFabric())
        {
            conductorRunner = new AgentRunner(new SleepingMillisIdleStrategy(1), errorHandler, null, conductor);
            AgentRunner.startOnThread(
                conductorRunner,
                (runnable) ->
                {
                    final Thread thread = new Thread(runnable, conductor.roleName());
                    thread.setDaemon(true);
                    return thread;
                });
        }
    }

    private synchronized void startRails(final List<RailCounters> railCounters)
    {
        try
        {
            openRails();
        }
        catch (final FabricException ex)
        {
            conductor.onFallback("rails cannot be opened, all channels go by UDP: " + ex.getMessage());
        }

        if (null == senderRails || isClosed)
        {
            return;
        }

        long registeredBytes = 0;
        for (int i = 0; i < senderRails.size(); i++)
        {
            final Rail sender = senderRails.get(i);
            final Rail receiver = receiverRails.get(i);
            sender.attach(railCounters.get(i), conductor.sender().railSet());
            receiver.attach(railCounters.get(senderRails.size() + i), conductor.receiver().railSet());
            registeredBytes += sender.registeredBytes() + receiver.registeredBytes();
        }

        counters.registeredBytes().setRelease(registeredBytes);
        final int maxLength = senderRails.get(0).maxSendLength();
        if (driverContext.mtuLength() > maxLength)
        {
            conductor.onFallback("aeron.mtu.length=" + driverContext.mtuLength() + " exceeds " + maxLength +
                " bytes, the longest message of " + choice().wireName() + ": longer frames go by UDP. Set it to at " +
                "most " + maxLength / 32 * 32);
        }

        conductor.receiver().rails(receiverRails);
        conductor.sender().rails(senderRails);
    }

    private List<Rail> openRails(final int sendSlotLength, final int receiveSlotLength)
    {
        final int slots = settings.context().railSlots();
        final List<Rail> rails = new ArrayList<>();
        try
        {
            for (final FabricNic nic : choice().nics())
            {
                final FabricEndpoint endpoint = LibFabric.load().open(nic, new EndpointOptions(0, 0, 4 * slots));
                rails.add(new Rail(rails.size(), endpoint, slots, sendSlotLength, receiveSlotLength));
            }
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietCloseAll(rails);
            throw ex;
        }

        return rails;
    }

    /**
     * The driver's context closes its error handler, when agents have ended and before the counters are unmapped: the
     * one public place to hear of a stock driver's end.
     */
    private record ClosingErrorHandler(ErrorHandler delegate, FabricDriver fabric)
        implements ErrorHandler, AutoCloseable
    {
        @Override
        public void onError(final Throwable throwable)
        {
            delegate.onError(throwable);
        }

        @Override
        public void close()
        {
            fabric.close();
            if (delegate instanceof final AutoCloseable closeable)
            {
                CloseHelper.quietClose(closeable);
            }
        }
    }
}
