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
package io.millrace.codecs;

import io.millrace.codecs.handshake.AckStatus;
import io.millrace.codecs.handshake.ByeCause;
import io.millrace.codecs.handshake.ByeEncoder;
import io.millrace.codecs.handshake.HandshakeFrames;
import io.millrace.codecs.handshake.HelloAckEncoder;
import io.millrace.codecs.handshake.HelloEncoder;
import io.millrace.codecs.handshake.MessageHeaderEncoder;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The bytes of every message of schema 9101. A change here breaks every peer that is deployed.
 */
class HandshakeGoldenTest
{
    private static final String ID = "0807060504030201";
    private static final long INCARNATION = 0x0102030405060708L;

    private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[512]);
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();

    private void check(final int bodyLength, final int templateId, final String... fields)
    {
        final int length = MessageHeaderEncoder.ENCODED_LENGTH + bodyLength;
        assertThat(Hex.of(buffer, length)).isEqualTo(Hex.join(fields));
        assertThat(HandshakeFrames.check(buffer, 0, length)).isEqualTo(templateId);
        for (int cut = 0; cut < length; cut++)
        {
            assertThat(HandshakeFrames.check(buffer, 0, cut)).as("cut to %d bytes", cut)
                .isEqualTo(FrameCheck.TOO_SHORT);
        }
    }

    @Test
    void hello()
    {
        final HelloEncoder encoder = new HelloEncoder().wrapAndApplyHeader(buffer, 0, header)
            .protocolVersion(1).incarnation(INCARNATION).hostId(2).senderHandle(9).sequence(3);
        encoder.capabilities().clear().rmaWrite(true);
        encoder.railsCount(1).next().speedMbps(100_000).numaNode((short)-1).maxSendLength(8192)
            .putAddress(new byte[]{1, 2, 3}, 0, 3);
        encoder.provider("tcp").wireName("net");
        check(encoder.encodedLength(), 1,
            "2200 0100 8d23 0000",              // 0 header: block length, template, schema 9101, version
            "0100",                             // 8 protocolVersion
            ID,                                 // 10 incarnation
            "0200000000000000",                 // 18 hostId
            "09000000",                         // 26 senderHandle
            "01000000",                         // 30 capabilities
            "0300000000000000",                 // 34 sequence
            "0a00 0100",                        // 42 rails: entry length, entries
            "a0860100 ffff 00200000",           // 46 speedMbps, 50 numaNode, 52 maxSendLength
            "03000000 010203",                  // 56 address
            "03000000 746370",                  // 63 provider
            "03000000 6e6574");                 // 70 wireName
    }

    @Test
    void helloAck()
    {
        final HelloAckEncoder encoder = new HelloAckEncoder().wrapAndApplyHeader(buffer, 0, header)
            .protocolVersion(1).incarnation(INCARNATION).peerIncarnation(4).sequence(3).senderHandle(9)
            .receiverHandle(8).status(AckStatus.UNREACHABLE);
        encoder.capabilities().clear().wideImmediate(true);
        encoder.railsCount(0);
        encoder.reason("no");
        check(encoder.encodedLength(), 2,
            "2700 0200 8d23 0000",
            "0100",                             // 8 protocolVersion
            ID,                                 // 10 incarnation
            "0400000000000000",                 // 18 peerIncarnation
            "0300000000000000",                 // 26 sequence
            "09000000",                         // 34 senderHandle
            "08000000",                         // 38 receiverHandle
            "02000000",                         // 42 capabilities
            "03",                               // 46 status
            "0a00 0000",                        // 47 rails
            "02000000 6e6f");                   // 51 reason
    }

    @Test
    void bye()
    {
        final ByeEncoder encoder = new ByeEncoder().wrapAndApplyHeader(buffer, 0, header)
            .incarnation(INCARNATION).handle(7).cause(ByeCause.FAILED).reason("end");
        check(encoder.encodedLength(), 3,
            "0d00 0300 8d23 0000",
            ID,                                 // 8 incarnation
            "07000000",                         // 16 handle
            "01",                               // 20 cause
            "03000000 656e64");                 // 21 reason
    }

    @Test
    void refusesOtherSchemasAndMessages()
    {
        header.wrap(buffer, 0).blockLength(13).templateId(3).schemaId(9102).version(0);
        assertThat(HandshakeFrames.check(buffer, 0, 100)).isEqualTo(FrameCheck.UNKNOWN_SCHEMA);
        header.schemaId(9101).templateId(4);
        assertThat(HandshakeFrames.check(buffer, 0, 100)).isEqualTo(FrameCheck.UNKNOWN_TEMPLATE);
        assertThat(HandshakeFrames.describe(FrameCheck.UNKNOWN_TEMPLATE, buffer, 0, 100)).contains("template=4");
    }
}
