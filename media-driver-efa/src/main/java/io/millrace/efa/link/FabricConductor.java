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

import io.aeron.driver.DutyCycleTracker;
import io.aeron.exceptions.AeronEvent;
import io.aeron.exceptions.AeronException;
import io.aeron.exceptions.TimeoutException;
import io.millrace.efa.libfabric.ShmLocks;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailPeer;
import io.millrace.efa.term.PlacedImages;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.agrona.concurrent.ManyToOneConcurrentLinkedQueue;
import org.agrona.concurrent.NanoClock;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;

/**
 * Agent for all that is slow or rare: opening rails, the handshake with its timers, address insertion, and what happens
 * when peers or rails fail. Sender and Receiver only ever look at links that are ready.
 */
final class FabricConductor implements Agent, FabricEvents
{
    private static final int REPORT_CAPACITY = 4096;
    private static final int EVENT_DRAIN_LIMIT = 64;

    /**
     * Frames of peers that have a link do not wait behind those of peers that have none.
     */
    private static final int FRAME_CAPACITY = 1024;
    private static final int FRAME_DRAIN_LIMIT = 16;

    /**
     * Shared memory gives no error for what a dead process has not taken: it is never taken.
     */
    private static final long GONE_TIMEOUT_NS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long RETIRE_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long WARM_UP_CHECK_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long DRAIN_QUIET_NS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long DRAIN_LIMIT_NS = TimeUnit.MILLISECONDS.toNanos(200);

    /**
     * Told once, and as many as there are rails, peers, publications and images: never lost.
     */
    private final ManyToOneConcurrentLinkedQueue<Runnable> facts = new ManyToOneConcurrentLinkedQueue<>();
    /**
     * Told again by who told them, if there is no room.
     */
    private final ManyToOneConcurrentArrayQueue<Runnable> reports =
        new ManyToOneConcurrentArrayQueue<>(REPORT_CAPACITY);
    private final ManyToOneConcurrentArrayQueue<Runnable> linkedFrames =
        new ManyToOneConcurrentArrayQueue<>(FRAME_CAPACITY);
    private final ManyToOneConcurrentArrayQueue<Runnable> otherFrames =
        new ManyToOneConcurrentArrayQueue<>(FRAME_CAPACITY);
    private final HandshakeInbox inbox;
    private final NanoClock nanoClock;
    private final RailKeeper railKeeper;
    private final int mtuLength;
    private final FabricCounters counters;
    private final ErrorHandler errorHandler;
    private final DutyCycleTracker dutyCycleTracker;
    private final List<AgentSide> sides;
    private final Linking sender;
    private final Linking receiver;
    private final Terms terms;
    private final SenderHandshake senderHandshake;
    private final ReceiverHandshake receiverHandshake;
    private long lastRetiredNs;
    private volatile Thread thread;

    FabricConductor(
        final FabricSettings settings,
        final List<AgentRole> roles,
        final FabricCounters counters,
        final ErrorHandler errorHandler,
        final NanoClock nanoClock,
        final RailOpener opener,
        final TermSettings termSettings,
        final int mtuLength)
    {
        this.nanoClock = nanoClock;
        this.mtuLength = mtuLength;
        this.counters = counters;
        this.errorHandler = errorHandler;
        dutyCycleTracker = counters.newConductorTracker(settings.context().conductorCycleThresholdNs());
        sides = roles.stream().map((role) -> newSide(role, settings)).toList();
        sender = newLinking(AgentRole::isSender, settings, termSettings);
        receiver = newLinking(AgentRole::isReceiver, settings, termSettings);
        terms = new Terms(
            settings.context(),
            termSettings,
            counters.terms(),
            sender,
            receiver,
            this::onFallback,
            this::offer,
            nanoClock);
        senderHandshake = new SenderHandshake(sender, nanoClock);
        receiverHandshake = new ReceiverHandshake(receiver, nanoClock);
        inbox = new HandshakeInbox(sender, receiver, senderHandshake, receiverHandshake, terms, errorHandler);
        railKeeper = new RailKeeper(
            opener, sides, this::onFallback, this::onRailReopened, this::offer, terms);
    }

