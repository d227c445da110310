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
package io.millrace.bridge.protocol;

import java.util.List;
import java.util.stream.Stream;

import io.millrace.bridge.KvDestination;
import io.millrace.bridge.KvError;
import io.millrace.codecs.kv.KvMessages;

/**
 * The receivers of one transfer. Those that failed hold up nothing.
 */
final class Destinations
{
    static final Destinations NONE = new Destinations(new Destination[0]);

    private final Destination[] all;

    private Destinations(final Destination[] all)
    {
        this.all = all;
    }

    static Destinations of(final Peers peers, final int layers)
    {
        final Destination[] all = new Destination[peers.size()];
        for (int i = 0; i < all.length; i++)
        {
            all[i] = new Destination(peers.get(i), layers);
        }
        return new Destinations(all);
    }

    /**
     * The same with those that come back in place of those that were lost.
     *
     * @return null when nobody came back, or not all and the rest may be late.
     */
    Destinations resumed(final Peers peers, final long sinceNs, final long nowNs)
    {
        final Destinations next = new Destinations(all.clone());
        int missing = 0;
        int found = 0;
        for (int i = 0; i < all.length; i++)
        {
            if (all[i].isLost && !all[i].isEnded())
            {
                final Peer peer = peers.successor(all[i].peer.receiverId(), next, sinceNs, nowNs);
                if (null == peer)
                {
                    missing++;
                }
                else
                {
                    next.all[i] = all[i].replacement(peer);
                    found++;
                }
            }
        }
        return 0 == found || missing > 0 && !peers.isLate(sinceNs, nowNs) ? null : next;
    }

    int count()
    {
        return all.length;
    }

    /**
     * Receivers that the transfer waits for.
     */
    int takingPart()
    {
        int count = 0;
        for (final Destination destination : all)
        {
            count += destination.isTakingPart() ? 1 : 0;
        }
        return count;
    }

    /**
     * First layer that a receiver of those that granted needs.
     */
    int fromLayer()
    {
        int layer = Integer.MAX_VALUE;
        for (final Destination destination : all)
        {
            layer = destination.isGranted && destination.isTakingPart() ?
                Math.min(layer, destination.fromLayer) : layer;
        }
        return layer;
    }

    /**
     * Newest version of the message flow that all those the transfer waits for speak.
     */
    int protocolVersion()
    {
        int version = KvMessages.PROTOCOL_VERSION;
        for (final Destination destination : all)
        {
            version = destination.isTakingPart() ? Math.min(version, destination.peer.protocolVersion()) : version;
        }
        return version;
    }

    boolean hasLost()
    {
        for (final Destination destination : all)
        {
            if (destination.isLost && !destination.isEnded())
            {
                return true;
            }
        }
        return false;
    }

    boolean hasReceiver(final long receiverId)
    {
        return null != findReceiver(receiverId);
    }

    Destination findReceiver(final long receiverId)
    {
        for (final Destination destination : all)
        {
            if (destination.peer.receiverId() == receiverId)
            {
                return destination;
            }
        }
        return null;
    }

    /**
     * Find a receiver, or the one that came in its place.
     */
    Destination findNamed(final long receiverId)
    {
        Destination found = findReceiver(receiverId);
        for (int i = 0; i < all.length && null == found; i++)
        {
            found = all[i].hasReplaced(receiverId) ? all[i] : null;
        }
        return found;
    }

    Destination get(final int index)
    {
        return all[index];
    }

    Destination find(final int sessionId)
    {
        for (final Destination destination : all)
        {
            if (destination.peer.sessionId() == sessionId)
            {
                return destination;
            }
        }
        return null;
    }

    /**
     * Credit that every receiver left gives, unlimited without receivers.
     */
    long creditLimit()
    {
        long limit = Long.MAX_VALUE;
        for (final Destination destination : all)
        {
            limit = destination.isTakingPart() ? Math.min(limit, destination.creditLimit) : limit;
        }
        return limit;
    }

    boolean isAllGranted()
    {
        for (final Destination destination : all)
        {
            if (!destination.isGranted && destination.isTakingPart())
            {
                return false;
            }
        }
        return true;
    }

    boolean isAllAcked(final int layers)
    {
        for (final Destination destination : all)
        {
            if (destination.layersAcked() < layers && destination.isTakingPart())
            {
                return false;
            }
        }
        return true;
    }

    boolean isAllEnded()
    {
        for (final Destination destination : all)
        {
            if (!destination.isEnded())
            {
                return false;
            }
        }
        return true;
    }

    void end(final KvError error, final String text)
    {
        for (final Destination destination : all)
        {
            destination.end(error, text);
        }
    }

    /**
     * Layers that each receiver has, of several those that did not fail.
     */
    int layersAcked(final int layers)
    {
        int acked = 0 == all.length ? 0 : layers;
        for (final Destination destination : all)
        {
            acked = destination.isFailed() && all.length > 1 ? acked : Math.min(acked, destination.layersAcked());
        }
        return acked;
    }

    boolean isLayerAcked(final int layer)
    {
        boolean isAcked = all.length > 0;
        for (final Destination destination : all)
        {
            isAcked &= destination.isAcked(layer) || destination.isFailed() && all.length > 1;
        }
        return isAcked;
    }

    List<KvDestination> snapshot()
    {
        return Stream.of(all).map(Destination::snapshot).toList();
    }
}
