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
package io.millrace.samples.marketdata;

import io.millrace.samples.demo.ProgressDisplay;

/**
 * What a run is doing, on one line of a terminal; elsewhere nothing is shown.
 */
final class Progress implements AutoCloseable
{
    private static final String LINE_START = "\r\033[K";

    private final String transport;

    Progress(final String transport)
    {
        this.transport = transport;
    }

    void show(final String step)
    {
        if (ProgressDisplay.isTerminal())
        {
            System.err.print(LINE_START + transport + ": " + step + " …");
        }
    }

    /**
     * Remove the line: the result comes.
     */
    @Override
    public void close()
    {
        if (ProgressDisplay.isTerminal())
        {
            System.err.print(LINE_START);
        }
    }
}
