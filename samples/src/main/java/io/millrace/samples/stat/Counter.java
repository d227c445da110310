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

import org.agrona.DirectBuffer;
import org.agrona.concurrent.status.CountersReader;

/**
 * One counter at one moment.
 *
 * @param id             of the counter.
 * @param typeId         that says what it counts.
 * @param registrationId of what it belongs to, 0 for none.
 * @param referenceId    of what it refers to, 0 for none.
 * @param key            copy of its key, as long as keys can be.
 * @param label          for people.
 * @param value          at the moment.
 */
public record Counter(
    int id, int typeId, long registrationId, long referenceId, DirectBuffer key, String label, long value)
{
    /**
     * Whether this is the same counter at another moment: ids are used again.
     */
    boolean isSameAs(final Counter other)
    {
        return id == other.id && typeId == other.typeId && registrationId == other.registrationId &&
            label.equals(other.label);
    }

    /**
     * A number in the key.
     *
     * @param offset of it.
     * @return the number.
     */
    public int keyInt(final int offset)
    {
        return key.getInt(offset);
    }

    /**
     * A long number in the key.
     *
     * @param offset of it.
     * @return the number.
     */
    public long keyLong(final int offset)
    {
        return key.getLong(offset);
    }

    /**
     * A text in the key, cut to what a key holds.
     *
     * @param offset of its length.
     * @return the text.
     */
    public String keyText(final int offset)
    {
        final int length = key.getInt(offset);
        final int from = offset + Integer.BYTES;
        return key.getStringWithoutLengthAscii(
            from, Math.max(0, Math.min(length, CountersReader.MAX_KEY_LENGTH - from)));
    }
}
