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

import io.aeron.Subscription;
import io.aeron.logbuffer.FragmentHandler;
import io.millrace.codecs.market.EndOfStreamDecoder;
import io.millrace.codecs.market.MessageHeaderDecoder;
import io.millrace.codecs.market.OrderDecoder;

/**
 * Last stage: takes the orders of all strategies, where a real one would send them to a venue.
 */
final class Gateway
{
    private static final int FRAGMENT_LIMIT = 32;

    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final OrderDecoder order = new OrderDecoder();
    private final EndOfStreamDecoder end = new EndOfStreamDecoder();
    private final Hop hop = new Hop(StageOrders.STRATEGIES);
    private final OrderDigest[] digests = new OrderDigest[StageOrders.STRATEGIES];
    private int ended;

    Gateway()
    {
        for (int i = 0; i < digests.length; i++)
        {
            digests[i] = new OrderDigest();
        }
    }

    void run(final StageNode node, final Subscription orders)
    {
        final FragmentHandler handler = (buffer, offset, length, frame) ->
        {
            if (OrderDecoder.TEMPLATE_ID != header.wrap(buffer, offset).templateId())
            {
                end.wrapAndApplyHeader(buffer, offset, header);
                hop.onEnd(end.stream(), end.sequence());
                ended++;
                return;
            }
            order.wrapAndApplyHeader(buffer, offset, header);
            hop.onMessage(order.strategy(), order.sequence(), order.scheduledNs());
            digests[order.strategy()].add(buffer, offset, length);
        };
        while (ended < StageOrders.STRATEGIES)
        {
            node.idle().idle(orders.poll(handler, FRAGMENT_LIMIT));
        }
    }

    Hop hop()
    {
        return hop;
    }

    OrderDigest[] digests()
    {
        return digests;
    }
}
