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

import java.nio.charset.StandardCharsets;

import io.aeron.ExclusivePublication;
import io.millrace.bridge.CounterSet;
import io.millrace.codecs.session.ByeEncoder;
import io.millrace.codecs.session.HelloEncoder;
import io.millrace.codecs.session.MessageHeaderEncoder;
import io.millrace.codecs.session.ProbeEncoder;
import io.millrace.codecs.session.Role;
import io.millrace.codecs.session.SessionFrames;
import io.millrace.codecs.session.SessionReason;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Encodes what an instance says and offers it.
 */
final class SessionWriter
{
    private static final int BUFFER_LENGTH = 2048;

    private final KvInstance local;
    private final long incarnation;
    private final String endpoint;
    private final CounterSet<SessionCounter> counters;
    private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[BUFFER_LENGTH]);
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final HelloEncoder hello = new HelloEncoder();
    private final ProbeEncoder probe = new ProbeEncoder();
    private final ByeEncoder bye = new ByeEncoder();

    SessionWriter(
        final KvInstance local,
        final long incarnation,
        final String endpoint,
        final CounterSet<SessionCounter> counters)
    {
        this.local = local;
        this.incarnation = incarnation;
        this.endpoint = endpoint;
        this.counters = counters;
    }

    boolean hello(
        final ExclusivePublication publication,
        final long answered,
        final int streamId,
        final int peerStreamId,
        final SessionException refusal)
    {
        hello.wrapAndApplyHeader(buffer, 0, header)
            .incarnation(incarnation)
            .answered(answered)
            .streamId(streamId)
            .peerStreamId(peerStreamId)
            .protocolVersion(local.protocolVersion())
            .minProtocolVersion(local.minProtocolVersion())
            .layers(local.shape().layers())
            .kvHeads(local.shape().kvHeads())
            .headDim(local.shape().headDim())
            .tokensPerBlock(local.sharding().tokensPerBlock())
            .tpRank(local.tpRank())
            .tpSize(local.sharding().tpSize())
            .dtype((short)local.shape().dtype().ordinal())
            .parts((short)local.shape().parts())
            .headOrder((short)local.sharding().order().ordinal())
            .role(Role.get((short)local.role().ordinal()))
            .reason(null == refusal ? SessionReason.OK : refusal.error().reason())
            .name(local.name())
            .endpoint(endpoint)
            .modelTag(local.modelTag())
            .software(local.software())
            .text(null == refusal ? "" : text(refusal.getMessage()));
        return offer(publication, hello.limit());
    }

    boolean probe(
        final ExclusivePublication publication, final long peerIncarnation, final long timeNs, final boolean isAnswer)
    {
        probe.wrapAndApplyHeader(buffer, 0, header)
            .incarnation(incarnation)
            .peerIncarnation(peerIncarnation)
            .timeNs(timeNs)
            .isAnswer((short)(isAnswer ? 1 : 0));
        return offer(publication, probe.limit());
    }

    boolean bye(final ExclusivePublication publication, final long peerIncarnation, final String text)
    {
        bye.wrapAndApplyHeader(buffer, 0, header)
            .incarnation(incarnation)
            .peerIncarnation(peerIncarnation)
            .reason(SessionReason.LEFT)
            .text(text(text));
        return offer(publication, bye.limit());
    }

    private boolean offer(final ExclusivePublication publication, final int length)
    {
        if (null == publication || !publication.isConnected())
        {
            return false;
        }
        final boolean isSent = publication.offer(buffer, 0, length) > 0;
        if (!isSent)
        {
            counters.increment(SessionCounter.BACK_PRESSURE);
        }
        return isSent;
    }

    private static String text(final String text)
    {
        final String ascii = new String(text.getBytes(StandardCharsets.US_ASCII), StandardCharsets.US_ASCII);
        return ascii.substring(0, Math.min(ascii.length(), SessionFrames.MAX_TEXT_LENGTH));
    }
}
