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

import io.millrace.codecs.market.MessageHeaderEncoder;
import io.millrace.codecs.market.QuoteEncoder;
import io.millrace.codecs.market.TradeEncoder;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * First stage: quotes and trades of 1 000 instruments, each due at its time whether or not the one before it has left.
 */
final class Publisher
{
    static final int INSTRUMENTS = 1000;

    private static final int TRADE_ONE_IN = 8;
    private static final int FIRST_PRICE = 10_000;

    private final Random random = new Random(42);
    private final QuoteEncoder quote = new QuoteEncoder();
    private final TradeEncoder trade = new TradeEncoder();
    private final long[] prices = new long[INSTRUMENTS];
    private final StageNode node;
    private final Outlet outlet;
    private final long rate;
    private long startNs = System.nanoTime();
    private long scheduledNs;
    private long sequence;

    /**
     * Create one, whose first message is due now.
     *
     * @param rate messages a second; 0 for as fast as it goes, where each is due when it is sent.
     */
    Publisher(final StageNode node, final Outlet outlet, final long rate)
    {
        this.node = node;
        this.outlet = outlet;
        this.rate = rate;
        Arrays.fill(prices, FIRST_PRICE);
    }

    void publish(final long messages)
    {
        final double intervalNs = 0 == rate ? 0 : (double)TimeUnit.SECONDS.toNanos(1) / rate;
        for (final long end = sequence + messages; sequence < end; sequence++)
        {
            scheduledNs = 0 == rate ? System.nanoTime() : startNs + (long)(sequence * intervalNs);
            while (System.nanoTime() - scheduledNs < 0)
            {
                node.idle().idle();
            }
            node.idle().reset();
            outlet.send(encode(), node);
        }
    }

    /**
     * All that follows is due so much later.
     */
    void delay(final long nanos)
    {
        startNs += nanos;
    }

    void sendEnd()
    {
        outlet.sendEnd(0, sequence, scheduledNs, node);
    }

    private int encode()
    {
        final int instrument = random.nextInt(INSTRUMENTS);
        prices[instrument] = Math.max(1, prices[instrument] + random.nextInt(3) - 1);
        if (0 == random.nextInt(TRADE_ONE_IN))
        {
            trade.wrapAndApplyHeader(outlet.buffer(), 0, outlet.header())
                .sequence(sequence).scheduledNs(scheduledNs).instrument(instrument)
                .size(1 + random.nextInt(100)).price(prices[instrument]);
            return MessageHeaderEncoder.ENCODED_LENGTH + trade.encodedLength();
        }
        quote.wrapAndApplyHeader(outlet.buffer(), 0, outlet.header())
            .sequence(sequence).scheduledNs(scheduledNs).instrument(instrument)
            .bidSize(1 + random.nextInt(100)).askSize(1 + random.nextInt(100))
            .bid(prices[instrument] - 1 - random.nextInt(3)).ask(prices[instrument] + 1 + random.nextInt(3));
        return MessageHeaderEncoder.ENCODED_LENGTH + quote.encodedLength();
    }
}
