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

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Prompts of people who talk with a model: a prompt is all that was said before and something new. All begin with the
 * same block, the model's instructions. The same seed gives the same prompts.
 */
final class Conversations
{
    private static final double MEAN_GAP_MS = 300;
    private static final double NEW_CONVERSATION = 0.35;
    private static final int MAX_CONVERSATIONS = 24;
    private static final int MAX_BLOCKS = 96;
    private static final int FIRST_BLOCKS = 20;
    private static final int NEXT_BLOCKS = 7;
    private static final int MAX_OUTPUT_TOKENS = 600;

    private final SplittableRandom random;
    private final List<long[]> conversations = new ArrayList<>();
    private long nextHash = 1;

    Conversations(final long seed)
    {
        random = new SplittableRandom(seed);
    }

    List<Prompt> take(final int count)
    {
        final List<Prompt> prompts = new ArrayList<>();
        double arrivalMs = 0;
        while (prompts.size() < count)
        {
            final long[] hashes = next();
            final int tokens = hashes.length * Prompt.TOKENS_PER_BLOCK - random.nextInt(Prompt.TOKENS_PER_BLOCK);
            prompts.add(new Prompt(
                prompts.size(), (long)arrivalMs, tokens, 1 + random.nextInt(MAX_OUTPUT_TOKENS), hashes));
            arrivalMs += -MEAN_GAP_MS * Math.log(1 - random.nextDouble());
        }
        return prompts;
    }

    private long[] next()
    {
        if (conversations.isEmpty() || random.nextDouble() < NEW_CONVERSATION)
        {
            final long[] hashes = longer(new long[1], 1 + random.nextInt(FIRST_BLOCKS));
            if (MAX_CONVERSATIONS == conversations.size())
            {
                conversations.remove(random.nextInt(MAX_CONVERSATIONS));
            }
            conversations.add(hashes);
            return hashes;
        }
        final int index = random.nextInt(conversations.size());
        final long[] hashes = longer(conversations.get(index), 1 + random.nextInt(NEXT_BLOCKS));
        if (hashes.length > MAX_BLOCKS)
        {
            conversations.remove(index);
            return next();
        }
        conversations.set(index, hashes);
        return hashes;
    }

    private long[] longer(final long[] hashes, final int blocks)
    {
        final long[] longer = Arrays.copyOf(hashes, hashes.length + blocks);
        for (int i = hashes.length; i < longer.length; i++)
        {
            longer[i] = nextHash++;
        }
        return longer;
    }
}
