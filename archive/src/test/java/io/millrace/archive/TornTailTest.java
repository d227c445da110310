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
package io.millrace.archive;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

import io.aeron.archive.checksum.Checksums;
import io.aeron.archive.client.ArchiveException;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import io.aeron.logbuffer.FrameDescriptor;
import io.aeron.protocol.DataHeaderFlyweight;
import io.millrace.bridge.KvSender;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * The end of a recording whose archive was killed.
 */
@Timeout(180)
class TornTailTest
{
    @TempDir
    private Path directory;
    private Path archiveDirectory;
    private Path segment;
    private int end;

    @BeforeEach
    void recordAndKill() throws Exception
    {
        archiveDirectory = directory.resolve("archive");
        segment = archiveDirectory.resolve("0-0.rec");
        try (MediaDriver driver = MediaDriver.launch(Rig.driverContext());
            ChildJvm archive = new ChildJvm(List.of(), directory.resolve("archive.err").toFile(), CrashServer.class,
                "ARCHIVE", driver.aeronDirectoryName(), archiveDirectory.toString()))
        {
            assertThat(archive.next(TimeUnit.SECONDS.toNanos(60))).isEqualTo("ready");
            try (Rig rig = Rig.client(driver.aeronDirectoryName()))
            {
                final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
                try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
                {
                    rig.send(sender, 1);
                    recording.awaitStart(Rig.LIMIT_NS);
                    final long deadlineNs = System.nanoTime() + Rig.LIMIT_NS;
                    while (Committed.transfers(archiveDirectory, 0, recording.position()).isEmpty())
                    {
                        assertThat(System.nanoTime() - deadlineNs).isNegative();
                        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
                    }
                    end = (int)recording.position();
                    archive.kill();
                }
            }
        }
        Rig.awaitDead(archiveDirectory);
    }

    @Test
    void keepsWhatItCutsOff() throws Exception
    {
        final ByteBuffer frame = frame(3 * 4096);
        // The second page was written, the last was not.
        frame.putLong(5000, 1).putInt(DataHeaderFlyweight.SESSION_ID_FIELD_OFFSET, 77);
        write(end, frame);

        try (Rig rig = new Rig(archiveDirectory))
        {
            assertThat(rig.client.find(0).stopPosition()).isEqualTo(end);
        }
        assertThat(torn()).singleElement()
            .satisfies(file -> assertThat(Files.readAllBytes(file)).isEqualTo(frame.array()));
    }

    @Test
    void namesAFileThatIsNoSegmentOfTheRecording() throws Exception
    {
        final Path copy = archiveDirectory.resolve("0-copy.rec");
        Files.copy(segment, copy);
        assertThatThrownBy(() -> new Rig(archiveDirectory)).isInstanceOf(KvArchiveException.class)
            .hasMessageContaining(copy + " has no position in its name");
        Files.delete(copy);
        try (Rig rig = new Rig(archiveDirectory))
        {
            assertThat(rig.client.find(0).stopPosition()).isEqualTo(end);
        }
    }

    @Test
    void touchesNothingWhereALengthIsDamaged() throws Exception
    {
        int last = 0;
        int beforeLast = 0;
        while (last + aligned(last) < end)
        {
            beforeLast = last;
            last += aligned(last);
        }
        // To zeros after the recording: from its start, and with a length that a frame may have.
        for (final int offset : new int[] {0, beforeLast})
        {
            final int length = lengthAt(offset);
            write(offset, ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(0, end - offset + 8192));
            final byte[] before = Files.readAllBytes(segment);
            assertThatThrownBy(() -> new Rig(archiveDirectory).close()).isInstanceOf(ArchiveException.class)
                .hasMessageContaining("incomplete last fragment");
            assertThat(Files.readAllBytes(segment)).isEqualTo(before);
            write(offset, ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(0, length));
        }
        assertThat(torn()).isEmpty();
        try (Rig rig = new Rig(archiveDirectory))
        {
            assertThat(rig.client.find(0).stopPosition()).isEqualTo(end);
        }
    }

    @Test
    void startsWhereTheLastFrameLiesAcrossTwoChunks() throws Exception
    {
        // As long as a chunk but for 64 bytes.
        final int chunkLength = 64 * 1024;
        final ByteBuffer frame = frame(chunkLength - 64);
        final ByteBuffer payload = ByteBuffer.allocateDirect(frame.capacity());
        payload.put(frame.put(5000, (byte)1).clear());
        frame.putInt(DataHeaderFlyweight.SESSION_ID_FIELD_OFFSET, Checksums.crc32c().compute(
            BufferUtil.address(payload), DataHeaderFlyweight.HEADER_LENGTH,
            frame.capacity() - DataHeaderFlyweight.HEADER_LENGTH));
        write(end, frame);

        try (MediaDriver driver = MediaDriver.launch(Rig.driverContext());
            MillraceArchive archive = MillraceArchive.attach(driver.aeronDirectoryName(),
                Rig.archiveContext(archiveDirectory.toFile()).fileIoMaxLength(chunkLength));
            KvArchive client = KvArchive.connect(archive.clientContext()))
        {
            assertThat(archive.archiveContext().fileIoMaxLength()).isGreaterThan(chunkLength);
            assertThat(client.find(0).stopPosition()).isEqualTo(end + frame.capacity());
        }
    }

    @Test
    void namesAFrameThatReachesPastItsSegment() throws Exception
    {
        write(0, ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(0, 2 * Rig.SEGMENT_LENGTH));
        assertThatThrownBy(() -> new Rig(archiveDirectory).close()).isInstanceOf(KvArchiveException.class)
            .hasMessageContainingAll(segment.toString(), "the frame at 0 reaches past", "restore");
    }

    private List<Path> torn() throws IOException
    {
        try (Stream<Path> files = Files.list(archiveDirectory))
        {
            return files.filter(file -> file.toString().endsWith(".torn")).toList();
        }
    }

    /**
     * A frame of zeros where the recording ends.
     */
    private ByteBuffer frame(final int length) throws IOException
    {
        final ByteBuffer frame = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN).put(read(0).clear());
        return frame
            .putInt(DataHeaderFlyweight.FRAME_LENGTH_FIELD_OFFSET, length)
            .putShort(DataHeaderFlyweight.TYPE_FIELD_OFFSET, (short)DataHeaderFlyweight.HDR_TYPE_DATA)
            .putInt(DataHeaderFlyweight.TERM_OFFSET_FIELD_OFFSET, end);
    }

    private int aligned(final int offset) throws IOException
    {
        return BitUtil.align(lengthAt(offset), FrameDescriptor.FRAME_ALIGNMENT);
    }

    private int lengthAt(final int offset) throws IOException
    {
        return read(offset).getInt(0);
    }

    private ByteBuffer read(final int offset) throws IOException
    {
        try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.READ))
        {
            final ByteBuffer header =
                ByteBuffer.allocate(DataHeaderFlyweight.HEADER_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
            channel.read(header, offset);
            return header;
        }
    }

    private void write(final int offset, final ByteBuffer bytes) throws IOException
    {
        try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.WRITE))
        {
            channel.write(bytes.clear(), offset);
        }
    }
}
