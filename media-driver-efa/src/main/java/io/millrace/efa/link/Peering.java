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
import java.util.ArrayList;
import java.util.List;

/**
 * What the fabric conductor knows of one peer of one channel endpoint.
 */
final class Peering
{
    /**
     * Identity of a peering.
     *
     * @param channel the endpoint, by identity.
     * @param address of the peer's socket.
     */
    record Key(RailChannel channel, InetSocketAddress address)
    {
    }

    final Key key;
    final boolean isSender;
    final List<RailPath> paths = new ArrayList<>();
    List<RailAddress> remote = List.of();
    int offeredVersion;
    long offeredSequence;
    Link link;
    PeerCounters counters;
    /**
     * The peer is known and its rails are in the address vectors.
     */
    boolean isLinked;
    /**
     * The rails to the peer were proven, frames travel on them.
     */
    boolean isUp;
    long lastWantedNs;
    long peerIncarnation;
    int peerHandle;
    long firstSequence;
    long sequence;
    long lastAckedSequence;
    /**
     * Where the last answer to a Hello came from: it had the Hello's sequence, which nobody else can know.
     */
    InetSocketAddress answeredFrom;
    /**
     * Of the peer's offers that ended long ago the latest: none is older that is still to come.
     */
    long forgottenEpoch = Long.MIN_VALUE;
    long challenge;
    int challengesAnswered;
    int attachments;
    long nextHelloNs;
    long helloIntervalNs;
    long firstHelloNs;
    long lastHeardNs;
    long linkedSinceNs;
    long warmUpSinceNs;
    int shortLivedLinks;
    boolean isAliveOverUdp;
    long aliveSinceNs;
    int capabilities;
    boolean isClosedByPeer;
    String refusal;
    long refusedNs;
    String hint;

    Peering(final Key key, final boolean isSender)
    {
        this.key = key;
        this.isSender = isSender;
    }

    /**
     * What both sides of a link know of each other's handshake, for probes on rails.
     */
    static long token(final long senderIncarnation, final long receiverIncarnation)
    {
        return 31 * senderIncarnation + receiverIncarnation;
    }

    /**
     * Is a sequence that of a Hello of this link?
     *
     * @param sequence of a message.
     * @param unseen   Hellos that may not have arrived.
     */
    boolean isOfThisLink(final long sequence, final int unseen)
    {
        return sequence >= firstSequence && sequence <= this.sequence + unseen;
    }

    boolean isWarmUpOverdue(final long nowNs, final long timeoutNs)
    {
        return isLinked && !isUp && nowNs - warmUpSinceNs > timeoutNs;
    }

    boolean uses(final RailPeer peer)
    {
        return paths.stream().anyMatch((path) -> path.peer() == peer);
    }

    boolean uses(final Rail rail)
    {
        return paths.stream().anyMatch((path) -> path.rail() == rail);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public String toString()
    {
        return (isSender ? "snd " : "rcv ") + key.address().getAddress().getHostAddress() + ":" +
            key.address().getPort();
    }
}
