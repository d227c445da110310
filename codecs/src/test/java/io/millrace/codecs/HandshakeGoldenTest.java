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
import io.millrace.codecs.handshake.ImageOfferEncoder;
import io.millrace.codecs.handshake.MessageHeaderEncoder;
import io.millrace.codecs.handshake.OfferAckEncoder;
import io.millrace.codecs.handshake.OfferEndEncoder;
import io.millrace.codecs.handshake.OfferStatus;
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
            .protocolVersion(1).incarnation(INCARNATION).hostId(2).senderHandle(9).sequence(3).challenge(5);
        encoder.capabilities().clear().rmaWrite(true);
        encoder.railsCount(1).next().speedMbps(100_000).numaNode((short)-1).maxSendLength(8192)
            .putAddress(new byte[]{1, 2, 3}, 0, 3);
        encoder.provider("tcp").wireName("net");
        check(encoder.encodedLength(), 1,
            "2a00 0100 8d23 0000",              // 0 header: block length, template, schema 9101, version
            "0100",                             // 8 protocolVersion
            ID,                                 // 10 incarnation
            "0200000000000000",                 // 18 hostId
            "09000000",                         // 26 senderHandle
            "01000000",                         // 30 capabilities
            "0300000000000000",                 // 34 sequence
            "0500000000000000",                 // 42 challenge
            "0a00 0100",                        // 50 rails: entry length, entries
            "a0860100 ffff 00200000",           // 54 speedMbps, 58 numaNode, 60 maxSendLength
            "03000000 010203",                  // 64 address
            "03000000 746370",                  // 71 provider
            "03000000 6e6574");                 // 78 wireName
    }

    @Test
    void helloAck()
    {
        final HelloAckEncoder encoder = new HelloAckEncoder().wrapAndApplyHeader(buffer, 0, header)
            .protocolVersion(1).incarnation(INCARNATION).peerIncarnation(4).sequence(3).senderHandle(9)
            .receiverHandle(8).status(AckStatus.UNREACHABLE).challenge(5);
        encoder.capabilities().clear().wideImmediate(true);
        encoder.railsCount(0);
        encoder.reason("no");
        check(encoder.encodedLength(), 2,
            "2f00 0200 8d23 0000",
            "0100",                             // 8 protocolVersion
            ID,                                 // 10 incarnation
            "0400000000000000",                 // 18 peerIncarnation
            "0300000000000000",                 // 26 sequence
            "09000000",                         // 34 senderHandle
            "08000000",                         // 38 receiverHandle
            "02000000",                         // 42 capabilities
            "03",                               // 46 status
            "0500000000000000",                 // 47 challenge
            "0a00 0000",                        // 55 rails
            "02000000 6e6f");                   // 59 reason
    }

    @Test
    void bye()
    {
        final ByeEncoder encoder = new ByeEncoder().wrapAndApplyHeader(buffer, 0, header)
            .incarnation(INCARNATION).handle(7).cause(ByeCause.FAILED).sequence(3).reason("end");
        check(encoder.encodedLength(), 3,
            "1500 0300 8d23 0000",
            ID,                                 // 8 incarnation
            "07000000",                         // 16 handle
            "01",                               // 20 cause
            "0300000000000000",                 // 21 sequence
            "03000000 656e64");                 // 29 reason
    }

    @Test
    void imageOffer()
    {
        final ImageOfferEncoder encoder = new ImageOfferEncoder().wrapAndApplyHeader(buffer, 0, header)
            .incarnation(INCARNATION).peerIncarnation(4).senderHandle(9).receiverHandle(8).epoch(5).sessionId(-2)
            .streamId(6).initialTermId(7).termLength(65536).immediateBase(0x80000000L).minFrameLength(4096)
            .revision(11);
        encoder.regionsCount(1).next().key(10).address(0x7000000000L).putRailAddress(new byte[]{1, 2}, 0, 2);
        check(encoder.encodedLength(), 10,
            "3c00 0a00 8d23 0000",
            ID,                                 // 8 incarnation
            "0400000000000000",                 // 16 peerIncarnation
            "09000000",                         // 24 senderHandle
            "08000000",                         // 28 receiverHandle
            "0500000000000000",                 // 32 epoch
            "feffffff",                         // 40 sessionId
            "06000000",                         // 44 streamId
            "07000000",                         // 48 initialTermId
            "00000100",                         // 52 termLength
            "00000080",                         // 56 immediateBase
            "00100000",                         // 60 minFrameLength
            "0b000000",                         // 64 revision
            "1000 0100",                        // 68 regions
            "0a00000000000000",                 // 72 key
            "0000000070000000",                 // 80 address
            "02000000 0102");                   // 88 railAddress
    }

    @Test
    void offerEnd()
    {
        final OfferEndEncoder encoder = new OfferEndEncoder().wrapAndApplyHeader(buffer, 0, header)
            .incarnation(INCARNATION).epoch(5).peerIncarnation(4).senderHandle(9).receiverHandle(8);
        check(encoder.encodedLength(), 11,
            "2000 0b00 8d23 0000",
            ID,                                 // 8 incarnation
            "0500000000000000",                 // 16 epoch
            "0400000000000000",                 // 24 peerIncarnation
            "09000000",                         // 32 senderHandle
            "08000000");                        // 36 receiverHandle
    }

    @Test
    void offerAck()
    {
        final OfferAckEncoder encoder = new OfferAckEncoder().wrapAndApplyHeader(buffer, 0, header)
            .peerIncarnation(INCARNATION).epoch(5).status(OfferStatus.REFUSED).writes(3)
            .incarnation(4).receiverHandle(8).revision(11).reason("no");
        check(encoder.encodedLength(), 12,
            "2900 0c00 8d23 0000",
            ID,                                 // 8 peerIncarnation
            "0500000000000000",                 // 16 epoch
            "02",                               // 24 status
            "0300000000000000",                 // 25 writes
            "0400000000000000",                 // 33 incarnation
            "08000000",                         // 41 receiverHandle
            "0b000000",                         // 45 revision
            "02000000 6e6f");                   // 49 reason
    }

    @Test
    void refusesOtherSchemasAndMessages()
    {
        header.wrap(buffer, 0).blockLength(13).templateId(3).schemaId(9102).version(0);
        assertThat(HandshakeFrames.check(buffer, 0, 100)).isEqualTo(FrameCheck.UNKNOWN_SCHEMA);
        header.schemaId(9101).templateId(99);
        assertThat(HandshakeFrames.check(buffer, 0, 100)).isEqualTo(FrameCheck.UNKNOWN_TEMPLATE);
        assertThat(HandshakeFrames.describe(FrameCheck.UNKNOWN_TEMPLATE, buffer, 0, 100)).contains("template=99");
    }
}
