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

import io.millrace.codecs.session.ByeEncoder;
import io.millrace.codecs.session.HelloDecoder;
import io.millrace.codecs.session.HelloEncoder;
import io.millrace.codecs.session.MessageHeaderDecoder;
import io.millrace.codecs.session.MessageHeaderEncoder;
import io.millrace.codecs.session.ProbeDecoder;
import io.millrace.codecs.session.ProbeEncoder;
import io.millrace.codecs.session.Role;
import io.millrace.codecs.session.SessionFrames;
import io.millrace.codecs.session.SessionReason;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Bytes of session messages, and of messages that end early.
 */
class KvSessionGoldenTest
{
    private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[512]);

    private int hello()
    {
        return new HelloEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
            .incarnation(0x0102030405060708L).answered(2).streamId(20_000).peerStreamId(20_002)
            .protocolVersion(1).minProtocolVersion(1).layers(24).kvHeads(2).headDim(64).tokensPerBlock(16)
            .tpRank(1).tpSize(2).dtype((short)0).parts((short)2).headOrder((short)1).role(Role.DECODE)
            .reason(SessionReason.NAME_IN_USE).name("d0").endpoint("h:1").modelTag("m").software("0.1").text("no")
            .limit();
    }

    @Test
    void probeHasTheseBytes()
    {
        final int length = new ProbeEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
            .incarnation(1).peerIncarnation(2).timeNs(3).isAnswer((short)1).limit();

        assertThat(Hex.of(buffer, length)).isEqualTo(
            "190002008f230000" + "0100000000000000" + "0200000000000000" + "0300000000000000" + "01");
        assertThat(SessionFrames.check(buffer, 0, length)).isEqualTo(ProbeDecoder.TEMPLATE_ID);
    }

    @Test
    void helloIsReadBackAndSecondHalfOfItIsNot()
    {
        final int length = hello();
        final HelloDecoder hello = new HelloDecoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderDecoder());

        assertThat(SessionFrames.check(buffer, 0, length)).isEqualTo(HelloDecoder.TEMPLATE_ID);
        assertThat(hello.incarnation()).isEqualTo(0x0102030405060708L);
        assertThat(hello.peerStreamId()).isEqualTo(20_002);
        assertThat(hello.tpSize()).isEqualTo(2);
        assertThat(hello.role()).isEqualTo(Role.DECODE);
        assertThat(hello.reason()).isEqualTo(SessionReason.NAME_IN_USE);
        assertThat(hello.name()).isEqualTo("d0");
        assertThat(hello.endpoint()).isEqualTo("h:1");
        assertThat(hello.modelTag()).isEqualTo("m");
        assertThat(hello.software()).isEqualTo("0.1");
        assertThat(hello.text()).isEqualTo("no");
        for (int shorter = 0; shorter < length; shorter++)
        {
            assertThat(SessionFrames.check(buffer, 0, shorter)).as("%d bytes", shorter).isEqualTo(FrameCheck.TOO_SHORT);
        }
    }

    @Test
    void tellsWhatIsWrong()
    {
        final int length = new ByeEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
            .incarnation(1).peerIncarnation(2).reason(SessionReason.LEFT).text("bye").limit();
        final int textLength = length - 7;
        buffer.putInt(textLength, SessionFrames.MAX_TEXT_LENGTH + 1);
        assertThat(SessionFrames.check(buffer, 0, 512)).isEqualTo(FrameCheck.TOO_SHORT);
        buffer.putInt(textLength, 3);
        assertThat(SessionFrames.check(buffer, 0, length)).isPositive();

        buffer.putShort(2, (short)77);
        assertThat(SessionFrames.check(buffer, 0, length)).isEqualTo(FrameCheck.UNKNOWN_TEMPLATE);
        assertThat(SessionFrames.describe(FrameCheck.UNKNOWN_TEMPLATE, buffer, 0, length)).contains("template=77");
        buffer.putShort(4, (short)9102);
        assertThat(SessionFrames.check(buffer, 0, length)).isEqualTo(FrameCheck.UNKNOWN_SCHEMA);
        assertThat(SessionFrames.describe(FrameCheck.UNKNOWN_SCHEMA, buffer, 0, length)).contains("not 9103");
    }
}
