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

import io.aeron.exceptions.AeronEvent;
import io.aeron.exceptions.AeronException;
import io.millrace.codecs.handshake.ByeCause;
import io.millrace.efa.rail.RailPeer;
import org.agrona.CloseHelper;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.NanoClock;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * What both sides of the handshake share: one agent's rails and links, their counters, and the end of a link.
 */
final class Linking
{
    private final FabricSettings settings;
    private final FabricCounters counters;
    private final ErrorHandler errorHandler;
    private final HandshakeCodec codec = new HandshakeCodec();
    private final HandshakeSeal seal;
    private final AgentSide side;
    private final FailedPaths failedPaths = new FailedPaths();
    private final NanoClock nanoClock;
    private final Consumer<Runnable> events;
    private final TermSettings terms;
    private LinkObserver observer;

    Linking(
        final FabricSettings settings,
        final TermSettings terms,
        final FabricCounters counters,
        final ErrorHandler errorHandler,
        final AgentSide side,
        final NanoClock nanoClock,
        final Consumer<Runnable> events)
    {
        this.nanoClock = nanoClock;
        this.events = events;
        this.settings = settings;
        this.terms = terms;
        this.seal = new HandshakeSeal(settings.authKeys());
        this.counters = counters;
        this.errorHandler = errorHandler;
        this.side = side;
    }

    AgentSide side()
    {
        return side;
    }

    /**
     * Paths of this direction that are not to be used for some time.
     */
    FailedPaths failedPaths()
    {
        return failedPaths;
    }

    FabricSettings settings()
    {
        return settings;
    }

    /**
     * What this side's rails can do, as bits of the handshake.
     */
    int capabilities()
    {
        return terms.capabilities(side.rails());
    }

    /**
     * Say who is told of links that come and go.
     */
    void observer(final LinkObserver observer)
    {
        this.observer = observer;
    }

    HandshakeCodec codec()
    {
        return codec;
    }

    Link newLink(final Peering.Key key)
    {
        return new Link(key.channel(), key.address(), side.railSet().handles().allocate());
    }

    /**
     * Let a link carry frames as soon as the agent has proven its paths, and tell then.
     *
     * @param peering     with the peer's handle and paths.
     * @param token       that both sides know of the handshake, for probes.
     * @param onUnproven  run when no path was answered in time.
     */
    void attach(final Peering peering, final long token, final Runnable onUnproven)
    {
        final Link link = peering.link;
        final int peerHandle = peering.peerHandle;
        final int attachment = ++peering.attachments;
        final WarmUp warmUp = new WarmUp(
            peering.paths.toArray(new RailPath[0]),
            peerHandle,
            token,
            peering.isSender,
            (answered) -> onProven(peering, link, attachment, answered, onUnproven));
        peering.isLinked = true;
        counters.handshakes().incrementRelease();
        peering.key.channel().farewells().put(peering.key.address(), seal.seal(codec.encode(
            new HandshakeMessage.Bye(
            settings.incarnation(), peerHandle, ByeCause.CLOSED, peering.sequence, "channel closed")),
            peering.isSender));
        side.run(
            () ->
            {
                if (link.isUp())
                {
                    link.channel().detach(link);
                }
                link.end();
                link.peerHandle(peerHandle);
                link.warmUp(warmUp);
                side.railSet().handles().register(link);
                side.railSet().warm(link);
            });
    }

    /**
     * Let a link go on over the rails that there are now on both sides.
     *
     * @param peering of the link.
     * @param mayAdd  false to take no new paths.
     * @param reason  for people, why some may have come or gone.
     * @return false when no path is left, or one of a link that is not up yet, so that the link has to end.
     */
    boolean renew(final Peering peering, final boolean mayAdd, final String reason)
    {
        final List<RailPath> paths = side.renew(
            failedPaths, peering.paths, peering.peerIncarnation, peering.remote, mayAdd && peering.isUp);
        if (!peering.isUp)
        {
            // the agent has these paths to prove, all or none
            return paths.size() == peering.paths.size();
        }

        if (paths.isEmpty())
        {
            return false;
        }

        final List<RailPath> lost = new ArrayList<>(peering.paths);
        lost.removeAll(paths);
        final List<RailPath> added = new ArrayList<>(paths);
        added.removeAll(peering.paths);
        if (!lost.isEmpty() || !added.isEmpty())
        {
            final Link link = peering.link;
            final RailChoice choice = new RailChoice(paths.toArray(new RailPath[0]));
            side.run(() -> link.paths(choice));
            peering.paths.clear();
            peering.paths.addAll(paths);
            side.release(lost);
            counters.pathsLost().getAndAddRelease(lost.size());
            counters.pathsAdded().getAndAddRelease(added.size());
            errorHandler.onError(new AeronEvent(
                "millrace: link " + peering + " of " + peering.key.channel().description() + " goes on over rails " +
                paths.stream().map((path) -> path.rail().index()).distinct().toList() + ": " + reason,
                AeronException.Category.WARN));
            observer.onRenewed(peering);
        }

        return true;
    }

    /**
     * Operations on a path of a link failed: it is not to be used for some time.
     */
    void onPathFailed(final Peering peering, final RailPeer peer, final long nowNs)
    {
        for (final RailPath path : peering.paths)
        {
            if (path.peer() == peer)
            {
                failedPaths.onFailed(
                    path.rail().index(), peering.peerIncarnation, path.remote().address(), nowNs);
            }
        }
    }

