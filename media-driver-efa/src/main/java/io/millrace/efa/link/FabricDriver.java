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
import io.aeron.driver.ThreadingMode;
import io.aeron.exceptions.AeronEvent;
import io.aeron.exceptions.AeronException;
import io.millrace.efa.EfaContext;
import io.millrace.efa.PropertyNames;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.MachineLimits;
import io.millrace.efa.libfabric.MappedFile;
import io.millrace.efa.rail.RailCounters;
import org.agrona.CloseHelper;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.SleepingMillisIdleStrategy;
import org.agrona.concurrent.SystemNanoClock;
import org.agrona.concurrent.status.CountersManager;
import org.agrona.nio.TransportPoller;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Rails, links and the fabric conductor of one media driver. Made before the driver is launched, started with its first
 * channel endpoint or before, closed with its context.
 */
public final class FabricDriver implements AutoCloseable
{
    private static final System.Logger LOGGER = System.getLogger(FabricDriver.class.getName());

    private static final long CONDUCTOR_MIN_PARK_NS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long CONDUCTOR_MAX_PARK_NS = TimeUnit.MILLISECONDS.toNanos(16);
    private static final int PARKS_PER_KEEPALIVE = 4;
    private static final long REFUSAL_SLEEP_MS = 20;
    private static final long CLOSE_PARK_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final FabricSettings settings;
    private final NicRails rails;
    private final StartChecks startChecks;
    private final List<String> warnings = new ArrayList<>();
    private final AtomicBoolean isStarved = new AtomicBoolean();
    private final AtomicInteger senderTransports = new AtomicInteger();
    private final AtomicInteger receiverTransports = new AtomicInteger();
    private CountersManager countersManager;
    private FabricCounters counters;
    private FabricConductor conductor;
    private AgentRunner conductorRunner;
    private AgentRunner stallWatchRunner;
    private boolean isPrepared;
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
        AeronRelease.check();
        final EfaContext concluded = context.clone();
        final ProtocolChoice choice = ProtocolChoice.select(concluded);
        settings = new FabricSettings(
            choice, concluded, new SecureRandom().nextLong(), HostId.get(), AuthKeys.read(concluded.authKeyFile()));
        rails = new NicRails(settings);
        startChecks = new StartChecks(settings, MachineLimits.read());
    }

    /**
     * For a supplier that is configured by properties: its rails are tried if the protocol was asked for by name.
     *
     * @return not yet started.
     * @throws io.aeron.exceptions.ConfigurationException as the constructor and {@link #tryNamedRails} do.
     * @throws io.millrace.efa.libfabric.FabricException  when a NIC cannot be opened. Nothing is left open.
     */
    public static FabricDriver named()
    {
        final FabricDriver fabric = new FabricDriver(new EfaContext());
        fabric.tryNamedRails(null);
        return fabric;
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
     * @param mode of the driver's threads, or null for the configured default.
     * @throws io.aeron.exceptions.ConfigurationException when the machine's limits are too low for them.
     * @throws io.millrace.efa.libfabric.FabricException  when a NIC cannot be opened. Nothing is left open.
     */
    public void openNamedRails(final ThreadingMode mode)
    {
        if (choice().isNamed())
        {
            startChecks.requireRails();
            rails.prepare(AgentRole.of(mode, settings));
            isPrepared = true;
        }
    }

    /**
     * Say what may go wrong for want of something: in the log, and with all that was said before in the distinct error
     * log and a counter.
     */
    private void warn(final MediaDriver.Context context)
    {
        PropertyNames.unknown(System.getProperties().stringPropertyNames(), System.getenv().keySet())
            .forEach(this::warn);
        if (!isPrepared)
        {
            startChecks.rails().forEach(this::warn);
        }
        final Path directory = context.aeronDirectory().toPath();
        StartChecks.directory(directory, MachineLimits.usableBytes(directory),
            Math.max(context.publicationTermBufferLength(), context.ipcTermBufferLength()), context.filePageSize())
            .forEach(this::warn);
        startChecks.logs(context.publicationTermBufferLength(), context.mtuLength(),
            MappedFile.pageSize(context.aeronDirectory(), context.filePageSize())).forEach(this::warn);
        for (final String warning : warnings)
        {
            context.errorLog().record(new AeronEvent("millrace: " + warning, AeronException.Category.WARN));
            counters.startWarnings().incrementRelease();
        }
    }

    private void warn(final String warning)
    {
        LOGGER.log(System.Logger.Level.WARNING, "millrace: " + warning);
        warnings.add(warning);
    }

    /**
     * What a media driver's channel endpoints share, started with the first of them or before. The suppliers that a
     * stock driver makes from properties each have one, of which the first to be asked for an endpoint serves both.
     *
     * @param context of the media driver.
     * @param own     of the supplier that is asked.
     * @return the one that the media driver has already, else the supplier's own.
     * @throws IllegalStateException when that belongs to another media driver already.
     */
    public static FabricDriver start(final MediaDriver.Context context, final FabricDriver own)
    {
        final FabricDriver fabric = context.errorHandler() instanceof final ClosingErrorHandler handler &&
            handler.fabric.serves(context) ? handler.fabric : own;
        fabric.start(context);
        return fabric;
    }

    private synchronized boolean serves(final MediaDriver.Context context)
    {
        return context.countersManager() == countersManager;
    }

    /**
     * Start with the launch, where counters are concurrent, or else with the first channel endpoint: allocate the
     * counters and run the fabric conductor until the driver's context is closed.
     */
    private synchronized void start(final MediaDriver.Context context)
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
        try
        {
            begin(context);
        }
        catch (final RuntimeException ex)
        {
            // such as for want of counters: the next channel is told the same
            countersManager = null;
            throw ex;
        }
    }

    private void begin(final MediaDriver.Context context)
    {
        LOGGER.log(
            System.Logger.Level.INFO,
            "millrace: protocol={0} provider={1} rails={2}, {3}: {4}",
            choice().protocol(),
            choice().wireName(),
            choice().rails(),
            context.aeronDirectoryName(),
            choice().reason());

        counters = new FabricCounters(countersManager, choice());
        warn(context);
        final List<AgentRole> roles = AgentRole.of(context.threadingMode(), settings);
        final Map<AgentRole, List<RailCounters>> railCounters = new EnumMap<>(AgentRole.class);
        for (final AgentRole role : roles.reversed())
        {
            railCounters.put(role, newRailCounters(role));
        }

        rails.counters(railCounters, counters);
        final ErrorHandler errorHandler = countingErrorsOnly(context.countedErrorHandler(), context.errorHandler());
        rails.contract().start(countersManager, errorHandler);
        conductor = new FabricConductor(
            settings,
            roles,
            counters,
            errorHandler,
            SystemNanoClock.INSTANCE,
            rails,
            TermSettings.of(context.aeronDirectoryName(), context(), choice()),
            context.mtuLength());
        context.errorHandler(new ClosingErrorHandler(context.errorHandler(), this));

        if (choice().isFallback())
        {
            conductor.onFallback("protocol udp: " + choice().reason());
        }

        if (choice().isFabric())
        {
            context.congestControlSupplier(
                new RailCongestionControl.Supplier(context.congestionControlSupplier(), conductor, context()));
            conductorRunner = start(conductor,
                new BackoffIdleStrategy(0, 0, CONDUCTOR_MIN_PARK_NS, conductorMaxParkNs()), errorHandler);
            if (choice().isHostLocal())
            {
                stallWatchRunner = start(conductor.newStallWatch(),
                    new SleepingMillisIdleStrategy(StallWatch.INTERVAL_MS), errorHandler);
            }
        }
        else
        {
            // it has to answer that there are no rails
            conductorRunner = start(conductor, new SleepingMillisIdleStrategy(REFUSAL_SLEEP_MS), errorHandler);
        }
    }

    private List<RailCounters> newRailCounters(final AgentRole role)
    {
        final List<RailCounters> railCounters = new ArrayList<>();
        for (int i = 0; i < choice().rails(); i++)
        {
            railCounters.add(new RailCounters(
                countersManager, role.label() + "-" + i + " " + choice().nics().get(i).domainName()));
        }
        return railCounters;
    }

    // Nothing tells the conductor that a Hello is due.
    private long conductorMaxParkNs()
    {
        return Math.max(CONDUCTOR_MIN_PARK_NS, Math.min(CONDUCTOR_MAX_PARK_NS,
            context().keepaliveIntervalNs() / PARKS_PER_KEEPALIVE));
    }

    /**
     * Aeron's count of errors stays what it is without rails: that a channel goes by UDP is told, and no error.
     */
    private static ErrorHandler countingErrorsOnly(final ErrorHandler counted, final ErrorHandler uncounted)
    {
        return (throwable) ->
        {
            final boolean isWarning = throwable instanceof final AeronEvent event &&
                AeronException.Category.WARN == event.category();
            (isWarning ? uncounted : counted).onError(throwable);
        };
    }

    private static AgentRunner start(
        final Agent agent, final IdleStrategy idleStrategy, final ErrorHandler errorHandler)
    {
        final AgentRunner runner = new AgentRunner(idleStrategy, errorHandler, null, agent);
        AgentRunner.startOnThread(
            runner,
            (runnable) ->
            {
                final Thread thread = new Thread(runnable, agent.roleName());
                thread.setDaemon(true);
                return thread;
            });
        return runner;
    }

    /**
     * Check that the rails can be opened if the protocol was asked for by name, and close them again: for a driver that
     * somebody else will launch, or not.
     *
     * @param mode of the driver's threads, or null for the configured default.
     * @throws io.millrace.efa.libfabric.FabricException when a NIC cannot be opened. Nothing is left open.
     */
    public void tryNamedRails(final ThreadingMode mode)
    {
        openNamedRails(mode);
        rails.close();
    }

    /**
     * Take note of a new channel endpoint that polls the rails.
     *
     * @param isSender true for the send side.
     */
    public void onEndpointCreated(final boolean isSender)
    {
        side(isSender).onEndpointCreated();
        onTransportAdded(isSender);
    }

    /**
     * Take note that a channel endpoint that polled the rails is closed.
     *
     * @param isSender true for the send side.
     */
    public void onEndpointClosed(final boolean isSender)
    {
        side(isSender).onEndpointClosed();
        onTransportsRemoved(isSender, 1);
    }

    /**
     * Take note of a socket more. Aeron has a poller for those that send and one for those that receive, and beyond a
     * number of sockets it waits for them instead of polling each.
     *
     * @param isSender true for the send side.
     */
    public void onTransportAdded(final boolean isSender)
    {
        final int transports = transports(isSender).incrementAndGet();
        if (choice().isFabric() && transports > TransportPoller.ITERATION_THRESHOLD &&
            isStarved.compareAndSet(false, true))
        {
            conductor.stop(transports + " sockets of channels exceed " +
                TransportPoller.ITERATION_THRESHOLD_PROP_NAME + "=" + TransportPoller.ITERATION_THRESHOLD +
                ", beyond which Aeron waits for sockets and rails starve: all channels go by UDP. Set that property" +
                " before the first media driver of the process starts");
        }
    }

    /**
     * Take note that sockets were closed.
     *
     * @param isSender true for the send side.
     * @param count    of them.
     */
    public void onTransportsRemoved(final boolean isSender, final int count)
    {
        transports(isSender).addAndGet(-count);
    }

    /**
     * Count and report that a channel has no rails although the driver has.
     *
     * @param channel URI of the channel.
     * @param reason  for people.
     */
    public void onUdpOnly(final String channel, final String reason)
    {
        if (choice().isFabric())
        {
            conductor.onUdpOnly(channel + " goes by UDP: " + reason);
        }
    }

    private AtomicInteger transports(final boolean isSender)
    {
        return isSender ? senderTransports : receiverTransports;
    }

    private AgentSide side(final boolean isSender)
    {
        return isSender ? conductor.sender() : conductor.receiver();
    }

    /**
     * Wait until all publications to an endpoint of a peer travel on rails.
     *
     * @param address   of the endpoint.
     * @param timeoutNs how long to wait.
     * @throws io.aeron.exceptions.AeronException with the reason when they do not in time.
     */
    public void awaitLink(final InetSocketAddress address, final long timeoutNs)
    {
        final FabricConductor running;
        synchronized (this)
        {
            running = isClosed ? null : conductor;
        }

        if (!choice().isFabric() || null == running)
        {
            throw new AeronException("no rails to " + address + ": " + (choice().isFabric() ?
                "the driver has no channel, or is closed" : "protocol udp, " + choice().reason()));
        }
        running.awaitLink(address, timeoutNs);
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
     * Rails of the Sender, which may be the Receiver's too.
     *
     * @return the set.
     */
    public RailSet senderRails()
    {
        return conductor.sender().railSet();
    }

    /**
     * Rails of the Receiver, which may be the Sender's too.
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
        final AgentRunner watchRunner;
        synchronized (this)
        {
            if (isClosed)
            {
                return;
            }
            isClosed = true;
            runner = conductorRunner;
            watchRunner = stallWatchRunner;
        }

        closeFully(runner);
        closeFully(watchRunner);
        rails.close();
    }

    /**
     * A runner does not wait for its agent on a thread that is interrupted, but the counters that this agent writes are
     * unmapped next.
     */
    private static void closeFully(final AgentRunner runner)
    {
        boolean isInterrupted = Thread.interrupted();
        CloseHelper.quietClose(runner);
        while (null != runner && !runner.isClosed())
        {
            isInterrupted |= Thread.interrupted();
            LockSupport.parkNanos(CLOSE_PARK_NS);
        }

        if (isInterrupted)
        {
            Thread.currentThread().interrupt();
        }
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
