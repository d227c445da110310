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

import io.millrace.bridge.KvLayout;

import java.util.concurrent.TimeUnit;

/**
 * What a process is told first.
 *
 * @param name             of the instance.
 * @param workDirectory    of the run.
 * @param ownDirectory     of this process, in it.
 * @param aeronDirectory   of its machine's driver.
 * @param archiveDirectory of the run's recordings, or null without an archive.
 * @param protocol         of the drivers, or null for what is configured.
 * @param model            shape of the cache.
 * @param cacheBlocks      of this instance.
 * @param tokensPerSecond  that it computes, 0 for as fast as it goes.
 */
record NodeOrders(
    String name,
    String workDirectory,
    String ownDirectory,
    String aeronDirectory,
    String archiveDirectory,
    String protocol,
    String model,
    int cacheBlocks,
    double tokensPerSecond)
{
    KvLayout layout()
    {
        return KvLayout.parse(model, Prompt.TOKENS_PER_BLOCK);
    }

    /**
     * How long this instance computes some tokens.
     */
    long computeNs(final long tokens)
    {
        return computeNs(tokens, tokensPerSecond);
    }

    /**
     * How long an instance with a rate, or 0 for as fast as it goes, computes some tokens.
     */
    static long computeNs(final long tokens, final double tokensPerSecond)
    {
        return 0 == tokensPerSecond ? 0 : (long)(tokens / tokensPerSecond * TimeUnit.SECONDS.toNanos(1));
    }
}
