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
import io.millrace.codecs.handshake.AckStatus;
import io.millrace.efa.EfaConfiguration;
import org.agrona.ErrorHandler;

import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Opens handshake frames: first the seal, then the message, then the side of the handshake that it is for. What fails a
 * test is counted and changes nothing.
 */
final class HandshakeInbox
{
    /**
     * So many hosts are named in the error log, further ones are counted only.
     */
    private static final int MAX_NAMED = 64;

    private final Set<String> named = new HashSet<>();
    private final Linking sender;
    private final Linking receiver;
    private final SenderHandshake senderHandshake;
    private final ReceiverHandshake receiverHandshake;
    private final Terms terms;
    private final HandshakeSeal seal;
    private final ErrorHandler errorHandler;

    HandshakeInbox(
        final Linking sender,
        final Linking receiver,
        final SenderHandshake senderHandshake,
        final ReceiverHandshake receiverHandshake,
        final Terms terms,
        final ErrorHandler errorHandler)
    {
        this.terms = terms;
        this.sender = sender;
        this.receiver = receiver;
        this.senderHandshake = senderHandshake;
        this.receiverHandshake = receiverHandshake;
        this.seal = new HandshakeSeal(sender.settings().authKeys());
        this.errorHandler = errorHandler;
    }

    void onFrame(final RailChannel channel, final InetSocketAddress source, final byte[] frame)
    {
        final HandshakeSeal.Verdict verdict = seal.check(frame, !channel.isSender());
        final HandshakeMessage message = sender.codec().decode(HandshakeSeal.body(frame));
        if (null == message)
        {
            sender.onRejected();
        }
        else if (HandshakeSeal.Verdict.SOUND != verdict)
        {
            onUnauthenticated(channel, source, message, verdict);
        }
        else if (channel.isSender())
        {
            dispatchToSender(new Peering.Key(channel, source), message);
        }
        else
        {
            dispatchToReceiver(new Peering.Key(channel, source), message);
        }
    }

    private void dispatchToSender(final Peering.Key key, final HandshakeMessage message)
    {
        switch (message)
        {
            case final HandshakeMessage.HelloAck ack -> senderHandshake.onAck(key, ack);
            case final HandshakeMessage.Bye bye -> senderHandshake.onBye(key.channel(), bye);
            case final HandshakeMessage.ImageOffer offer -> terms.onOffer(key, offer);
            case final HandshakeMessage.OfferEnd end -> terms.onOfferEnd(key, end);
            case final HandshakeMessage.Hello ignore -> sender.onRejected();
            case final HandshakeMessage.OfferAck ignore -> sender.onRejected();
        }
    }

    private void dispatchToReceiver(final Peering.Key key, final HandshakeMessage message)
    {
        switch (message)
        {
            case final HandshakeMessage.Hello hello -> receiverHandshake.onHello(key, hello);
            case final HandshakeMessage.Bye bye -> receiverHandshake.onBye(key, bye);
            case final HandshakeMessage.OfferAck ack -> terms.onOfferAck(key, ack);
            case final HandshakeMessage.HelloAck ignore -> receiver.onRejected();
            case final HandshakeMessage.ImageOffer ignore -> receiver.onRejected();
            case final HandshakeMessage.OfferEnd ignore -> receiver.onRejected();
        }
    }

    private void onUnauthenticated(
        final RailChannel channel,
        final InetSocketAddress source,
        final HandshakeMessage message,
        final HandshakeSeal.Verdict verdict)
    {
        final String host = source.getAddress().getHostAddress();
        final String reason = reason(host, message, verdict);
        sender.counters().handshakesUnauthenticated().increment();
        if (named.size() < MAX_NAMED && named.add(host + verdict))
        {
            errorHandler.onError(new AeronEvent(
                "millrace: handshakes of " + host + " are refused, channels to and from it stay on UDP: " + reason,
                AeronException.Category.WARN));
        }

        if (channel.isSender())
        {
            if (message instanceof final HandshakeMessage.HelloAck ack)
            {
                senderHandshake.onUnauthenticated(channel, ack, reason);
            }
        }
        else if (message instanceof final HandshakeMessage.Hello hello)
        {
            // no incarnation, no challenge, no rails: nothing of use to who has no key
            receiver.answerUnsealed(new Peering.Key(channel, source), receiver.codec().encode(
                new HandshakeMessage.HelloAck(
                HandshakeCodec.PROTOCOL_VERSION,
                0,
                hello.incarnation(),
                hello.sequence(),
                hello.senderHandle(),
                0,
                AckStatus.UNAUTHENTICATED,
                0,
                List.of(),
                verdict.remedyOfPeer())));
        }
    }

    private static String reason(
        final String host, final HandshakeMessage message, final HandshakeSeal.Verdict verdict)
    {
        if (message instanceof final HandshakeMessage.HelloAck ack && AckStatus.UNAUTHENTICATED == ack.status())
        {
            return host + " answers: " + ack.reason();
        }

        return switch (verdict)
        {
            case UNSEALED -> "they have no seal, as the driver there has no " +
                EfaConfiguration.AUTH_KEY_FILE_PROP_NAME;
            case SEALED -> "they have a seal, and this driver has no " + EfaConfiguration.AUTH_KEY_FILE_PROP_NAME;
            default -> "their seal is not of a key of this driver's " + EfaConfiguration.AUTH_KEY_FILE_PROP_NAME;
        };
    }
}
