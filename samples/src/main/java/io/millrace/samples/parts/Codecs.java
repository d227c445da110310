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
package io.millrace.samples.parts;

import io.millrace.codecs.kv.KvChunkEncoder;
import io.millrace.codecs.kv.MessageHeaderEncoder;
import io.millrace.efa.link.HandshakeCodec;
import io.millrace.efa.link.HandshakeMessage;
import io.millrace.efa.link.RailAddress;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.concurrent.TimeUnit;

/**
 * Encoding and decoding of Millrace's own messages.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Codecs
{
    private static final int RAILS = 16;
    private static final int CACHE_LINE = 64;
    private static final int CHUNK_LENGTH = 8128;

    private final HandshakeCodec codec = new HandshakeCodec();
    private final KvChunkEncoder chunk = new KvChunkEncoder();
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final UnsafeBuffer buffer = new UnsafeBuffer(BufferUtil.allocateDirectAligned(CHUNK_LENGTH, CACHE_LINE));
    private byte[] hello;
    private long transferId;

    /**
     * Encode a handshake of 16 rails with addresses as long as EFA's.
     */
    @Setup
    public void encode()
    {
        final byte[] address = new byte[32];
        address[0] = 1;
        final ByteBuffer frame = codec.encode(new HandshakeMessage.Hello(
            HandshakeCodec.PROTOCOL_VERSION, 1, 2, 3, 4, 5,
            Collections.nCopies(RAILS, new RailAddress(100_000, 0, 8192, address)), "efa", "efa/200.0", 0));
        hello = new byte[frame.remaining()];
        frame.get(hello);
    }

    /**
     * Decode a hello of 16 rails.
     *
     * @return the message.
     */
    @Benchmark
    public HandshakeMessage handshakeDecode()
    {
        return codec.decode(hello);
    }

    /**
     * Encode the header of a KV chunk.
     *
     * @return the encoder.
     */
    @Benchmark
    public KvChunkEncoder chunkEncode()
    {
        return chunk.wrapAndApplyHeader(buffer, 0, header)
            .transferId(++transferId)
            .layerOffset(CHUNK_LENGTH)
            .payloadLength(CHUNK_LENGTH)
            .layer(3)
            .attempt(1);
    }
}
