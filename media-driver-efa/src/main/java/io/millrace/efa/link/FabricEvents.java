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

import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailPeer;

import java.net.InetSocketAddress;

/**
 * What agents tell the fabric conductor. All calls return at once. What returns nothing is told once and never lost.
 */
public interface FabricEvents
{
    /**
     * A channel sends to an address that has no link yet.
     *
     * @param channel that sends.
     * @param address of the peer's socket.
     * @return false when the conductor is too busy to take note: tell it again.
     */
    boolean onDestination(RailChannel channel, InetSocketAddress address);

    /**
     * A peer without link was heard over UDP.
     *
     * @param channel that heard it.
     * @param address of the peer's socket.
     * @return false when the conductor is too busy to take note: tell it again.
     */
    boolean onPeerAlive(RailChannel channel, InetSocketAddress address);

    /**
     * A peer answers by UDP, and only so, to what was sent to it on rails.
     *
     * @param channel that sends.
     * @param address of the peer's socket.
     * @return false when the conductor is too busy to take note: tell it again.
     */
    boolean onPeerDeaf(RailChannel channel, InetSocketAddress address);

    /**
     * A handshake frame arrived on a socket.
     *
     * @param channel  on whose socket.
     * @param source   address of the peer's socket.
     * @param frame    copy of the datagram.
     * @param isLinked true when the peer has a link, so that others do not hold it up.
     */
    void onHandshake(RailChannel channel, InetSocketAddress source, byte[] frame, boolean isLinked);

    /**
     * Operations to a peer fail.
     *
     * @param peer   that failed.
     * @param reason for people.
     */
    void onPeerFailed(RailPeer peer, String reason);

    /**
     * Rails push back on all that is sent to a peer, for longer than they should.
     *
     * @param channel that sends.
     * @param address of the peer's socket.
     * @return false when the conductor is too busy to take note: tell it again.
     */
    boolean onPeerStalled(RailChannel channel, InetSocketAddress address);

    /**
     * A peer is not in a rail's address vector any more.
     *
     * @param rail that knew it.
     * @param peer that was removed.
     */
    void onPeerRemoved(Rail rail, RailPeer peer);

    /**
     * A publication sends on a channel from now on.
     *
     * @param channel        that sends.
     * @param registrationId of the publication.
     * @param sessionId      of the publication.
     * @param streamId       of the publication.
     */
    void onPublication(RailChannel channel, long registrationId, int sessionId, int streamId);

    /**
     * A publication sends no more.
     *
     * @param channel        that sent.
     * @param registrationId of the publication.
     */
    void onPublicationEnded(RailChannel channel, long registrationId);

    /**
     * An image is made.
     *
     * @param image what is known of it.
     */
    void onImage(ImageRecord image);

    /**
     * An image is closed. Its log will be deleted.
     *
     * @param image that was made.
     */
    void onImageClosed(ImageRecord image);

    /**
     * A rail failed.
     *
     * @param railSet of the agent that owns the rail.
     * @param rail    that failed.
     * @param reason  for people.
     */
    void onRailFailed(RailSet railSet, Rail rail, String reason);

    /**
     * A rail is to be opened anew, because of peers that are gone.
     *
     * @param railSet of the agent that owns the rail.
     * @param rail    that is not used any more.
     * @param reason  for people.
     */
    void onRailWorn(RailSet railSet, Rail rail, String reason);
}
