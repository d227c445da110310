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

import java.util.regex.Pattern;

import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.Header;
import io.millrace.bridge.KvDtype;
import io.millrace.bridge.reshard.CacheShape;
import io.millrace.bridge.reshard.HeadOrder;
import io.millrace.bridge.reshard.Sharding;
import io.millrace.codecs.session.ByeDecoder;
import io.millrace.codecs.session.HelloDecoder;
import io.millrace.codecs.session.MessageHeaderDecoder;
import io.millrace.codecs.session.ProbeDecoder;
import io.millrace.codecs.session.SessionFrames;
import io.millrace.codecs.session.SessionReason;
import org.agrona.DirectBuffer;

/**
 * Takes messages apart and checks them before the agent sees them.
 */
final class SessionReader implements FragmentHandler
{
    /**
     * What becomes part of a channel: nothing that ends a parameter.
     */
    static final Pattern ENDPOINT = Pattern.compile("(\\[[0-9a-fA-F:.%]{2,64}]|[A-Za-z0-9._-]{1,253}):\\d{1,5}");

    /**
     * What a message says.
     */
    interface Handler
    {
        void onHello(Hello hello);

        void onProbe(long incarnation, long timeNs, boolean isAnswer);

        void onBye(long incarnation, SessionError reason, String text);

        void onBadMessage(String text);
    }

    /**
     * A Hello; without instance and with refusal when nothing can work with the writer.
     */
    record Hello(
        long incarnation,
        long answered,
        String endpoint,
        int streamId,
        int peerStreamId,
        KvInstance instance,
        SessionException refusal,
        SessionException refused)
    {
    }

    private final KvInstance local;
    private final long incarnation;
    private final Handler handler;
    private final MessageHeaderDecoder messageHeader = new MessageHeaderDecoder();
    private final HelloDecoder hello = new HelloDecoder();
    private final ProbeDecoder probe = new ProbeDecoder();
    private final ByeDecoder bye = new ByeDecoder();

    SessionReader(final KvInstance local, final long incarnation, final Handler handler)
    {
        this.local = local;
        this.incarnation = incarnation;
        this.handler = handler;
    }

    public void onFragment(final DirectBuffer buffer, final int offset, final int length, final Header header)
    {
        final int template = SessionFrames.check(buffer, offset, length);
        switch (template)
        {
            case HelloDecoder.TEMPLATE_ID -> onHello(hello.wrapAndApplyHeader(buffer, offset, messageHeader));
            case ProbeDecoder.TEMPLATE_ID ->
            {
                probe.wrapAndApplyHeader(buffer, offset, messageHeader);
                if (incarnation == probe.peerIncarnation())
                {
                    handler.onProbe(probe.incarnation(), probe.timeNs(), 0 != probe.isAnswer());
                }
            }
            case ByeDecoder.TEMPLATE_ID ->
            {
                bye.wrapAndApplyHeader(buffer, offset, messageHeader);
                if (incarnation == bye.peerIncarnation())
                {
                    final SessionError error = SessionError.of(reason(bye.reasonRaw()));
                    handler.onBye(bye.incarnation(), null == error ? SessionError.LEFT : error, bye.text());
                }
            }
            default -> handler.onBadMessage(SessionFrames.describe(template, buffer, offset, length));
        }
    }

    private void onHello(final HelloDecoder message)
    {
        final short reason = message.reasonRaw();
        final String name = message.name();
        final String endpoint = message.endpoint();
        final String modelTag = message.modelTag();
        final String software = message.software();
        final String text = message.text();
        if (0 == message.incarnation() || !ENDPOINT.matcher(endpoint).matches())
        {
            handler.onBadMessage("Hello of '" + name + "' has incarnation=" + message.incarnation() +
                " and endpoint '" + endpoint + "': the one must not be 0, the other host:port");
            return;
        }
        if (incarnation == message.incarnation() || 0 != message.answered() && incarnation != message.answered())
        {
            // An instance that was told its own endpoint, or an answer to who listened here before.
            return;
        }

        KvInstance instance = null;
        SessionException refusal = null;
        try
        {
            local.checkVersion(name, software, message.protocolVersion(), message.minProtocolVersion());
            instance = instance(message, name, modelTag, software);
            local.check(instance);
        }
        catch (final SessionException ex)
        {
            refusal = ex;
        }
        catch (final IllegalArgumentException ex)
        {
            refusal = new SessionException(SessionError.LAYOUT_MISMATCH, ex.getMessage());
        }

        final SessionError refused = SessionError.of(reason(reason));
        handler.onHello(new Hello(message.incarnation(), message.answered(), endpoint, message.streamId(),
            message.peerStreamId(), instance, refusal,
            null == refused ? null : new SessionException(refused, "peer " + endpoint + ": " + text)));
    }

    private static KvInstance instance(
        final HelloDecoder message, final String name, final String modelTag, final String software)
    {
        if (message.dtype() >= KvDtype.values().length || message.headOrder() >= HeadOrder.values().length ||
            message.roleRaw() >= KvRole.values().length)
        {
            throw new IllegalArgumentException("'" + name + "' has dtype=" + message.dtype() + ", headOrder=" +
                message.headOrder() + ", role=" + message.roleRaw() + ", the highest are " +
                (KvDtype.values().length - 1) + ", " + (HeadOrder.values().length - 1) + ", " +
                (KvRole.values().length - 1));
        }
        return new KvInstance(
            name,
            KvRole.values()[message.roleRaw()],
            modelTag,
            new CacheShape(message.layers(), message.kvHeads(), message.headDim(),
                KvDtype.values()[message.dtype()], message.parts()),
            new Sharding(message.tpSize(), message.tokensPerBlock(), HeadOrder.values()[message.headOrder()]),
            message.tpRank(),
            message.protocolVersion(),
            message.minProtocolVersion(),
            software);
    }

    private static SessionReason reason(final short raw)
    {
        return raw >= 0 && raw < SessionReason.values().length - 1 ? SessionReason.get(raw) : SessionReason.LEFT;
    }
}
