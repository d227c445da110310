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

    Linking(
        final FabricSettings settings,
        final FabricCounters counters,
        final ErrorHandler errorHandler,
        final AgentSide side)
    {
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
     * Let a link carry frames. Agent only, as for {@link #detach(Link)}.
     */
    void attach(final Link link, final long peerHandle, final RailPath[] paths)
    {
        detach(link);
        if (!link.channel().isClosed())
        {
            link.paths(peerHandle, paths);
            link.channel().attach(link);
            counters.links().increment();
        }
    }

    private void detach(final Link link)
    {
        if (link.paths().length > 0 && !link.channel().isClosed())
        {
            link.end();
            link.channel().detach(link);
            counters.links().decrement();
        }
    }

    void onLinked(final Peering peering)
    {
        peering.isLinked = true;
        counters.handshakes().incrementRelease();
        if (null != peering.counters)
        {
            peering.counters.onLinked();
        }
    }

    void onUnlinked(final Peering peering)
    {
        peering.isLinked = false;
        if (null != peering.counters)
        {
            peering.counters.onUnlinked();
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
                    detach(link);
                });
            side.railSet().handles().free(link.handle());
        }

        side.release(peering.paths);
        peering.paths.clear();
        peering.link = null;
        peering.peerHandle = 0;
        if (peering.isLinked)
        {
            onUnlinked(peering);
        }
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
