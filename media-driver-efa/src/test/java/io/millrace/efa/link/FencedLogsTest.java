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

import io.aeron.logbuffer.LogBufferDescriptor;
import io.millrace.efa.term.LogRegions;
import io.millrace.efa.term.RegisteredLog;
import io.millrace.efa.term.TermCounters;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

class FencedLogsTest
{
    private static final int TERM_LENGTH = 64 * 1024;

    private int closed;
    @TempDir
    private Path directory;

    @Test
    void shouldKeepTheAddressOfAFencedLogFromEverybodyForAMinute() throws IOException
    {
        final Path file = directory.resolve("1.logbuffer");
        final byte[] bytes = new byte[(int)LogBufferDescriptor.computeLogLength(TERM_LENGTH, 4096)];
        final UnsafeBuffer metaData = new UnsafeBuffer(
            bytes, bytes.length - LogBufferDescriptor.LOG_META_DATA_LENGTH, LogBufferDescriptor.LOG_META_DATA_LENGTH);
        LogBufferDescriptor.termLength(metaData, TERM_LENGTH);
        LogBufferDescriptor.mtuLength(metaData, 8192);
        Files.write(file, bytes);

        final LogRegions regions = new LogRegions(1000, 1000, new TermCounters(new CountersManager(
            new UnsafeBuffer(ByteBuffer.allocateDirect(64 * 1024)),
            new UnsafeBuffer(ByteBuffer.allocateDirect(16 * 1024)), US_ASCII)), (ignore) -> {});
        final RegisteredLog log = regions.register(file.toFile(), List.of(), 0, 0);
        final UnsafeBuffer term = new UnsafeBuffer(log.address(), TERM_LENGTH);
        term.putInt(0, 7);
        assertThat(Files.readAllBytes(file)[0]).as("mapped").isEqualTo((byte)7);

        final FencedLogs fenced = new FencedLogs();
        fenced.add(log, 0, () -> closed++);
        term.putInt(0, 9);
        assertThat(Files.readAllBytes(file)[0]).as("a late write meets nothing").isEqualTo((byte)7);
        assertThat(fenced.doWork(TimeUnit.SECONDS.toNanos(60) - 1)).isZero();
        term.putInt(0, 11);
        assertThat(isMapped(log.address())).isTrue();
        assertThat(closed).isZero();

        assertThat(fenced.doWork(TimeUnit.SECONDS.toNanos(60))).isEqualTo(1);
        assertThat(fenced.doWork(TimeUnit.SECONDS.toNanos(120))).isZero();
        assertThat(isMapped(log.address())).isFalse();
        assertThat(closed).isEqualTo(1);
    }

    private static boolean isMapped(final long address) throws IOException
    {
        for (final String line : Files.readAllLines(Path.of("/proc/self/maps")))
        {
            final String[] range = line.substring(0, line.indexOf(' ')).split("-");
            if (Long.parseUnsignedLong(range[0], 16) <= address && address < Long.parseUnsignedLong(range[1], 16))
            {
                return true;
            }
        }
        return false;
    }
}
