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

import java.util.ArrayDeque;
import java.util.ArrayList;

import io.aeron.Image;
import io.aeron.Subscription;
import io.millrace.codecs.kv.KvMessages;

/**
 * The receivers that answered a sender, found by the session of their reverse publication. When one joins, those that
 * were there take part in new transfers once they answered again: an image outlives its receiver by its liveness
 * timeout, and nothing else tells that the newcomer took a dead one's place.
 */
final class Peers
{
    private final ArrayList<Peer> peers = new ArrayList<>();
    private final ArrayList<Peer> silent = new ArrayList<>();
    private final ArrayList<Image> formerImages = new ArrayList<>();
    private final ArrayDeque<Peer> replaced = new ArrayDeque<>();
    private final long answerTimeoutNs;
    private long joinedNs;

    /**
     * @param answerTimeoutNs that new transfers wait for the others' answers when a receiver joined.
     */
    Peers(final long answerTimeoutNs)
    {
        this.answerTimeoutNs = answerTimeoutNs;
    }

    /**
     * Enter a receiver that answered. It takes the place of what it was under another session.
     *
     * @return false when it is known.
     */
    boolean add(final Peer answering, final long nowNs)
    {
        final long receiverId = answering.receiverId();
        if (formerImages.contains(answering.image()) || null != find(peers, receiverId, answering.sessionId()))
        {
            return false;
        }
        final Peer known = find(silent, receiverId, answering.sessionId());
        if (null != known)
        {
            silent.remove(known);
            peers.add(known);
            return false;
        }

        silent.addAll(peers);
        peers.clear();
        for (int i = silent.size() - 1; i >= 0; i--)
        {
            if (silent.get(i).receiverId() == receiverId)
            {
                formerImages.add(silent.get(i).image());
                replaced.add(silent.remove(i));
            }
        }
        peers.add(answering);
        joinedNs = nowNs;
        return true;
    }

    /**
     * Take out a receiver that came back under another session, or whose reverse publication ended.
     *
     * @return null when all are there.
     */
    Peer pollGone()
    {
        for (int i = formerImages.size() - 1; i >= 0; i--)
        {
            if (formerImages.get(i).isClosed())
            {
                formerImages.remove(i);
            }
        }
        final Peer gone = replaced.isEmpty() ? removeClosed(peers) : replaced.poll();
        return null == gone ? removeClosed(silent) : gone;
    }

    /**
     * Take out any receiver.
     *
     * @return null when none is left.
     */
    Peer poll()
    {
        final ArrayList<Peer> from = peers.isEmpty() ? silent : peers;
        return !replaced.isEmpty() ? replaced.poll() : from.isEmpty() ? null : from.remove(from.size() - 1);
    }

    /**
     * Receivers that take part in new transfers.
     */
    int size()
    {
        return peers.size();
    }

    Peer get(final int index)
    {
        return peers.get(index);
    }

    /**
     * Bytes that a transfer may send before blocks are granted, 0 unless to a single receiver.
     */
    long eagerBytes()
    {
        return 1 == peers.size() ? peers.get(0).eagerBytes() : 0;
    }

    /**
     * Newest version of the message flow that all who take part in new transfers speak.
     */
    int protocolVersion()
    {
        int version = KvMessages.PROTOCOL_VERSION;
        for (int i = 0; i < peers.size(); i++)
        {
            version = Math.min(version, peers.get(i).protocolVersion());
        }
        return version;
    }

    /**
     * Find the receiver that goes on with an interrupted transfer: its own, or the one that joined last if its own has
     * not answered within a grace after that and no other destination of the transfer is that one.
     *
     * @param others  destinations of the transfer.
     * @param sinceNs when the transfer was interrupted.
     * @return null when there is none now.
     */
    Peer successor(final long receiverId, final Destinations others, final long sinceNs, final long nowNs)
    {
        for (int i = 0; i < peers.size(); i++)
        {
            if (peers.get(i).receiverId() == receiverId)
            {
                return peers.get(i);
            }
        }
        for (int i = isLate(sinceNs, nowNs) ? peers.size() - 1 : -1; i >= 0; i--)
        {
            if (!others.hasReceiver(peers.get(i).receiverId()))
            {
                return peers.get(i);
            }
        }
        return null;
    }

    /**
     * Has a receiver that was lost had its time to answer.
     */
    boolean isLate(final long sinceNs, final long nowNs)
    {
        return Math.min(nowNs - joinedNs, nowNs - sinceNs) >= answerTimeoutNs;
    }

    /**
     * Has a receiver not answered since another joined.
     */
    boolean hasSilent()
    {
        return !silent.isEmpty();
    }

    /**
     * Shall transfers wait for those that have not answered since another joined.
     */
    boolean isAsking(final long nowNs)
    {
        return !silent.isEmpty() && nowNs - joinedNs < answerTimeoutNs;
    }

    /**
     * Has a reverse publication appeared whose receiver has not answered.
     */
    boolean hasStranger(final Subscription reverse)
    {
        return reverse.imageCount() > peers.size() + silent.size() + formerImages.size();
    }

    private static Peer find(final ArrayList<Peer> list, final long receiverId, final int sessionId)
    {
        for (int i = 0; i < list.size(); i++)
        {
            final Peer peer = list.get(i);
            if (peer.sessionId() == sessionId && peer.receiverId() == receiverId)
            {
                return peer;
            }
        }
        return null;
    }

    private static Peer removeClosed(final ArrayList<Peer> list)
    {
        for (int i = list.size() - 1; i >= 0; i--)
        {
            if (list.get(i).image().isClosed())
            {
                return list.remove(i);
            }
        }
        return null;
    }
}
