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

import io.millrace.codecs.handshake.AckStatus;
import io.millrace.codecs.handshake.ByeCause;
import io.millrace.codecs.handshake.OfferStatus;

import java.util.List;

/**
 * What the two sides of an upgrade say to each other. Field meanings, units and ranges are in the schema
 * {@code fabric-handshake.xml}.
 */
public sealed interface HandshakeMessage
{
    /**
     * Sender to receiver: offer to carry the channel on rails.
     */
    record Hello(
        int protocolVersion,
        long incarnation,
        long hostId,
        int senderHandle,
        long sequence,
        long challenge,
        List<RailAddress> rails,
        String provider,
        String wireName,
        int capabilities) implements HandshakeMessage
    {
        /**
         * From rails that can do nothing but messages.
         */
        Hello(
            final int protocolVersion,
            final long incarnation,
            final long hostId,
            final int senderHandle,
            final long sequence,
            final long challenge,
            final List<RailAddress> rails,
            final String provider,
            final String wireName)
        {
            this(
                protocolVersion, incarnation, hostId, senderHandle, sequence, challenge, rails, provider, wireName, 0);
        }
    }

    /**
     * Receiver to sender: answer to a Hello.
     */
    record HelloAck(
        int protocolVersion,
        long incarnation,
        long peerIncarnation,
        long sequence,
        int senderHandle,
        int receiverHandle,
        AckStatus status,
        long challenge,
        List<RailAddress> rails,
        String reason,
        int capabilities) implements HandshakeMessage
    {
        /**
         * From rails that can do nothing but messages.
         */
        HelloAck(
            final int protocolVersion,
            final long incarnation,
            final long peerIncarnation,
            final long sequence,
            final int senderHandle,
            final int receiverHandle,
            final AckStatus status,
            final long challenge,
            final List<RailAddress> rails,
            final String reason)
        {
            this(
                protocolVersion,
                incarnation,
                peerIncarnation,
                sequence,
                senderHandle,
                receiverHandle,
                status,
                challenge,
                rails,
                reason,
                0);
        }
    }

    /**
     * Receiver to sender: write frames of a stream into the log of an image.
     */
    record ImageOffer(
        long incarnation,
        long peerIncarnation,
        int senderHandle,
        int receiverHandle,
        long epoch,
        int sessionId,
        int streamId,
        int initialTermId,
        int termLength,
        long immediateBase,
        int minFrameLength,
        long revision,
        List<Region> regions) implements HandshakeMessage
    {
        /**
         * The log on one of the receiver's rails.
         */
        record Region(long key, long address, byte[] railAddress)
        {
        }
    }

    /**
     * Receiver to sender: write no more.
     */
    record OfferEnd(long incarnation, long epoch, long peerIncarnation, int senderHandle, int receiverHandle)
        implements HandshakeMessage
    {
    }

    /**
     * Sender to receiver: answer to an offer or to its end.
     */
    record OfferAck(
        long peerIncarnation,
        long epoch,
        OfferStatus status,
        long writes,
        long incarnation,
        int receiverHandle,
        long revision,
        String reason) implements HandshakeMessage
    {
    }

    /**
     * Either side: the link with this handle ends.
     */
    record Bye(
        long incarnation, int handle, ByeCause cause, long sequence, String reason) implements HandshakeMessage
    {
    }
}
