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
import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.rail.RailCounters;
import org.agrona.CloseHelper;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.SleepingMillisIdleStrategy;
import org.agrona.concurrent.SystemNanoClock;
import org.agrona.concurrent.status.CountersManager;
import org.agrona.nio.TransportPoller;

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

    private final FabricSettings settings;
    private final NicRails rails;
    private CountersManager countersManager;
    private FabricCounters counters;
    private FabricConductor conductor;
    private AgentRunner conductorRunner;
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
        rails = new NicRails(settings);
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
     * @throws io.millrace.efa.libfabric.FabricException when a NIC cannot be opened. Nothing is left open.
     */
    public void openNamedRails()
    {
        if (choice().isNamed())
        {
            rails.prepare();
        }
    }

    /**
     * Start with the first channel endpoint: allocate the counters, which only the driver's conductor may, and run the
     * fabric conductor until the driver's context is closed.
     *
     * @param context of the media driver.
     * @throws IllegalStateException when this belongs to another media driver already.
     */
    public synchronized void start(final MediaDriver.Context context)
    {
        if (isClosed || null != countersManager && context.countersManager() != countersManager)
        {
            throw new IllegalStateException("the rails of this context belong to a media driver that was launched " +
                "from it before: call EfaMediaDriver.install for each context that is launched, not for a copy");
        }

        if (null != countersManager)
        {
            return;
        }

        countersManager = context.countersManager();
        LOGGER.log(
            System.Logger.Level.INFO,
            "millrace: protocol={0} provider={1} rails={2}, {3}: {4}",
            choice().protocol(),
            choice().wireName(),
            choice().rails(),
            context.aeronDirectoryName(),
            choice().reason());

        counters = new FabricCounters(countersManager, choice());
        final List<RailCounters> railCounters = new ArrayList<>();
        for (final String agent : List.of("snd-", "rcv-"))
        {
            for (int i = 0; i < choice().rails(); i++)
            {
                railCounters.add(
                    new RailCounters(countersManager, agent + i + " " + choice().nics().get(i).domainName()));
            }
        }

        rails.counters(railCounters, counters.registeredBytes());
        final ErrorHandler errorHandler = context.countedErrorHandler();
        conductor = new FabricConductor(
            settings, counters, errorHandler, SystemNanoClock.INSTANCE, rails, context.mtuLength());
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

    /**
     * Take note of a new channel endpoint. Aeron has a poller for those that send and one for those that receive.
     *
     * @param isSender true for the send side.
     */
    public void onEndpointCreated(final boolean isSender)
    {
        final int endpoints = side(isSender).onEndpointCreated();
        if (choice().isFabric() && endpoints > TransportPoller.ITERATION_THRESHOLD && !isStarved)
        {
            isStarved = true;
            conductor.stop(endpoints + " channel endpoints exceed " +
                TransportPoller.ITERATION_THRESHOLD_PROP_NAME + "=" + TransportPoller.ITERATION_THRESHOLD +
                ", beyond which Aeron waits for sockets and rails starve: all channels go by UDP. Set that property" +
                " before the first media driver of the process starts");
        }
    }

    /**
     * Take note that a channel endpoint is closed.
     *
     * @param isSender true for the send side.
     */
    public void onEndpointClosed(final boolean isSender)
    {
        side(isSender).onEndpointClosed();
    }

    private AgentSide side(final boolean isSender)
    {
        return isSender ? conductor.sender() : conductor.receiver();
    }

    /**
     * Counters of the driver.
     *
     * @return counters, there once {@link #start(MediaDriver.Context)} was called.
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
        rails.close();
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
