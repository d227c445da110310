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
package io.millrace.tests.xpyd;

import io.millrace.samples.trace.GeneratedRequests;
import io.millrace.samples.trace.Request;
import io.millrace.samples.trace.Requests;
import io.millrace.samples.trace.TraceReader;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A run.
 *
 * @param protocol          of the drivers.
 * @param requests          to transfer.
 * @param model             of the cache, {@code LAYERSxHEADSxDIM}.
 * @param trace             file of requests, null to generate such.
 * @param seed              of requests, content and kills.
 * @param window            transfers at a time.
 * @param transferTimeoutMs of a transfer.
 * @param resumeTimeoutMs   for which a broken stream is waited for.
 * @param verbose           true to see what processes print.
 */
record XpydOptions(
    String protocol,
    int requests,
    String model,
    Path trace,
    long seed,
    int window,
    long transferTimeoutMs,
    long resumeTimeoutMs,
    boolean verbose)
{
    /**
     * Tokens of each request.
     */
    List<Integer> load()
    {
        final List<Integer> tokens = new ArrayList<>();
        try (Requests source = null == trace ? new GeneratedRequests(seed) : new TraceReader(trace))
        {
            Request request = source.next();
            while (null != request && tokens.size() < requests)
            {
                tokens.add(request.tokens());
                request = source.next();
            }
        }
        return tokens;
    }
}
