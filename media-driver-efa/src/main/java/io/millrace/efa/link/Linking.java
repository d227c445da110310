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
import org.agrona.CloseHelper;
import org.agrona.ErrorHandler;

import java.nio.ByteBuffer;
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
    private final AgentSide side;
    private final Consumer<Runnable> events;

    Linking(
        final FabricSettings settings,
        final FabricCounters counters,
        final ErrorHandler errorHandler,
        final AgentSide side,
        final Consumer<Runnable> events)
    {
        this.events = events;
        this.settings = settings;
        this.counters = counters;
        this.errorHandler = errorHandler;
        this.side = side;
    }

    AgentSide side()
    {
        return side;
    }

    FabricSettings settings()
    {
        return settings;
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
     * Let a link carry frames: on the agent, which then tells.
     *
     * @param peering    of the link.
     * @param peerHandle what to put in the immediate.
     * @param paths      to the peer.
     * @param isUp       true to use the rails at once, false to wait until the peer was heard on them.
     */
    void attach(final Peering peering, final int peerHandle, final List<RailPath> paths, final boolean isUp)
    {
        final Link link = peering.link;
        final RailPath[] array = paths.toArray(new RailPath[0]);
        peering.isLinked = true;
        counters.handshakes().incrementRelease();
        peering.key.channel().farewells().put(peering.key.address(), codec.encode(
            new HandshakeMessage.Bye(settings.incarnation(), peerHandle, ByeCause.CLOSED, "channel closed")));
        side.run(
            () ->
            {
                link.end();
                link.paths(peerHandle, array);
                side.railSet().handles().register(link);
                link.channel().attach(link);
                if (isUp)
                {
                    link.up();
                }
                events.accept(() -> onAttached(peering, link));
            });
    }

    private void onAttached(final Peering peering, final Link link)
    {
        if (peering.link == link && peering.isLinked && !peering.isAttached)
        {
            peering.isAttached = true;
            counters.links().incrementRelease();
            if (null != peering.counters)
            {
                peering.counters.onLinked();
            }
        }
    }

    /**
     * A link carries no frames any more.
     */
    void onDetached(final Peering peering)
    {
        peering.isLinked = false;
        if (peering.isAttached)
        {
            peering.isAttached = false;
            counters.links().decrementRelease();
            if (null != peering.counters)
            {
                peering.counters.onUnlinked();
            }
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
        send(peering.key, codec.encode(
            new HandshakeMessage.Bye(settings.incarnation(), peering.peerHandle, ByeCause.FAILED, reason)));
        unlink(peering);
    }

    void send(final Peering.Key key, final ByteBuffer frame)
    {
        side.run(
            () ->
            {
                if (!key.channel().isClosed())
                {
                    key.channel().sendDatagram(frame, key.address());
                }
            });
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

    void onRejected()
    {
        counters.handshakesRejected().increment();
    }
}
