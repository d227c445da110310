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
package io.millrace.samples.disaggregated;

import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.trace.Request;
import io.millrace.samples.trace.TraceReader;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where prompts come from: a trace, or conversations that are made up.
 */
final class Prompts
{
    private Prompts()
    {
    }

    /**
     * Read prompts.
     *
     * @param trace file, or null to make some up.
     * @param count at most.
     * @param seed  of those that are made up.
     * @return in the order of their arrival.
     * @throws CommandFailure if the trace cannot be used.
     */
    static List<Prompt> of(final Path trace, final int count, final long seed)
    {
        return null == trace ? new Conversations(seed).take(count) : read(trace, count);
    }

    private static List<Prompt> read(final Path trace, final int count)
    {
        final List<Prompt> prompts = new ArrayList<>();
        long arrivalMs = 0;
        try (TraceReader reader = new TraceReader(trace))
        {
            Request request;
            while (prompts.size() < count && null != (request = reader.next()))
            {
                final long[] hashes = Arrays.stream(reader.hashIds()).distinct().toArray();
                if (0 == hashes.length)
                {
                    throw CommandFailure.usage("trace " + trace + " request " + (request.index() + 1) +
                        " has no \"hash_ids\": blocks are named by them; take a trace that has some");
                }
                arrivalMs = Math.max(arrivalMs, reader.timestampMs());
                prompts.add(new Prompt(request.index(), arrivalMs,
                    Math.min(request.tokens(), hashes.length * Prompt.TOKENS_PER_BLOCK),
                    reader.outputTokens(), hashes));
            }
        }
        if (prompts.isEmpty())
        {
            throw CommandFailure.usage("trace " + trace + " has no request: it must have at least one line");
        }
        return prompts;
    }
}
