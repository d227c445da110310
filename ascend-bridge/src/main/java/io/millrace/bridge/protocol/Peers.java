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

import java.util.ArrayList;

import io.aeron.Image;
import io.aeron.Subscription;

/**
 * The receivers that answered a sender, found by the session of their reverse publication.
 */
final class Peers
{
    private final ArrayList<Peer> peers = new ArrayList<>();

    /**
     * Enter a receiver that answered.
     *
     * @return false when it is known.
     */
    boolean add(final long receiverId, final Image image)
    {
        for (int i = 0; i < peers.size(); i++)
        {
            final Peer peer = peers.get(i);
            if (peer.sessionId() == image.sessionId() && peer.receiverId() == receiverId)
            {
                return false;
            }
        }
        peers.add(new Peer(receiverId, image.sessionId(), image));
        return true;
    }

    /**
     * Take out a receiver whose reverse publication ended.
     *
     * @return null when all are there.
     */
    Peer pollGone()
    {
        for (int i = peers.size() - 1; i >= 0; i--)
        {
            if (peers.get(i).image().isClosed())
            {
                return peers.remove(i);
            }
        }
        return null;
    }

    /**
     * Take out any receiver.
     *
     * @return null when none is left.
     */
    Peer poll()
    {
        return peers.isEmpty() ? null : peers.remove(peers.size() - 1);
    }

    int size()
    {
        return peers.size();
    }

    Peer get(final int index)
    {
        return peers.get(index);
    }

    /**
     * Has a reverse publication appeared whose receiver has not answered.
     */
    boolean hasStranger(final Subscription reverse)
    {
        return reverse.imageCount() > peers.size();
    }
}
