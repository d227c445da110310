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

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.aeron.protocol.DataHeaderFlyweight;
import org.agrona.BitUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.ByteBuffer;
import java.util.stream.Stream;

/**
 * Any bytes as a message on a rail: what is judged sound can be walked frame by frame without leaving the packet. Run
 * as regression on its seeds, and for ten minutes with {@code -Pfuzz}.
 */
class PacketFramesFuzzTest
{
    private static final int CAPACITY = 8192;
    private final ByteBuffer packet = ByteBuffer.allocateDirect(CAPACITY + 64);
    private final UnsafeBuffer buffer = new UnsafeBuffer(packet);

    static Stream<byte[]> seeds()
    {
        return Stream.of(1, 2, 5, 6).map((frames) ->
        {
            final byte[] bytes = new byte[frames * 64];
            final UnsafeBuffer buffer = new UnsafeBuffer(bytes);
            for (int i = 0; i < frames; i++)
            {
                buffer.putInt(i * 64, 64);
                buffer.putByte(i * 64 + 6, (byte)1);
                buffer.putInt(i * 64 + 8, i * 64);
            }
            if (6 == frames)
            {
                buffer.putInt(64, Integer.MAX_VALUE);
            }
            return bytes;
        });
    }

    @MethodSource("seeds")
    @FuzzTest(maxDuration = "10m")
    void shouldJudgeAnyMessage(final byte[] bytes)
    {
        if (null == bytes || bytes.length > CAPACITY)
        {
            return;
        }

        buffer.setMemory(0, CAPACITY, (byte)0x7F);
        buffer.putBytes(0, bytes);
        final long address = buffer.addressOffset();
        final int length = bytes.length;
        packet.clear().limit(length);
        PacketFrames.streamKey(packet);
        PacketFrames.dataFrames(packet);
        RailProbe.isProbe(address, length);

        if (PacketFrames.isSound(buffer, length))
        {
            int offset = 0;
            while (offset < length)
            {
                final int frameLength = buffer.getInt(offset);
                if (0 == frameLength && DataHeaderFlyweight.HEADER_LENGTH == length)
                {
                    break;
                }
                if (frameLength < DataHeaderFlyweight.HEADER_LENGTH ||
                    offset + frameLength > length && 0 != buffer.getByte(offset + 6))
                {
                    throw new IllegalStateException("frame leaves the packet: " + frameLength + " at " + offset);
                }
                offset += BitUtil.align(frameLength, 32);
            }
            final int fit = PacketFrames.fit(address, length, Math.max(32, length / 2));
            if (fit < 0 || fit > length)
            {
                throw new IllegalStateException("fit=" + fit);
            }
        }
    }
}
