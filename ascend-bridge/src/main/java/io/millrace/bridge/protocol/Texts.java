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

import io.millrace.codecs.kv.KvMessages;

/**
 * Texts as the schema allows them.
 */
final class Texts
{
    private Texts()
    {
    }

    /**
     * Printable ASCII of a length that fits the schema and the smallest frame.
     */
    static String ascii(final String text)
    {
        if (null == text)
        {
            return "";
        }
        final StringBuilder result = new StringBuilder(Math.min(text.length(), KvMessages.MAX_TEXT_LENGTH));
        for (int i = 0; i < text.length() && result.length() < KvMessages.MAX_TEXT_LENGTH; i++)
        {
            final char c = text.charAt(i);
            result.append(c > 31 && c < 127 ? c : '?');
        }
        return result.toString();
    }
}
