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

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.agrona.BitUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_DATA;
import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_SM;
import static org.assertj.core.api.Assertions.assertThat;

class PacketFramesTest
{
    private final ByteBuffer byteBuffer = ByteBuffer.allocateDirect(64 * 1024);
    private final UnsafeBuffer packet = new UnsafeBuffer(byteBuffer);

    @Test
    void shouldTellDataFromControlAndHeartbeat()
    {
        final long address = packet.addressOffset();
        frame(0, 100, HDR_TYPE_DATA);
        assertThat(PacketFrames.isData(address, 128)).isTrue();
        frame(0, 0, HDR_TYPE_DATA);
        assertThat(PacketFrames.isData(address, 32)).isFalse();
        frame(0, 36, HDR_TYPE_SM);
        assertThat(PacketFrames.isData(address, 36)).isFalse();
        assertThat(PacketFrames.isData(address, 8)).isFalse();
    }

    @Property
    void shouldCutBetweenFrames(
        @ForAll @Size(min = 1, max = 40) final List<@IntRange(min = 32, max = 1500) Integer> frameLengths,
        @ForAll @IntRange(min = 32, max = 9000) final int limitLength)
    {
        int length = 0;
        for (final int frameLength : frameLengths)
        {
            frame(length, frameLength, HDR_TYPE_DATA);
            length += BitUtil.align(frameLength, 32);
        }

        byteBuffer.order(ByteOrder.BIG_ENDIAN).limit(length).position(0);
        assertThat(PacketFrames.dataFrames(byteBuffer)).isEqualTo(frameLengths.size());

        int offset = 0;
        int frames = 0;
        while (offset < length)
        {
            final long address = packet.addressOffset() + offset;
            final int fit = PacketFrames.fit(address, length - offset, limitLength);
            final int first = BitUtil.align(frameLengths.get(frames), 32);
            if (0 == fit)
            {
                assertThat(first).isGreaterThan(limitLength);
                return;
            }

            assertThat(fit).isLessThanOrEqualTo(limitLength);
            final int count = PacketFrames.count(address, fit);
            int expected = 0;
            for (int i = 0; i < count; i++)
            {
                expected += BitUtil.align(frameLengths.get(frames + i), 32);
            }
            assertThat(fit).isEqualTo(expected);
            final int next = frames + count;
            if (next < frameLengths.size())
            {
                assertThat(fit + BitUtil.align(frameLengths.get(next), 32)).isGreaterThan(limitLength);
            }
            frames = next;
            offset += fit;
        }

        assertThat(frames).isEqualTo(frameLengths.size());
    }

    @Test
    void shouldStayInPacketWhateverLengthAFrameHas()
    {
        frame(0, 64, HDR_TYPE_DATA);
        frame(64, Integer.MAX_VALUE, HDR_TYPE_DATA);
        byteBuffer.limit(128);
        assertThat(PacketFrames.dataFrames(byteBuffer)).isEqualTo(2);
        assertThat(PacketFrames.fit(packet.addressOffset(), 128, 100)).isEqualTo(64);
    }

    private void frame(final int offset, final int length, final int type)
    {
        packet.putInt(offset, length, ByteOrder.LITTLE_ENDIAN);
        packet.putShort(offset + 6, (short)type, ByteOrder.LITTLE_ENDIAN);
    }
}
