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

import io.aeron.logbuffer.LogBufferDescriptor;
import io.aeron.protocol.DataHeaderFlyweight;
import io.millrace.efa.term.LogRegions;
import io.millrace.efa.term.NumberRanges;
import io.millrace.efa.term.PlacedImage;
import io.millrace.efa.term.PlacedImages;
import io.millrace.efa.term.RegisteredLog;
import io.millrace.efa.term.TermCounters;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersManager;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static java.nio.charset.StandardCharsets.US_ASCII;

/**
 * What the Receiver does for a frame that its sender has written into an image.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class PlacedCommit
{
    private static final int TERM_LENGTH = 1 << 20;
    private static final int PAGE_LENGTH = 4096;
    private static final int FRAME_LENGTH = 32 * 1024;
    private static final int FRAMES = 8;
    private static final int SESSION_ID = 7;
    private static final int STREAM_ID = 11;
    private static final int SLOT_LENGTH = 32;
    private static final int NUMBERS_PER_SLOT = 4;
    private static final int BEGIN_AND_END = 3;
    private static final long NIC_PAGES = 1 << 20;
    private static final int FIRST_LENGTH = 8;

    private File file;
    private RegisteredLog log;
    private PlacedImages images;
    private UnsafeBuffer frames;
    private long base;
    private int next;

    /**
     * Write the headers of some frames, as a sender's write leaves them.
     *
     * @throws IOException if no log can be made.
     */
    @Setup
    public void open() throws IOException
    {
        file = File.createTempFile("image", ".logbuffer");
        final long length = LogBufferDescriptor.computeLogLength(TERM_LENGTH, PAGE_LENGTH);
        try (RandomAccessFile random = new RandomAccessFile(file, "rw"))
        {
            random.setLength(length);
            final byte[] bytes = new byte[LogBufferDescriptor.LOG_META_DATA_LENGTH];
            final UnsafeBuffer metaData = new UnsafeBuffer(bytes);
            LogBufferDescriptor.termLength(metaData, TERM_LENGTH);
            LogBufferDescriptor.initialTermId(metaData, 0);
            LogBufferDescriptor.mtuLength(metaData, FRAME_LENGTH);
            random.seek(length - bytes.length);
            random.write(bytes);
        }
        final TermCounters counters = new TermCounters(new CountersManager(
            new UnsafeBuffer(ByteBuffer.allocateDirect(256 * 1024)),
            new UnsafeBuffer(ByteBuffer.allocateDirect(64 * 1024)), US_ASCII));
        log = new LogRegions(NIC_PAGES, NIC_PAGES, counters, (ignore) -> {}).register(file, List.of(), 0, 0);
        base = new NumberRanges().allocate(TERM_LENGTH);
        final PlacedImage image = new PlacedImage(this, log, SESSION_ID, STREAM_ID, base, counters, () -> {});
        images = new PlacedImages(counters);
        images.add(image);
        image.onStatusMessage(0, 0);
        frames = new UnsafeBuffer(log.address(), FRAMES * FRAME_LENGTH);
        final DataHeaderFlyweight header = new DataHeaderFlyweight();
        for (int i = 0; i < FRAMES; i++)
        {
            header.wrap(frames, i * FRAME_LENGTH, DataHeaderFlyweight.HEADER_LENGTH);
            header.termOffset(i * FRAME_LENGTH).sessionId(SESSION_ID).streamId(STREAM_ID).termId(0);
        }
    }

    /**
     * Remove the log.
     *
     * @throws IOException if it cannot be.
     */
    @TearDown
    public void close() throws IOException
    {
        log.close();
        Files.delete(file.toPath());
    }

    /**
     * Judge a write and let subscribers see its frame.
     *
     * @return the image.
     */
    @Benchmark
    public PlacedImage commit()
    {
        final int offset = (next++ % FRAMES) * FRAME_LENGTH;
        frames.putLong(offset, 0);
        final PlacedImage image = images.commit(
            base + (long)offset / SLOT_LENGTH * NUMBERS_PER_SLOT + BEGIN_AND_END, FRAME_LENGTH - FIRST_LENGTH);
        if (null == image)
        {
            throw new IllegalStateException("the frame was rejected");
        }
        return image;
    }
}
