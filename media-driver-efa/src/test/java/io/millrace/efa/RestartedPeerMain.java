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
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

/**
 * A driver with a subscription that says when it is there and when messages reach it on rails. It is killed.
 */
final class RestartedPeerMain
{
    private static final int MESSAGES_ON_RAILS = 20;

    private RestartedPeerMain()
    {
    }

    public static void main(final String[] args)
    {
        final String channel = args[1];
        final int streamId = Integer.parseInt(args[2]);
        final long[] received = new long[1];
        try (EfaMediaDriver driver = EfaMediaDriver.launchEmbedded(
            TwoDrivers.driverContext().aeronDirectoryName(args[3]), TwoDrivers.efaContext(args[0], 1));
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
            Subscription subscription = aeron.addSubscription(channel, streamId))
        {
            System.out.println("SUBSCRIBED");
            final IdleStrategy idle = new BackoffIdleStrategy(1, 1, 1_000, 1_000_000);
            boolean isTold = false;
            while (true)
            {
                idle.idle(subscription.poll((buffer, offset, length, header) -> received[0]++, 10));
                if (!isTold && received[0] > MESSAGES_ON_RAILS &&
                    1 == TwoDrivers.sum(aeron, EfaCounters.LINKS_TYPE_ID) &&
                    TwoDrivers.sum(aeron, EfaCounters.RAIL_MESSAGES_RECEIVED_TYPE_ID) > MESSAGES_ON_RAILS)
                {
                    isTold = true;
                    System.out.println("RECEIVED");
                }
            }
        }
    }
}
