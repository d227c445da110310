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

import java.util.List;

/**
 * What the two sides of an upgrade say to each other. Field meanings, units and ranges are in the schema
 * {@code fabric-handshake.xml}.
 */
sealed interface HandshakeMessage
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
        List<RailAddress> rails,
        String provider,
        String wireName) implements HandshakeMessage
    {
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
        List<RailAddress> rails,
        String reason) implements HandshakeMessage
    {
    }

    /**
     * Either side: the link with this handle ends.
     */
    record Bye(long incarnation, int handle, ByeCause cause, String reason) implements HandshakeMessage
    {
    }
}
