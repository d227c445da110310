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
package io.millrace.efa.term;

import io.aeron.logbuffer.LogBufferDescriptor;
import io.aeron.protocol.DataHeaderFlyweight;
import io.millrace.efa.libfabric.MappedFile;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersManager;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * A log that frames are written to, right ones and wrong ones.
 */
class PlacedImageTest
{
    private static final int TERM_LENGTH = 64 * 1024;
    private static final int INITIAL_TERM_ID = Integer.MAX_VALUE - 1;
    private static final int SESSION_ID = -7;
    private static final int STREAM_ID = 11;
    private static final int BEGIN_AND_END = 3;

    private Path file;
    private MappedFile mapping;
    private UnsafeBuffer log;
    private TermCounters counters;
    private PlacedImages images;
    private PlacedImage image;
    private long base;
    private int ready;

    @BeforeProperty
    void setUp() throws IOException
    {
        file = Files.createTempFile("image", ".logbuffer");
        final long length = LogBufferDescriptor.computeLogLength(TERM_LENGTH, 4096);
        try (RandomAccessFile random = new RandomAccessFile(file.toFile(), "rw"))
        {
            random.setLength(length);
        }

        mapping = MappedFile.map(file.toFile());
        log = new UnsafeBuffer(mapping.address(), (int)mapping.length());
        final UnsafeBuffer metaData = new UnsafeBuffer(
            log, (int)length - LogBufferDescriptor.LOG_META_DATA_LENGTH, LogBufferDescriptor.LOG_META_DATA_LENGTH);
        LogBufferDescriptor.termLength(metaData, TERM_LENGTH);
        LogBufferDescriptor.initialTermId(metaData, INITIAL_TERM_ID);
        LogBufferDescriptor.mtuLength(metaData, 8192);

        counters = new TermCounters(new CountersManager(
            new UnsafeBuffer(ByteBuffer.allocateDirect(64 * 1024)),
            new UnsafeBuffer(ByteBuffer.allocateDirect(16 * 1024)), US_ASCII));
        images = new PlacedImages(counters);
        final NumberRanges numbers = new NumberRanges();
        numbers.allocate(1 << 20);
        base = numbers.allocate(TERM_LENGTH);
        final LogRegions regions = new LogRegions(1000, 1000, counters, (ignore) -> {});
        image = new PlacedImage(
            this,
            new RegisteredLog(regions, "image", mapping, 0),
            SESSION_ID,
            STREAM_ID,
            base,
            counters,
            () -> ready++);
        images.add(image);
        ready = 0;
    }

    @AfterProperty
    void tearDown() throws IOException
    {
        mapping.close();
        Files.delete(file);
    }

    @Property(tries = 300)
    void shouldCommitExactlyWhatLiesInTheWindow(
        @ForAll @IntRange(min = 0, max = 4 * TERM_LENGTH / 32) final int windowSlot,
        @ForAll @IntRange(min = 0, max = 5 * TERM_LENGTH / 32) final int slot,
        @ForAll @IntRange(min = 32, max = 8192) final int length)
    {
        log.setMemory(0, 3 * TERM_LENGTH, (byte)0);
        final long windowPosition = 32L * windowSlot;
        final long position = 32L * slot;
        final int termOffset = (int)position & TERM_LENGTH - 1;
        final int aligned = length + 31 & -32;
        image.onStatusMessage(termId(windowPosition), (int)windowPosition & TERM_LENGTH - 1);
        write(position, length);

        final PlacedImage committed = images.commit(number(position), length - 8);

        final boolean fits = termOffset + aligned <= TERM_LENGTH;
        final boolean isInWindow = position >= windowPosition &&
            position + aligned <= windowPosition + TERM_LENGTH / 2;
        assertThat(null != committed).isEqualTo(fits && isInWindow);
        if (null != committed)
        {
            assertThat(committed.packetLength()).isEqualTo(aligned);
            final DataHeaderFlyweight header = new DataHeaderFlyweight();
            header.wrap(log, logOffset(position), 32);
            assertThat(header.frameLength()).isEqualTo(length);
            assertThat(header.version()).isZero();
            assertThat(header.flags() & 0xFF).isEqualTo(0xC0);
            assertThat(header.headerType()).isEqualTo(1);
            assertThat(header.termOffset()).isEqualTo(termOffset);
            assertThat(images.committed()).isEqualTo(mapping.address() + logOffset(position));
        }
        else
        {
            assertThat(log.getInt(logOffset(position))).isZero();
        }
    }

