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

import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.logbuffer.FragmentHandler;
import io.millrace.codecs.market.EndOfStreamDecoder;
import io.millrace.codecs.market.MessageHeaderDecoder;
import io.millrace.codecs.market.QuoteDecoder;
import io.millrace.codecs.market.TradeDecoder;

import java.util.ArrayList;
import java.util.List;

/**
 * Second stage: prices in ticks become prices, and each strategy gets a feed of its own.
 */
final class Normaliser
{
    private static final int FRAGMENT_LIMIT = 32;
    // Ticks differ by instrument, in units of 1e-4.
    private static final long[] TICKS = { 1, 5, 25, 100 };

    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final QuoteDecoder quote = new QuoteDecoder();
    private final TradeDecoder trade = new TradeDecoder();
    private final EndOfStreamDecoder end = new EndOfStreamDecoder();
    private final Hop hop = new Hop(1);
    private final List<Conflater> feeds = new ArrayList<>();
    private boolean hasEnded;
    private long endNs;

    void run(final StageNode node, final Subscription raw, final Publication... outputs)
    {
        for (final Publication output : outputs)
        {
            feeds.add(new Conflater(new Outlet(output), Publisher.INSTRUMENTS));
        }
        final FragmentHandler handler = (buffer, offset, length, frame) ->
        {
            switch (header.wrap(buffer, offset).templateId())
            {
                case QuoteDecoder.TEMPLATE_ID:
                    quote.wrapAndApplyHeader(buffer, offset, header);
                    hop.onMessage(0, quote.sequence(), quote.scheduledNs());
                    feeds.forEach((feed) -> feed.onQuote(quote, tick(quote.instrument())));
                    break;

                case TradeDecoder.TEMPLATE_ID:
                    trade.wrapAndApplyHeader(buffer, offset, header);
                    hop.onMessage(0, trade.sequence(), trade.scheduledNs());
                    feeds.forEach((feed) -> feed.onTrade(trade, tick(trade.instrument())));
                    break;

                default:
                    endNs = end.wrapAndApplyHeader(buffer, offset, header).scheduledNs();
                    hop.onEnd(0, end.sequence());
                    hasEnded = true;
                    break;
            }
        };
        while (!hasEnded)
        {
            int work = raw.poll(handler, FRAGMENT_LIMIT);
            for (final Conflater feed : feeds)
            {
                work += feed.drain();
            }
            node.idle().idle(work);
        }
        feeds.forEach((feed) -> feed.sendEnd(endNs, node));
    }

    private static long tick(final int instrument)
    {
        return TICKS[instrument % TICKS.length];
    }

    Hop hop()
    {
        return hop;
    }

    long[] conflated()
    {
        return feeds.stream().mapToLong(Conflater::conflated).toArray();
    }
}
