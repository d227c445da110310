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
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import org.agrona.IoUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

@Timeout(120)
class PageCacheTest
{
    private static final int LENGTH = 8 << 20;
    private static final int POSIX_FADV_DONTNEED = 4;

    @TempDir
    private Path directory;

    @Test
    void allThatIsAskedForIsRead() throws IOException
    {
        final Path file = directory.resolve("ä.bin");
        Files.write(file, new byte[LENGTH]);
        forget(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ))
        {
            final MappedByteBuffer half = channel.map(FileChannel.MapMode.READ_ONLY, LENGTH / 2, LENGTH / 2);
            try
            {
                assumeFalse(half.isLoaded(), "a file system in memory");
                PageCache.fill(file, LENGTH / 2, LENGTH);
                assertThat(half.isLoaded()).isTrue();
            }
            finally
            {
                IoUtil.unmap(half);
            }
        }
    }

    @Test
    void tellsOfAFileThatIsGone()
    {
        final Path file = directory.resolve("gone.rec");
        assertThatThrownBy(() -> PageCache.fill(file, 0, LENGTH))
            .isInstanceOf(IOException.class).hasMessageContaining(file.toString());
    }

    private static void forget(final Path file) throws IOException
    {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE))
        {
            channel.force(true);
        }
        final Pointer name = new Memory(4096);
        name.setString(0, file.toString());
        final int descriptor = Function.getFunction("c", "open").invokeInt(new Object[] {name, 0});
        assertThat(descriptor).isNotNegative();
        assertThat(Function.getFunction("c", "posix_fadvise").invokeInt(
            new Object[] {descriptor, 0L, 0L, POSIX_FADV_DONTNEED})).isZero();
        assertThat(Function.getFunction("c", "close").invokeInt(new Object[] {descriptor})).isZero();
    }
}
