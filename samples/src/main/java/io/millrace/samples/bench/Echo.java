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

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Sends back what arrives.
 */
final class Echo
{
    private static final long OFFER_DEADLINE_NS = TimeUnit.SECONDS.toNanos(5);

    private final Node node;
    private long first;
    private long second;

    private Echo(final Node node)
    {
        this.node = node;
    }

    /**
     * Echo until told to end.
     *
     * @param node  to echo on.
     * @param isEnd true at the end.
     */
    static void run(final Node node, final BooleanSupplier isEnd)
    {
        final Node.Handler handler = new Echo(node)::onFragment;
        while (!isEnd.getAsBoolean())
        {
            node.work();
            node.poll(handler);
        }
    }

    private void onFragment(
        final long newFirst, final long newSecond, final int length, final boolean begins, final boolean ends)
    {
        if (begins)
        {
            first = newFirst;
            second = newSecond;
        }
        if (ends && !node.offer(first, second))
        {
            final long deadlineNs = System.nanoTime() + OFFER_DEADLINE_NS;
            do
            {
                if (System.nanoTime() - deadlineNs > 0)
                {
                    throw new IllegalStateException("no room for an echo within 5 s");
                }
                node.progress();
            }
            while (!node.offer(first, second));
        }
    }
}
