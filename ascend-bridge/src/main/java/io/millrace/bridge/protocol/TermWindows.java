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
package io.millrace.bridge.protocol;

import java.nio.ByteBuffer;

import org.agrona.DirectBuffer;

/**
 * Windows over the terms of a log for checksums, which take byte buffers. Allocates once for each of the three buffers
 * that Aeron makes for a publication's or an image's terms; these have other users and are left alone.
 */
final class TermWindows
{
    private static final int TERMS = 3;

    private final ByteBuffer[] terms = new ByteBuffer[TERMS];
    private final ByteBuffer[] windows = new ByteBuffer[TERMS];
    private int next;

    /**
     * The bytes of a range.
     *
     * @param buffer over a term or a part of it.
     * @param offset of the range.
     * @param length of the range.
     * @return the same object for all ranges of a term, with position and limit set.
     */
    ByteBuffer of(final DirectBuffer buffer, final int offset, final int length)
    {
        final int start = buffer.wrapAdjustment() + offset;
        return window(buffer.byteBuffer()).limit(start + length).position(start);
    }

    private ByteBuffer window(final ByteBuffer term)
    {
        for (int i = 0; i < TERMS; i++)
        {
            if (terms[i] == term)
            {
                return windows[i];
            }
        }
        final int place = next;
        next = (next + 1) % TERMS;
        terms[place] = term;
        windows[place] = term.duplicate();
        return windows[place];
    }
}
