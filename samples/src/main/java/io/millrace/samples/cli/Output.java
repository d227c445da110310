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

import io.millrace.samples.failure.CommandFailure;

/**
 * What commands print on standard output: their results, and nothing else.
 */
final class Output
{
    private Output()
    {
    }

    /**
     * Print a result. A result that is lost is a failure: whoever reads it would take nothing for everything.
     *
     * @param text with its line ends.
     * @throws CommandFailure if standard output does not take it.
     */
    static void print(final String text)
    {
        System.out.print(text);
        if (System.out.checkError())
        {
            throw CommandFailure.failed("standard output did not take the result (" + text.length() +
                " characters): it must be open and have room; make room there, or send it elsewhere");
        }
    }
}
