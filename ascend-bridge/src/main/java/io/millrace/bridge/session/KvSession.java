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
package io.millrace.bridge.session;

import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvSender;

/**
 * A peer that answered, until it leaves, is lost or comes back as another incarnation.
 */
public final class KvSession
{
    /**
     * Where a session stands.
     */
    public enum State
    {
        /**
         * The peer is alive.
         */
        ESTABLISHED,

        /**
         * The peer failed: submit nothing to it. It is tried again with back-off.
         */
        QUARANTINED,

        /**
         * Over: close its senders and receivers.
         */
        ENDED
    }

    private static final String REVERSE_TERM_LENGTH = "|term-length=256k";

    private final KvInstance local;
    private final KvInstance peer;
    private final long incarnation;
    private final String endpoint;
    private final int localStreamId;
    private final int peerStreamId;
    private final String localChannel;
    private final String channelParameters;
    private volatile State state = State.ESTABLISHED;
    private volatile long roundTripNs = -1;

    KvSession(
        final KvInstance local,
        final KvInstance peer,
        final long incarnation,
        final String endpoint,
        final int localStreamId,
        final int peerStreamId,
        final String localChannel,
        final String channelParameters)
    {
        this.local = local;
        this.peer = peer;
        this.incarnation = incarnation;
        this.endpoint = endpoint;
        this.localStreamId = localStreamId;
        this.peerStreamId = peerStreamId;
        this.localChannel = localChannel;
        this.channelParameters = channelParameters;
    }

    /**
     * Who answered.
     *
     * @return what the peer told of itself.
     */
    public KvInstance peer()
    {
        return peer;
    }

    /**
     * Start of the peer that the session is with.
     *
     * @return random, non-zero.
     */
    public long incarnation()
    {
        return incarnation;
    }

    /**
     * Where the peer listens.
     *
     * @return host:port.
     */
    public String endpoint()
    {
        return endpoint;
    }

    /**
     * Where the session stands.
     *
     * @return the state.
     */
    public State state()
    {
        return state;
    }

    /**
     * Time that the last probe took.
     *
     * @return nanoseconds, -1 before the first answer.
     */
    public long roundTripNs()
    {
        return roundTripNs;
    }

    /**
     * May transfers go to the peer: it receives, this instance sends, and the peer's rank wants heads of this one's.
     *
     * @return false when a sender would have nothing to send.
     */
    public boolean canSend()
    {
        return carries(local, peer);
    }

    /**
     * May transfers come from the peer.
     *
     * @return false when a receiver would get nothing.
     */
    public boolean canReceive()
    {
        return carries(peer, local);
    }

    private static boolean carries(final KvInstance from, final KvInstance to)
    {
        return from.role().sends() && to.role().receives() && from.planTo(to).copiesFrom(from.tpRank()).stream()
            .anyMatch(copy -> copy.destinationRank() == to.tpRank());
    }

    /**
     * Set channels and streams of the transfers to the peer.
     *
     * @param ctx to set them on; its Aeron client uses the driver of the sessions.
     * @return the context.
     */
    public KvSender.Context sender(final KvSender.Context ctx)
    {
        return ctx.channel("aeron:udp?endpoint=" + endpoint + channelParameters).streamId(peerStreamId)
            .reverseChannel(localChannel).reverseStreamId(localStreamId + 1);
    }

    /**
     * Set channels and streams of the transfers from the peer.
     *
     * @param ctx to set them on; its Aeron client uses the driver of the sessions.
     * @return the context.
     */
    public KvReceiver.Context receiver(final KvReceiver.Context ctx)
    {
        return ctx.channel(localChannel).streamId(localStreamId)
            .reverseChannel("aeron:udp?endpoint=" + endpoint + REVERSE_TERM_LENGTH).reverseStreamId(peerStreamId + 1);
    }

    void state(final State newState)
    {
        state = newState;
    }

    void roundTripNs(final long newRoundTripNs)
    {
        roundTripNs = newRoundTripNs;
    }

    /**
     * For a person.
     *
     * @return name, endpoint and state.
     */
    public String toString()
    {
        return "KvSession{" + peer.name() + " " + peer.role() + " at " + endpoint + " incarnation=" +
            Long.toHexString(incarnation) + " " + state + "}";
    }
}
