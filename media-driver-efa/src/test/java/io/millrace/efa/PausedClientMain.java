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
package io.millrace.efa;

import io.aeron.Aeron;
import io.aeron.Subscription;
import io.aeron.logbuffer.FragmentHandler;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

/**
 * A client in a process of its own, which can be stopped. It ends with an error when numbered messages have a gap.
 */
final class PausedClientMain
{
    private PausedClientMain()
    {
    }

    public static void main(final String[] args)
    {
        final long[] received = new long[1];
        final FragmentHandler handler = (buffer, offset, length, header) ->
        {
            if (received[0]++ != buffer.getLong(offset))
            {
                System.exit(1);
            }
        };
        try (Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(args[0]).driverTimeoutMs(60_000));
            Subscription subscription = aeron.addSubscription(args[1], Integer.parseInt(args[2])))
        {
            final IdleStrategy idle = new BackoffIdleStrategy(1, 1, 1_000, 1_000_000);
            while (!aeron.isClosed())
            {
                idle.idle(subscription.poll(handler, 10));
            }
        }
    }
}
