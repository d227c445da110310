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

/**
 * A request that arrives at the router.
 *
 * @param index        from 0.
 * @param arrivalMs    since the start of the trace.
 * @param tokens       of the prompt.
 * @param outputTokens of the answer.
 * @param hashes       names of the prompt's blocks: a name stands for the block's tokens and all before them.
 */
record Prompt(long index, long arrivalMs, int tokens, int outputTokens, long[] hashes)
{
    /**
     * Tokens in a block, as in the Mooncake traces.
     */
    static final int TOKENS_PER_BLOCK = 512;

    /**
     * Tokens in a range of blocks, of which the prompt's last may not be full.
     */
    int tokensOf(final int from, final int to)
    {
        return Math.max(1, Math.min(tokens, to * TOKENS_PER_BLOCK) - from * TOKENS_PER_BLOCK);
    }
}
