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
package io.millrace.samples.demo;

import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.trace.GeneratedRequests;
import io.millrace.samples.trace.Request;
import io.millrace.samples.trace.Requests;
import io.millrace.samples.trace.TraceReader;

import java.nio.file.Path;

/**
 * Which requests a demonstration runs. Read twice, once to plan and once to run, and never held as a whole.
 *
 * @param trace file, or null to generate requests.
 * @param seed  of generated requests.
 */
record Workload(Path trace, long seed)
{
    /**
     * What running the workload takes.
     *
     * @param requests      to transfer.
     * @param tokens        of all requests.
     * @param blocks        of all requests.
     * @param largestTokens tokens of the largest request.
     */
    record Survey(long requests, long tokens, long blocks, int largestTokens)
    {
    }

    /**
     * Open the requests from the first.
     *
     * @return requests to be closed after use.
     */
    Requests open()
    {
        return null == trace ? new GeneratedRequests(seed) : new TraceReader(trace);
    }

    /**
     * Walk over the workload.
     *
     * @param maxRequests    at most this many, or 0 to stop at {@code enoughBlocks}.
     * @param enoughBlocks   stop once the requests have this many blocks; used if {@code maxRequests} is 0.
     * @param tokensPerBlock of a block.
     * @return what was found.
     * @throws CommandFailure if a line of the trace cannot be used, or there is none.
     */
    Survey survey(final long maxRequests, final long enoughBlocks, final int tokensPerBlock)
    {
        long count = 0;
        long tokens = 0;
        long blocks = 0;
        int largest = 0;
        try (Requests requests = open())
        {
            while (0 == maxRequests ? blocks < enoughBlocks : count < maxRequests)
            {
                final Request request = requests.next();
                if (null == request)
                {
                    break;
                }
                count++;
                tokens += request.tokens();
                blocks += blocksFor(request.tokens(), tokensPerBlock);
                largest = Math.max(largest, request.tokens());
            }
        }
        if (0 == count)
        {
            throw CommandFailure.usage("trace " + trace + " has no request: it must have at least one line such as " +
                "{\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0]}");
        }
        return new Survey(count, tokens, blocks, largest);
    }

    /**
     * Blocks that a request takes.
     *
     * @param tokens         of the request.
     * @param tokensPerBlock of a block.
     * @return blocks, the last one partly used.
     */
    static int blocksFor(final int tokens, final int tokensPerBlock)
    {
        return Math.ceilDiv(tokens, tokensPerBlock);
    }
}
