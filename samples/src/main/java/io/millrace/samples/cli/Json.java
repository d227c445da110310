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
package io.millrace.samples.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.archive.KvArchiveException;
import io.millrace.samples.failure.CommandFailure;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What {@code --json} prints: exactly one object on one line of standard output.
 */
final class Json
{
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static volatile boolean isPrinted;

    private Json()
    {
    }

    /**
     * A command begins, of which nothing is printed.
     */
    static void begin()
    {
        isPrinted = false;
    }

    static void print(final Object value)
    {
        Output.print(text(value));
        isPrinted = true;
    }

    /**
     * Print what went wrong, and what is known nevertheless, in place of the result; nothing after it.
     *
     * @param text for the user.
     * @param ex   that ended the command.
     */
    static void printError(final String text, final Exception ex)
    {
        if (isPrinted)
        {
            return;
        }
        final Map<String, Object> result = new LinkedHashMap<>();
        if (ex instanceof final CommandFailure failure)
        {
            result.putAll(failure.known());
        }
        if (ex.getCause() instanceof final KvArchiveException archive)
        {
            result.put("code", archive.error());
        }
        result.put("error", text);
        // Not checked: that standard output takes nothing may be what went wrong.
        System.out.print(text(result));
        System.out.flush();
    }

    private static String text(final Object value)
    {
        try
        {
            return MAPPER.writeValueAsString(value) + '\n';
        }
        catch (final JsonProcessingException ex)
        {
            throw new IllegalStateException(ex);
        }
    }
}
