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
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * Reads parts of files so that they are in memory when they are read for use.
 */
final class PageCache
{
    private static final int PIECE = 1 << 20;
    // Shared by all threads, for nobody wants what is in it.
    private static final ByteBuffer DISCARDED = ByteBuffer.allocateDirect(PIECE);

    private PageCache()
    {
    }

    /**
     * Have part of a file read. Reads of this length leave pages that are read faster again than those that
     * {@code posix_fadvise} asks for in pieces of the disk's own read-ahead.
     *
     * @param offset of the first byte.
     * @param length in bytes; what is after the file's end is passed over.
     * @throws IOException when the file is gone or cannot be read.
     */
    static void fill(final Path file, final long offset, final long length) throws IOException
    {
        try (FileChannel channel = FileChannel.open(file))
        {
            final ByteBuffer piece = DISCARDED.duplicate();
            long position = offset;
            while (position < offset + length)
            {
                piece.clear().limit((int)Math.min(PIECE, offset + length - position));
                final int read = channel.read(piece, position);
                if (read <= 0)
                {
                    return;
                }
                position += read;
            }
        }
    }
}