    private AgentSide newSide(final AgentRole role, final FabricSettings settings)
    {
        final long linkTimeoutNs = settings.context().linkTimeoutNs();
        final RailSet railSet = new RailSet(
            this,
            counters.framesRejected(),
            errorHandler,
            linkTimeoutNs,
            settings.choice().isHostLocal() ? GONE_TIMEOUT_NS : linkTimeoutNs,
            new PlacedImages(counters.terms()));
        return new AgentSide(role, railSet, counters.addressInsertTime());
    }

    private Linking newLinking(
        final Predicate<AgentRole> isOfRole, final FabricSettings settings, final TermSettings termSettings)
    {
        final AgentSide side = sides.stream()
            .filter((candidate) -> isOfRole.test(candidate.role())).findFirst().orElseThrow();
        return new Linking(settings, termSettings, counters, errorHandler, side, nanoClock, this::offer);
    }

    /**
     * Peers that are known, of both sides.
     */
    int peers()
    {
        return senderHandshake.peers() + receiverHandshake.peers();
    }

    AgentSide sender()
    {
        return sender.side();
    }

    AgentSide receiver()
    {
        return receiver.side();
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public String roleName()
    {
        return "aeron-efa-conductor";
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onStart()
    {
        thread = Thread.currentThread();
        railKeeper.open(nanoClock.nanoTime());
        if (!sender.side().rails().isEmpty() && mtuLength > sender.side().rails().get(0).maxSendLength())
        {
            final int maxLength = sender.side().rails().get(0).maxSendLength();
            onFallback("aeron.mtu.length=" + mtuLength + " exceeds " + maxLength +
                " bytes, the longest message of a rail: longer frames go by UDP. Set it to at most " +
                maxLength / 32 * 32);
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onClose()
    {
        drain();
        terms.closing();
        railKeeper.close();
        terms.close();
    }

    /**
     * Let what peers have sent arrive, so that their operations end, and let them take leave. The agents have ended.
     */
    private void drain()
    {
        final long startNs = nanoClock.nanoTime();
        long lastReceivedNs = startNs;
        long nowNs = startNs;
        while (nowNs - lastReceivedNs < DRAIN_QUIET_NS && nowNs - startNs < DRAIN_LIMIT_NS)
        {
            for (final AgentSide side : sides)
            {
                lastReceivedNs = side.railSet().poll() ? nowNs : lastReceivedNs;
            }
            drainEvents();
            Thread.onSpinWait();
            nowNs = nanoClock.nanoTime();
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public int doWork()
    {
        final long nowNs = nanoClock.nanoTime();
        dutyCycleTracker.update(nowNs);
        final int workCount = drainEvents() +
            linkedFrames.drain(Runnable::run, FRAME_DRAIN_LIMIT) +
            otherFrames.drain(Runnable::run, FRAME_DRAIN_LIMIT) +
            tendSides() +
            railKeeper.doWork(nowNs) +
            releasePaths(nowNs) +
            senderHandshake.doWork(nowNs) +
            receiverHandshake.doWork(nowNs) +
            terms.doWork(nowNs);
        // without the sleep between cycles, which is longer than a threshold may be
        dutyCycleTracker.measureAndUpdate(nanoClock.nanoTime());
        return workCount;
    }

    private int tendSides()
    {
        int workCount = 0;
        int addressEntries = 0;
        for (int i = 0; i < sides.size(); i++)
        {
            final AgentSide side = sides.get(i);
            workCount += side.pollUnattended() + side.flush();
            addressEntries += side.addressEntries();
        }
        counters.addressEntries().setRelease(addressEntries);
        return workCount;
    }

    private int drainEvents()
    {
        int drained = 0;
        for (Runnable fact = facts.poll(); null != fact; fact = facts.poll())
        {
            fact.run();
            if (++drained == EVENT_DRAIN_LIMIT)
            {
                break;
            }
        }
        return drained + reports.drain(Runnable::run, EVENT_DRAIN_LIMIT);
    }

    /**
     * End all links for good. UDP goes on.
     *
     * @param reason for people.
     */
    void stop(final String reason)
    {
        offer(
            () ->
            {
                onFallback(reason);
                senderHandshake.stop(reason);
                receiverHandshake.stop(reason);
                sides.forEach(AgentSide::disable);
            });
    }

    /**
     * Wait until all channels to an address are linked.
     *
     * @param address   of the peer's socket.
     * @param timeoutNs how long to wait.
     * @throws io.aeron.exceptions.AeronException with the reason when a link is refused or not made in time.
     */
    void awaitLink(final InetSocketAddress address, final long timeoutNs)
    {
        final CompletableFuture<Void> future = new CompletableFuture<>();
        final AtomicReference<String> refusal = new AtomicReference<>(
            "is there a publication to it here, and a subscription of a Millrace driver there?");
        final long startNs = nanoClock.nanoTime();
        final long deadlineNs = startNs + timeoutNs;
        while (!future.isDone())
        {
            final long leftNs = deadlineNs - nanoClock.nanoTime();
            if (leftNs <= 0)
            {
                throw new TimeoutException("no link to " + address + " within " +
                    TimeUnit.NANOSECONDS.toMillis(timeoutNs) + " ms: " + refusal.get());
            }

            report(() -> senderHandshake.warmUp(address, startNs, future, refusal));
            try
            {
                future.get(Math.min(leftNs, WARM_UP_CHECK_INTERVAL_NS), TimeUnit.NANOSECONDS);
            }
            catch (final java.util.concurrent.TimeoutException ignore)
            {
                // looked at again above
            }
            catch (final InterruptedException ex)
            {
                Thread.currentThread().interrupt();
                throw new AeronException("interrupted while waiting for a link to " + address, ex);
            }
            catch (final ExecutionException ex)
            {
                throw (AeronException)ex.getCause();
            }
        }
    }

    /**
     * Take note that a channel has no rails from its start. From any thread.
     *
     * @param reason for people.
     */
    void onUdpOnly(final String reason)
    {
        offer(() -> onFallback(reason));
    }

    /**
     * Count and report that something goes on by UDP.
     *
     * @param reason for people.
     */
    void onFallback(final String reason)
    {
        sender.onFallback(reason);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public boolean onDestination(final RailChannel channel, final InetSocketAddress address)
    {
        return report(() -> senderHandshake.onDestination(new Peering.Key(channel, address)));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public boolean onPeerAlive(final RailChannel channel, final InetSocketAddress address)
    {
        return report(() -> senderHandshake.onPeerAlive(new Peering.Key(channel, address)));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public boolean onPeerDeaf(final RailChannel channel, final InetSocketAddress address)
    {
        return report(() -> senderHandshake.onPeerDeaf(new Peering.Key(channel, address)));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onHandshake(
        final RailChannel channel, final InetSocketAddress source, final byte[] frame, final boolean isLinked)
    {
        if (!(isLinked ? linkedFrames : otherFrames).offer(() -> inbox.onFrame(channel, source, frame)))
        {
            counters.handshakesDropped().increment();
        }
        else if (!isLinked)
        {
            // a peer that has a link repeats its Hello for ever, and nobody waits for the answer
            wake();
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onPeerFailed(final RailPeer peer, final String reason)
    {
        offer(
            () ->
            {
                senderHandshake.onPeerFailed(peer, reason);
                receiverHandshake.onPeerFailed(peer, reason);
            });
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public boolean onPeerStalled(final RailChannel channel, final InetSocketAddress address)
    {
        return report(() -> senderHandshake.onPeerStalled(new Peering.Key(channel, address)));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onPeerRemoved(final Rail rail, final RailPeer peer)
    {
        offer(() -> rail.peers().onRemoved(peer));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onPublication(
        final RailChannel channel, final long registrationId, final int sessionId, final int streamId)
    {
        offer(() -> terms.onPublication(channel, registrationId, sessionId, streamId));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onPublicationEnded(final RailChannel channel, final long registrationId)
    {
        offer(() -> terms.onPublicationEnded(channel, registrationId));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onImage(final ImageRecord image)
    {
        offer(() -> terms.onImage(image));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onImageClosed(final ImageRecord image)
    {
        offer(() -> terms.onImageClosed(image));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onRailFailed(final RailSet railSet, final Rail rail, final String reason)
    {
        offer(
            () ->
            {
                final AgentSide side = sideOf(railSet);
                if (railKeeper.onFailed(side, rail, nanoClock.nanoTime()))
                {
                    counters.railsFailed().incrementRelease();
                    warn("rail " + rail.index() + " of the " + side.role() + " on " +
                        rail.endpoint().nic().domainName() + " failed: " + reason);
                    if (side.role().isSender())
                    {
                        senderHandshake.onRailFailed(rail, reason);
                    }
                    if (side.role().isReceiver())
                    {
                        receiverHandshake.onRailFailed(rail, reason);
                    }
                    railKeeper.retire(side, rail);
                }
            });
    }

    private void onRailReopened(final AgentSide side, final int index)
    {
        counters.railsReopened().incrementRelease();
        warn("rail " + index + " of the " + side.role() + " was opened again");
        if (side.role().isSender())
        {
            senderHandshake.onRailsOpened();
        }
        if (side.role().isReceiver())
        {
            receiverHandshake.onRailsOpened();
        }
    }

    private int releasePaths(final long nowNs)
    {
        if (nowNs - lastRetiredNs > RETIRE_INTERVAL_NS)
        {
            lastRetiredNs = nowNs;
            sides.forEach(AgentSide::retireUnused);
        }
        if (sender.failedPaths().release(nowNs))
        {
            senderHandshake.onPathsReleased();
        }
        if (receiver.failedPaths().release(nowNs))
        {
            receiverHandshake.onPathsReleased();
        }
        return 0;
    }

    private AgentSide sideOf(final RailSet railSet)
    {
        return railSet == sender.side().railSet() ? sender.side() : receiver.side();
    }

    private void warn(final String text)
    {
        errorHandler.onError(new AeronEvent("millrace: " + text, AeronException.Category.WARN));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onRailWorn(final RailSet railSet, final Rail rail, final String reason)
    {
        offer(
            () ->
            {
                final AgentSide side = sideOf(railSet);
                if (railKeeper.onWorn(side, rail))
                {
                    onFallback("rail " + rail.index() + " of the " + side.role() + " on " +
                        rail.endpoint().nic().domainName() + " is opened anew: " + reason);
                    if (side.role().isSender())
                    {
                        senderHandshake.onRailRenewed(rail);
                    }
                    if (side.role().isReceiver())
                    {
                        receiverHandshake.onRailRenewed(rail);
                    }
                    railKeeper.retire(side, rail);
                    railKeeper.reopen(side, rail, nanoClock.nanoTime());
                }
            });
    }

    /**
     * Watch over the agents, which may stand still for a peer of this host that was killed.
     */
    StallWatch newStallWatch()
    {
        return new StallWatch(sides, this::onLockReleased, this::onLockUnknown);
    }

    private void onLockReleased(final ShmLocks.Held held, final List<AgentSide> stalled)
    {
        counters.shmLocksReleased().incrementRelease();
        offer(
            () ->
            {
                warn("a lock was released: " + held);
                for (final AgentSide side : sides)
                {
                    for (final Rail rail : List.copyOf(side.rails()))
                    {
                        final byte[] address = rail.endpoint().localAddress();
                        if (held.isOwn() ? held.isOf(address) : stalled.contains(side))
                        {
                            onRailWorn(side.railSet(), rail, held.toString());
                        }
                    }
                }
            });
    }

    private void onLockUnknown(final String text)
    {
        offer(() -> warn(text));
    }

    private void offer(final Runnable fact)
    {
        facts.offer(fact);
        wake();
    }

    /**
     * What is told but once, or until it is answered, does not wait for a conductor that rests: it can rest for long.
     */
    private void wake()
    {
        final Thread sleeper = thread;
        if (null != sleeper && Thread.currentThread() != sleeper)
        {
            LockSupport.unpark(sleeper);
        }
    }

    private boolean report(final Runnable report)
    {
        if (reports.offer(report))
        {
            wake();
            return true;
        }

        counters.reportsRepeated().increment();
        return false;
    }
}
