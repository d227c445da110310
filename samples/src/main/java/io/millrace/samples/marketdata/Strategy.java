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

import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.Header;
import io.millrace.codecs.market.EndOfStreamDecoder;
import io.millrace.codecs.market.MessageHeaderDecoder;
import io.millrace.codecs.market.MessageHeaderEncoder;
import io.millrace.codecs.market.OrderEncoder;
import io.millrace.codecs.market.QuoteDecoder;
import io.millrace.codecs.market.Side;
import io.millrace.codecs.market.TradeDecoder;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * Third stage. Its orders depend on the messages of its feed and on nothing else, neither time nor chance: the same
 * feed, live or from the archive, gives the same bytes.
 */
final class Strategy implements FragmentHandler
{
    /**
     * Takes an order.
     */
    interface OrderSink
    {
        void onOrder(int length);
    }

    private static final int RISES = 2;
    private static final int WIDE_TICKS = 6;
    private static final int ORDER_SIZE = 10;

    private final MessageHeaderDecoder header = new MessageHeaderDecoder();
    private final QuoteDecoder quote = new QuoteDecoder();
    private final TradeDecoder trade = new TradeDecoder();
    private final EndOfStreamDecoder end = new EndOfStreamDecoder();
    private final OrderEncoder order = new OrderEncoder();
    private final MessageHeaderEncoder orderHeader = new MessageHeaderEncoder();
    private final MutableDirectBuffer orderBuffer;
    private final OrderSink sink;
    private final int number;
    private final Hop hop = new Hop(1);
    private final long[] lastPrices = new long[Publisher.INSTRUMENTS];
    private final int[] rises = new int[Publisher.INSTRUMENTS];
    private long orders;
    private long endNs;
    private boolean hasEnded;

    /**
     * Create one.
     *
     * @param number      0 follows trades that rise, 1 quotes inside wide spreads.
     * @param orderBuffer that orders are encoded into.
     * @param sink        that takes them.
     */
    Strategy(final int number, final MutableDirectBuffer orderBuffer, final OrderSink sink)
    {
        this.number = number;
        this.orderBuffer = orderBuffer;
        this.sink = sink;
    }

    /**
     * {@inheritDoc}
     */
    public void onFragment(final DirectBuffer buffer, final int offset, final int length, final Header frame)
    {
        switch (header.wrap(buffer, offset).templateId())
        {
            case QuoteDecoder.TEMPLATE_ID:
                quote.wrapAndApplyHeader(buffer, offset, header);
                hop.onMessage(0, quote.sequence(), quote.scheduledNs());
                if (1 == number)
                {
                    onQuote();
                }
                break;

            case TradeDecoder.TEMPLATE_ID:
                trade.wrapAndApplyHeader(buffer, offset, header);
                hop.onMessage(0, trade.sequence(), trade.scheduledNs());
                if (0 == number)
                {
                    onTrade();
                }
                break;

            default:
                endNs = end.wrapAndApplyHeader(buffer, offset, header).scheduledNs();
                hop.onEnd(0, end.sequence());
                hasEnded = true;
                break;
        }
    }

    private void onTrade()
    {
        final int instrument = trade.instrument();
        final long price = trade.price();
        rises[instrument] = price > lastPrices[instrument] ? rises[instrument] + 1 : 0;
        lastPrices[instrument] = price;
        if (rises[instrument] >= RISES)
        {
            rises[instrument] = 0;
            send(trade.sequence(), trade.scheduledNs(), instrument, Side.BUY, price);
        }
    }

    private void onQuote()
    {
        final int instrument = quote.instrument();
        final long spread = quote.ask() - quote.bid();
        final long narrowest = 0 == lastPrices[instrument] ? spread : Math.min(spread, lastPrices[instrument]);
        lastPrices[instrument] = narrowest;
        // The narrowest spread seen is two ticks or little more.
        if (2 * spread >= WIDE_TICKS * narrowest)
        {
            send(quote.sequence(), quote.scheduledNs(), instrument,
                quote.bidSize() > quote.askSize() ? Side.BUY : Side.SELL, quote.bid() + spread / 2);
        }
    }

    private void send(
        final long causeSequence, final long scheduledNs, final int instrument, final Side side, final long price)
    {
        order.wrapAndApplyHeader(orderBuffer, 0, orderHeader).sequence(orders++).scheduledNs(scheduledNs)
            .causeSequence(causeSequence).instrument(instrument).size(ORDER_SIZE).price(price)
            .strategy((short)number).side(side);
        sink.onOrder(MessageHeaderEncoder.ENCODED_LENGTH + order.encodedLength());
    }

    boolean hasEnded()
    {
        return hasEnded;
    }

    long endNs()
    {
        return endNs;
    }

    long orders()
    {
        return orders;
    }

    Hop hop()
    {
        return hop;
    }
}
