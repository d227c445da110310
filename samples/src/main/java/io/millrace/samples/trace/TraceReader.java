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
package io.millrace.samples.trace;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.DeserializationFeature;
import io.millrace.samples.failure.CommandFailure;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * Reads a trace of requests line by line. A line is a JSON object
 * <pre>{"timestamp": 0, "input_length": 6758, "output_length": 500, "hash_ids": [0, 1, 2]}</pre>
 * with the time of arrival in milliseconds, the lengths of prompt and answer in tokens, and the hashes of the prompt's
 * prefix blocks. Blank lines are skipped; any other line that does not fit ends the reading with its number.
 */
public final class TraceReader implements Requests
{
    private static final int MAX_INPUT_LENGTH_TOKENS = 100_000_000;
    private static final int MAX_SHOWN_CHARACTERS = 60;
    private static final ObjectMapper MAPPER =
        new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final Path file;
    private final BufferedReader reader;
    private long lineNumber;
    private long index;
    private long[] hashIds;
    private long timestampMs;
    private int outputTokens;

    /**
     * Open a trace.
     *
     * @param file to read, UTF-8.
     * @throws CommandFailure if the file cannot be opened.
     */
    public TraceReader(final Path file)
    {
        this.file = file;
        if (Files.exists(file) && !Files.isRegularFile(file))
        {
            throw CommandFailure.usage("trace " + file + " is not a regular file: it is read twice, so give the path " +
                "of a file of JSON lines, and not a directory or a pipe");
        }
        try
        {
            reader = Files.newBufferedReader(file);
        }
        catch (final NoSuchFileException ex)
        {
            throw CommandFailure.usage("trace " + file + " does not exist: give the path of a file of JSON lines");
        }
        catch (final IOException ex)
        {
            throw CommandFailure.usage("trace " + file + " cannot be read (" + ex +
                "): give a readable file of JSON lines");
        }
    }

    /**
     * {@inheritDoc}
     */
    public Request next()
    {
        try
        {
            String line;
            do
            {
                line = reader.readLine();
                lineNumber++;
            }
            while (null != line && line.isBlank());

            return null == line ? null : new Request(index++, inputLength(line));
        }
        catch (final CharacterCodingException ex)
        {
            throw broken("after this line comes text that is not UTF-8");
        }
        catch (final IOException ex)
        {
            throw CommandFailure.failed("trace " + file + " cannot be read after line " + lineNumber + " (" + ex +
                "): mend the file or its file system", ex);
        }
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        try
        {
            reader.close();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    /**
     * Ids of the prefix blocks of the request that was read last: equal ids have equal contents.
     *
     * @return ids in the order of the prompt, empty before the first request.
     */
    public long[] hashIds()
    {
        return null == hashIds ? new long[0] : hashIds.clone();
    }

    /**
     * Time of arrival of the request that was read last.
     *
     * @return milliseconds since the start of the trace.
     */
    public long timestampMs()
    {
        return timestampMs;
    }

    /**
     * Length of the answer to the request that was read last.
     *
     * @return tokens.
     */
    public int outputTokens()
    {
        return outputTokens;
    }

    private int inputLength(final String line)
    {
        final JsonNode node;
        try
        {
            node = MAPPER.readTree(line);
        }
        catch (final JsonProcessingException ex)
        {
            throw broken("not JSON: " + shown(line));
        }
        if (!node.isObject())
        {
            throw broken("not a JSON object: " + shown(line));
        }

        timestampMs = number(node, "timestamp", 0, Long.MAX_VALUE);
        final long inputLength = number(node, "input_length", 1, MAX_INPUT_LENGTH_TOKENS);
        outputTokens = (int)Math.min(Integer.MAX_VALUE, number(node, "output_length", 0, Long.MAX_VALUE));
        hashIds(node);
        return (int)inputLength;
    }

    private long number(final JsonNode node, final String field, final long min, final long max)
    {
        final JsonNode value = present(node, field);
        final boolean isWhole = value.isIntegralNumber() && value.canConvertToLong();
        if (!isWhole || value.longValue() < min || value.longValue() > max)
        {
            throw broken("\"" + field + "\" is " + shown(value.toString()) + ", it must be a whole number " +
                (Long.MAX_VALUE == max ? "not below " + min : "from " + min + " to " + max));
        }
        return value.longValue();
    }

    private void hashIds(final JsonNode node)
    {
        final JsonNode ids = present(node, "hash_ids");
        boolean valid = ids.isArray();
        for (int i = 0; valid && i < ids.size(); i++)
        {
            valid = ids.get(i).isIntegralNumber();
        }
        if (!valid)
        {
            throw broken("\"hash_ids\" is " + shown(ids.toString()) + ", it must be an array of whole numbers");
        }
        hashIds = new long[ids.size()];
        for (int i = 0; i < hashIds.length; i++)
        {
            hashIds[i] = ids.get(i).longValue();
        }
    }

    private JsonNode present(final JsonNode node, final String field)
    {
        final JsonNode value = node.get(field);
        if (null == value)
        {
            throw broken("lacks \"" + field + "\"");
        }
        return value;
    }

    private CommandFailure broken(final String what)
    {
        return CommandFailure.usage("trace " + file + " line " + lineNumber + ": " + what +
            "; every line must be like {\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, " +
            "\"hash_ids\": [0, 1]}: mend or remove the line");
    }

    private static String shown(final String text)
    {
        return text.length() <= MAX_SHOWN_CHARACTERS ? text : text.substring(0, MAX_SHOWN_CHARACTERS) + "…";
    }
}