    @Example
    void shouldAcceptNothingBeforeTheWindowIsKnownAndTellWhenItIs()
    {
        write(0, 100);
        assertThat(images.commit(number(0), 92)).isNull();
        assertThat(counters.rejectedWindow.get()).isEqualTo(1);

        image.onStatusMessage(INITIAL_TERM_ID, 0);
        image.onStatusMessage(INITIAL_TERM_ID, 0);
        assertThat(ready).isEqualTo(1);
        assertThat(images.commit(number(0), 92)).isSameAs(image);
    }

    @Example
    void shouldTakeTheLengthFromAWideImmediate()
    {
        image.onStatusMessage(INITIAL_TERM_ID, 0);
        write(64, 4000);
        assertThat(images.commit(FrameNumbers.withLength(number(64), 4000), 0)).isSameAs(image);
        assertThat(log.getInt(64)).isEqualTo(4000);
    }

    @Example
    void shouldRejectWhatIsNotOfThisImageOrPlace()
    {
        image.onStatusMessage(INITIAL_TERM_ID, 0);
        assertThat(images.commit(0, 100)).isNull();
        assertThat(images.commit(base + FrameNumbers.of(TERM_LENGTH), 100)).isNull();
        assertThat(images.commit(-1, 100)).isNull();
        assertThat(counters.rejectedNumber.get()).isEqualTo(3);

        write(0, 100);
        assertThat(images.commit(number(0), 23)).isNull();
        assertThat(images.commit(number(0), TERM_LENGTH)).isNull();
        assertThat(images.commit(FrameNumbers.withLength(number(0), -1), 0)).isNull();
        assertThat(counters.rejectedLength.get()).isEqualTo(3);

        for (final int field : new int[]{ 8, 12, 16, 20 })
        {
            write(0, 100);
            log.putInt(field, log.getInt(field) + 1);
            assertThat(images.commit(number(0), 92)).isNull();
        }
        assertThat(counters.rejectedHeader.get()).isEqualTo(4);

        write(0, 100);
        image.end();
        assertThat(images.commit(number(0), 92)).isNull();
        images.remove(image);
        assertThat(images.commit(number(0), 92)).isNull();
        assertThat(counters.rejectedNumber.get()).isEqualTo(5);
        assertThat(counters.commits.get()).isZero();
        assertThat(log.getInt(0)).isZero();
    }

    @Example
    void shouldNotChangeAFrameThatIsThereAlready()
    {
        image.onStatusMessage(INITIAL_TERM_ID, 0);
        write(0, 100);
        log.putLong(0, 100 | 3L << 48);
        assertThat(images.commit(number(0), 92)).isSameAs(image);
        assertThat(log.getLong(0)).isEqualTo(100 | 3L << 48);
    }

    @Example
    void shouldAskForAWholeFrameAtLeast()
    {
        assertThat(image.gapLength(0, 32)).isEqualTo(8192);
        assertThat(image.gapLength(0, 10_000)).isEqualTo(10_000);
        assertThat(image.gapLength(TERM_LENGTH - 64, 32)).isEqualTo(64);
    }

    private void write(final long position, final int length)
    {
        final int offset = logOffset(position);
        log.putInt(offset + 8, (int)position & TERM_LENGTH - 1, ByteOrder.LITTLE_ENDIAN);
        log.putInt(offset + 12, SESSION_ID, ByteOrder.LITTLE_ENDIAN);
        log.putInt(offset + 16, STREAM_ID, ByteOrder.LITTLE_ENDIAN);
        log.putInt(offset + 20, termId(position), ByteOrder.LITTLE_ENDIAN);
        log.setMemory(offset + 32, Math.min(length - 32, log.capacity() - offset - 32), (byte)5);
    }

    private long number(final long position)
    {
        return base + FrameNumbers.encode(logOffset(position), (byte)(BEGIN_AND_END << 6));
    }

    private static int termId(final long position)
    {
        return INITIAL_TERM_ID + (int)(position / TERM_LENGTH);
    }

    private static int logOffset(final long position)
    {
        return (int)(position % (3L * TERM_LENGTH));
    }
}
