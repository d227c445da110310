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
import io.millrace.codecs.market.QuoteDecoder;
import io.millrace.codecs.market.QuoteEncoder;
import io.millrace.codecs.market.TradeDecoder;
import io.millrace.codecs.market.TradeEncoder;

/**
 * Feed of one consumer. What it cannot take yet waits here, the latest quote of each instrument and its trades added
 * up, so that a slow consumer gets fewer messages and not older ones, and holds up nobody else.
 */
final class Conflater
{
    private static final int KINDS = 2;
    private static final int QUOTE = 0;
    private static final int TRADE = 1;

    private final QuoteEncoder quote = new QuoteEncoder();
    private final TradeEncoder trade = new TradeEncoder();
    private final Outlet outlet;
    private final long[] scheduledNs;
    private final long[] bids;
    private final long[] asks;
    private final long[] bidSizes;
    private final int[] askSizes;
    private final boolean[] isWaiting;
    // A ring of slots in the order in which they began to wait. Each is in it once at most.
    private final int[] waiting;
    private int head;
    private int count;
    private long sequence;
    private long conflated;

    Conflater(final Outlet outlet, final int instruments)
    {
        this.outlet = outlet;
        final int slots = instruments * KINDS;
        scheduledNs = new long[slots];
        bids = new long[slots];
        asks = new long[slots];
        bidSizes = new long[slots];
        askSizes = new int[slots];
        isWaiting = new boolean[slots];
        waiting = new int[slots];
    }

    void onQuote(final QuoteDecoder update, final long tick)
    {
        final int slot = KINDS * update.instrument() + QUOTE;
        bids[slot] = update.bid() * tick;
        asks[slot] = update.ask() * tick;
        bidSizes[slot] = update.bidSize();
        askSizes[slot] = update.askSize();
        await(slot, update.scheduledNs());
    }

    void onTrade(final TradeDecoder update, final long tick)
    {
        final int slot = KINDS * update.instrument() + TRADE;
        bids[slot] = update.price() * tick;
        bidSizes[slot] = (isWaiting[slot] ? bidSizes[slot] : 0) + update.size();
        await(slot, update.scheduledNs());
    }

    private void await(final int slot, final long updateNs)
    {
        scheduledNs[slot] = updateNs;
        if (isWaiting[slot])
        {
            conflated++;
            return;
        }
        isWaiting[slot] = true;
        waiting[(head + count++) % waiting.length] = slot;
    }

    /**
     * Send what waits, as far as there is room.
     *
     * @return messages sent.
     */
    int drain()
    {
        int sent = 0;
        while (count > 0)
        {
            final int slot = waiting[head];
            if (!outlet.offer(encode(slot)))
            {
                return sent;
            }
            isWaiting[slot] = false;
            head = (head + 1) % waiting.length;
            count--;
            sequence++;
            sent++;
        }
        return sent;
    }

    private int encode(final int slot)
    {
        final int instrument = slot / KINDS;
        if (TRADE == slot % KINDS)
        {
            trade.wrapAndApplyHeader(outlet.buffer(), 0, outlet.header()).sequence(sequence)
                .scheduledNs(scheduledNs[slot]).instrument(instrument)
                .size((int)Math.min(Integer.MAX_VALUE, bidSizes[slot])).price(bids[slot]);
            return MessageHeaderEncoder.ENCODED_LENGTH + trade.encodedLength();
        }
        quote.wrapAndApplyHeader(outlet.buffer(), 0, outlet.header()).sequence(sequence)
            .scheduledNs(scheduledNs[slot]).instrument(instrument)
            .bidSize((int)bidSizes[slot]).askSize(askSizes[slot]).bid(bids[slot]).ask(asks[slot]);
        return MessageHeaderEncoder.ENCODED_LENGTH + quote.encodedLength();
    }

    boolean isEmpty()
    {
        return 0 == count;
    }

    long conflated()
    {
        return conflated;
    }

    void sendEnd(final long endNs, final StageNode node)
    {
        // A slow consumer may need long for all of it: what is bounded is the time without progress.
        while (!isEmpty())
        {
            node.await("room for what waits", () -> drain() > 0);
        }
        outlet.sendEnd(0, sequence, endNs, node);
    }
}
