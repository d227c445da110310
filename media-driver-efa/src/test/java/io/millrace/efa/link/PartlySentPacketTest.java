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

import io.aeron.protocol.DataHeaderFlyweight;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailCounters;
import io.millrace.efa.rail.RailListener;
import io.millrace.efa.rail.RailPeer;
import io.millrace.efa.rail.ScriptedEndpoint;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersManager;
import org.junit.jupiter.api.Test;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

/**
 * Packets in the middle of which a rail pushes back: it has a credit of one message of two frames.
 */
class PartlySentPacketTest
{
    private static final int FRAME_LENGTH = 1024;
    private static final int MESSAGE_LENGTH = 2 * FRAME_LENGTH;
    private static final int STREAMS = 2000;

    private final ScriptedEndpoint endpoint = new ScriptedEndpoint(2, 0, MESSAGE_LENGTH);
    private final Rail rail = newRail();
    private final Link link = newLink();
    private final List<String> received = new ArrayList<>();
    private final ByteBuffer memory = ByteBuffer.allocateDirect(16 * FRAME_LENGTH);

    @Test
    void shouldGoOnWhereItStoppedWhenAnotherStreamCameBetweenAndThePacketHasGrown()
    {
        assertThat(send(1, 0, 8)).isZero();
        completeAll();
        assertThat(send(2, 0, 8)).isZero();
        completeAll();

        sendAll(1, 0, 9);
        sendAll(2, 0, 10);
        assertThat(received).doesNotHaveDuplicates().hasSize(19);
        assertThat(received.stream().filter((frame) -> frame.startsWith("1:"))).hasSize(9).isSorted();
    }

    @Test
    void shouldSendAPacketOfAnotherPlaceFromItsStart()
    {
        assertThat(send(1, 8 * FRAME_LENGTH, 8)).isZero();
        completeAll();
        sendAll(1, 0, 2);
        assertThat(received).contains("1:0", "1:1024");
        sendAll(1, 8 * FRAME_LENGTH, 8);
        assertThat(received).doesNotHaveDuplicates().hasSize(10);
    }

    @Test
    void shouldSendAPacketAgainThatWasSent()
    {
        sendAll(1, 0, 4);
        sendAll(1, 0, 4);
        assertThat(received).hasSize(8);
    }

    @Test
    void shouldForgetWhenTheLinkIsMadeAnew()
    {
        assertThat(send(1, 0, 4)).isZero();
        completeAll();
        link.end();
        link.up(paths());
        sendAll(1, 0, 4);
        assertThat(received).hasSize(6);
    }

    /**
     * More than are remembered: each gets on nevertheless.
     */
    @Test
    void shouldBringManyStreamsOnThatAreAllPushedBack()
    {
        final boolean[] isSent = new boolean[STREAMS];
        int left = STREAMS;
        int cycles = 0;
        while (left > 0)
        {
            assertThat(++cycles).isLessThan(50);
            for (int stream = 0; stream < STREAMS; stream++)
            {
                if (!isSent[stream] && send(stream, 0, 8) > 0)
                {
                    isSent[stream] = true;
                    left--;
                }
                completeAll();
            }
        }
        assertThat(received).contains("0:0", "1999:7168");
    }

    private int send(final int stream, final int termOffset, final int frames)
    {
        final UnsafeBuffer buffer = new UnsafeBuffer(memory);
        for (int i = 0; i < frames; i++)
        {
            final int at = i * FRAME_LENGTH;
            buffer.setMemory(at, FRAME_LENGTH, (byte)0);
            buffer.putInt(at, FRAME_LENGTH, ByteOrder.LITTLE_ENDIAN);
            buffer.putShort(
                at + DataHeaderFlyweight.TYPE_FIELD_OFFSET,
                (short)DataHeaderFlyweight.HDR_TYPE_DATA, ByteOrder.LITTLE_ENDIAN);
            buffer.putInt(at + DataHeaderFlyweight.TERM_OFFSET_FIELD_OFFSET, termOffset + at, ByteOrder.LITTLE_ENDIAN);
            buffer.putInt(at + DataHeaderFlyweight.SESSION_ID_FIELD_OFFSET, stream, ByteOrder.LITTLE_ENDIAN);
        }
        return link.send(memory.clear().limit(frames * FRAME_LENGTH), null);
    }

    private void sendAll(final int stream, final int termOffset, final int frames)
    {
        int attempts = 0;
        while (0 == send(stream, termOffset, frames))
        {
            assertThat(++attempts).isLessThan(frames);
            completeAll();
        }
        completeAll();
    }

    private void completeAll()
    {
        for (int i = 0; i < endpoint.sent.size(); i++)
        {
            final UnsafeBuffer bytes = new UnsafeBuffer(endpoint.sent.get(i).bytes());
            for (int at = 0; at < bytes.capacity(); at += FRAME_LENGTH)
            {
                received.add(bytes.getInt(at + DataHeaderFlyweight.SESSION_ID_FIELD_OFFSET, ByteOrder.LITTLE_ENDIAN) +
                    ":" + bytes.getInt(at + DataHeaderFlyweight.TERM_OFFSET_FIELD_OFFSET, ByteOrder.LITTLE_ENDIAN));
            }
            endpoint.completeSend(i);
        }
        endpoint.sent.clear();
        rail.poll(System.nanoTime());
    }

    private Rail newRail()
    {
        final CountersManager countersManager = new CountersManager(
            new UnsafeBuffer(ByteBuffer.allocateDirect(64 * 1024)),
            new UnsafeBuffer(ByteBuffer.allocateDirect(16 * 1024)), US_ASCII);
        final Rail opened = new Rail(0, endpoint, 2, MESSAGE_LENGTH, 512);
        opened.attach(new RailCounters(countersManager, "test"), mock(RailListener.class));
        return opened;
    }

    private Link newLink()
    {
        final RailChannel channel = mock(RailChannel.class);
        when(channel.isSender()).thenReturn(true);
        final Link made = new Link(channel, new InetSocketAddress("127.0.0.1", 1), 1);
        made.up(paths());
        return made;
    }

    private RailChoice paths()
    {
        final RailAddress remote = new RailAddress(1000, -1, MESSAGE_LENGTH, new byte[] { 1 });
        final RailPeer peer = rail.peers().acquire(1, remote.address());
        return new RailChoice(new RailPath[] { new RailPath(rail, peer, MESSAGE_LENGTH, remote) });
    }
}
