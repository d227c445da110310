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
package io.millrace.codecs;

import org.agrona.concurrent.UnsafeBuffer;

/**
 * Golden bytes as hexadecimal digits; white space separates fields.
 */
final class Hex
{
    private Hex()
    {
    }

    static String of(final UnsafeBuffer buffer, final int length)
    {
        final StringBuilder result = new StringBuilder();
        for (int i = 0; i < length; i++)
        {
            result.append(String.format("%02x", buffer.getByte(i)));
        }
        return result.toString();
    }

    static String join(final String... fields)
    {
        return String.join("", fields).replace(" ", "");
    }
}