    /**
     * Wait no longer for paths that were not answered.
     */
    void finishWarmUp(final Peering peering)
    {
        final Link link = peering.link;
        side.run(
            () ->
            {
                if (null != link.warmUp() && !link.isUp())
                {
                    link.warmUp().finish();
                }
            });
    }

    private void onProven(
        final Peering peering,
        final Link link,
        final int attachment,
        final long answered,
        final Runnable onUnproven)
    {
        final int paths = Long.bitCount(answered);
        if (paths > 0)
        {
            link.up(new RailChoice(link.warmUp().provenPaths()));
            link.channel().attach(link);
        }
        events.accept(
            () ->
            {
                if (peering.link == link && peering.isLinked && peering.attachments == attachment)
                {
                    counters.railsUnproven().getAndAddRelease(peering.paths.size() - paths);
                    if (paths > 0)
                    {
                        onUp(peering);
                        leaveOutUnproven(peering, answered);
                    }
                    else
                    {
                        onUnproven.run();
                    }
                }
            });
    }

    private void leaveOutUnproven(final Peering peering, final long answered)
    {
        final long nowNs = nanoClock.nanoTime();
        for (int i = 0, size = peering.paths.size(); i < size; i++)
        {
            if (0 == (answered & 1L << i))
            {
                onPathFailed(peering, peering.paths.get(i).peer(), nowNs);
            }
        }

        renew(peering, false, "some rails brought no answer of the peer");
    }

    private void onUp(final Peering peering)
    {
        if (!peering.isUp)
        {
            peering.isUp = true;
            peering.hint = null;
            counters.links().incrementRelease();
            if (null != peering.counters)
            {
                peering.counters.onLinked();
            }
            observer.onAttached(peering);
        }
    }

    /**
     * A link carries no frames any more.
     */
    void onDetached(final Peering peering)
    {
        peering.isLinked = false;
        if (peering.isUp)
        {
            peering.isUp = false;
            counters.links().decrementRelease();
            if (null != peering.counters)
            {
                peering.counters.onUnlinked();
            }
            observer.onDetached(peering);
        }
    }

    /**
     * A peer of ours.
     */
    Peering newPeering(final Peering.Key key, final boolean isSender)
    {
        final Peering peering = new Peering(key, isSender);
        peering.counters = counters.peer(peering);
        return peering;
    }

    /**
     * Forget a peer.
     */
    void remove(final Peering peering)
    {
        unlink(peering);
        CloseHelper.close(peering.counters);
        peering.counters = null;
    }

    /**
     * End a link on our side, silently.
     */
    void unlink(final Peering peering)
    {
        final Link link = peering.link;
        if (null != link)
        {
            side.run(
                () ->
                {
                    side.railSet().handles().unregister(link);
                    link.end();
                    link.channel().detach(link);
                });
            side.railSet().handles().free(link.handle());
            peering.key.channel().farewells().remove(peering.key.address());
        }

        side.release(peering.paths);
        peering.paths.clear();
        peering.link = null;
        peering.peerHandle = 0;
        onDetached(peering);
    }

    /**
     * End a link on both sides, as it does not work any more.
     */
    void fallBack(final Peering peering, final String reason)
    {
        onFallback(
            peering,
            "link " + peering + " of " + peering.key.channel().description() + " ended, UDP goes on: " + reason);
        bye(peering, ByeCause.FAILED, reason);
        unlink(peering);
    }

    /**
     * Tell the peer that a link ends.
     */
    void bye(final Peering peering, final ByeCause cause, final String reason)
    {
        send(peering.key, peering.isSender, codec.encode(new HandshakeMessage.Bye(
            settings.incarnation(), peering.peerHandle, cause, peering.sequence, reason)));
    }

    /**
     * A handshake frame as it travels.
     */
    ByteBuffer sealed(final ByteBuffer frame, final boolean fromSender)
    {
        return seal.seal(frame, fromSender);
    }

    /**
     * Send a handshake frame, sealed if there is a key.
     *
     * @param key        of the peer.
     * @param fromSender true when this is the side that sends data.
     * @param frame      to send.
     */
    void send(final Peering.Key key, final boolean fromSender, final ByteBuffer frame)
    {
        final ByteBuffer sealed = seal.seal(frame, fromSender);
        side.run(() -> sendDatagram(key, sealed));
    }

    /**
     * Answer a frame of a peer that is not linked: one of many is not missed, as it asks again.
     *
     * @param key   of the peer.
     * @param frame to send, sealed if there is a key.
     */
    void answer(final Peering.Key key, final ByteBuffer frame)
    {
        answerUnsealed(key, seal.seal(frame, false));
    }

    /**
     * Answer with a frame as it is, to say that a peer is not to be talked to, see {@link #answer}.
     */
    void answerUnsealed(final Peering.Key key, final ByteBuffer frame)
    {
        if (!side.tryRun(() -> sendDatagram(key, frame)))
        {
            counters.handshakesDropped().increment();
        }
    }

    private static void sendDatagram(final Peering.Key key, final ByteBuffer frame)
    {
        if (!key.channel().isClosed())
        {
            key.channel().sendDatagram(frame, key.address());
        }
    }

    void onFallback(final Peering peering, final String reason)
    {
        if (null != peering.counters)
        {
            peering.counters.onFallback();
        }
        onFallback(reason);
    }

    void onFallback(final String reason)
    {
        counters.fallbacks().incrementRelease();
        errorHandler.onError(new AeronEvent("millrace: " + reason, AeronException.Category.WARN));
    }

    FabricCounters counters()
    {
        return counters;
    }

    void onStale()
    {
        counters.handshakesStale().increment();
    }

    void onRejected()
    {
        counters.handshakesRejected().increment();
    }
}
