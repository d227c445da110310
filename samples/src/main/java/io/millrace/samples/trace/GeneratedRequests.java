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

import java.util.SplittableRandom;

/**
 * Endless requests in the shape of the Mooncake conversation trace: prompt lengths log-normal with a mean of about
 * 12 035 tokens, at most 126 195. The same seed gives the same requests on every machine.
 */
public final class GeneratedRequests implements Requests
{
    /**
     * Shortest prompt of the trace, tokens.
     */
    public static final int SHORTEST_TOKENS = 890;

    /**
     * Longest prompt of the trace, tokens.
     */
    public static final int LONGEST_TOKENS = 126_195;

    // Mean and deviation of the logarithm of the trace's prompt lengths; the mean a little lower, since the trace
    // has many prompts near its shortest and the log-normal curve has a longer upper tail.
    private static final double LOG_MEAN = 8.69;
    private static final double LOG_DEVIATION = 1.2;

    private final SplittableRandom random;
    private long index;

    /**
     * Start from the first request.
     *
     * @param seed that decides all lengths.
     */
    public GeneratedRequests(final long seed)
    {
        random = new SplittableRandom(seed);
    }

    /**
     * {@inheritDoc}
     */
    public Request next()
    {
        final double tokens = StrictMath.exp(LOG_MEAN + LOG_DEVIATION * random.nextGaussian());
        return new Request(index++, (int)Math.clamp(tokens, SHORTEST_TOKENS, LONGEST_TOKENS));
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
    }
}
