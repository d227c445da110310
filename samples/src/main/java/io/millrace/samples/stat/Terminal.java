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
package io.millrace.samples.stat;

import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;

/**
 * The terminal behind standard output.
 *
 * @param columns of it, 0 where standard output is none.
 * @param rows    of it, 0 where standard output is none.
 */
public record Terminal(int columns, int rows)
{
    private static final Terminal NONE = new Terminal(0, 0);
    private static final int STANDARD_OUTPUT = 1;
    // TIOCGWINSZ of x86-64 and AArch64; struct winsize is four shorts, rows and columns first.
    private static final long GET_WINDOW_SIZE = 0x5413;
    private static final int WINDOW_SIZE_LENGTH = 8;
    private static final int MIN_COLUMNS = 20;
    private static final int MIN_ROWS = 4;

    /**
     * libc's.
     */
    interface LibC extends Library
    {
        /**
         * Ask a device.
         */
        int ioctl(int fd, long request, Object... arguments);
    }

    /**
     * Look at standard output now: windows change their size.
     *
     * @return the terminal.
     */
    public static Terminal get()
    {
        try (Memory size = new Memory(WINDOW_SIZE_LENGTH))
        {
            size.clear();
            if (0 != Holder.LIB_C.ioctl(STANDARD_OUTPUT, GET_WINDOW_SIZE, size))
            {
                return NONE;
            }
            return new Terminal(
                Math.max(MIN_COLUMNS, size.getShort(2) & 0xFFFF), Math.max(MIN_ROWS, size.getShort(0) & 0xFFFF));
        }
    }

    /**
     * Whether standard output is a terminal.
     *
     * @return false for a file or a pipe.
     */
    public boolean isPresent()
    {
        return columns > 0;
    }

    private static final class Holder
    {
        private static final LibC LIB_C = Native.load("c", LibC.class);
    }
}
