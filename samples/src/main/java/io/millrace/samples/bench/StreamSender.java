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
package io.millrace.samples.bench;

import java.util.function.BooleanSupplier;

/**
 * Sends as much as goes.
 */
final class StreamSender
{
    private static final int BURST = 64;

    private StreamSender()
    {
    }

    /**
     * Send until told to end.
     *
     * @param node  to send on.
     * @param isEnd true at the end.
     */
    static void run(final Node node, final BooleanSupplier isEnd)
    {
        long sequence = 0;
        while (!isEnd.getAsBoolean())
        {
            for (int i = 0; i < BURST && node.offer(sequence, sequence); i++)
            {
                sequence++;
            }
            node.work();
        }
    }
}
