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
import io.millrace.codecs.market.MessageHeaderDecoder;
import io.millrace.codecs.market.MessageHeaderEncoder;
import io.millrace.codecs.market.QuoteDecoder;
import io.millrace.codecs.market.QuoteEncoder;
import io.millrace.codecs.market.TradeDecoder;
import io.millrace.codecs.market.TradeEncoder;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import java.util.ArrayList;
import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.ArgumentMatchers.eq;

/**
 * What a slow consumer gets.
 */
class ConflaterTest
{
    private final UnsafeBuffer in = new UnsafeBuffer(new byte[128]);
    private final MessageHeaderEncoder headerOut = new MessageHeaderEncoder();
    private final MessageHeaderDecoder headerIn = new MessageHeaderDecoder();
    private final QuoteEncoder quoteOut = new QuoteEncoder();
    private final QuoteDecoder quote = new QuoteDecoder();
    private final TradeEncoder tradeOut = new TradeEncoder();
    private final TradeDecoder trade = new TradeDecoder();
    private final List<String> sent = new ArrayList<>();
    private final Publication publication = Mockito.mock(Publication.class);
    private final Conflater conflater = new Conflater(new Outlet(publication), 4);
    private boolean hasRoom = true;

    ConflaterTest()
    {
        Mockito.when(publication.offer(any(DirectBuffer.class), eq(0), anyInt())).thenAnswer((call) ->
        {
            if (hasRoom)
            {
                sent.add(text(call.getArgument(0)));
            }
            return hasRoom ? 64L : Publication.BACK_PRESSURED;
        });
    }

    private String text(final DirectBuffer buffer)
    {
        if (QuoteDecoder.TEMPLATE_ID == headerIn.wrap(buffer, 0).templateId())
        {
            quote.wrapAndApplyHeader(buffer, 0, headerIn);
            return quote.sequence() + ": quote " + quote.instrument() + " " + quote.bid() + "/" + quote.ask() + " at " +
                quote.scheduledNs();
        }
        trade.wrapAndApplyHeader(buffer, 0, headerIn);
        return trade.sequence() + ": trade " + trade.instrument() + " " + trade.size() + "x" + trade.price() + " at " +
            trade.scheduledNs();
    }

    private void quote(final int instrument, final long bid, final long ask, final long scheduledNs)
    {
        quoteOut.wrapAndApplyHeader(in, 0, headerOut).instrument(instrument).bid(bid).ask(ask).scheduledNs(scheduledNs);
        conflater.onQuote(quote.wrapAndApplyHeader(in, 0, headerIn), 5);
    }

    private void trade(final int instrument, final int size, final long price, final long scheduledNs)
    {
        tradeOut.wrapAndApplyHeader(in, 0, headerOut).instrument(instrument).size(size).price(price)
            .scheduledNs(scheduledNs);
        conflater.onTrade(trade.wrapAndApplyHeader(in, 0, headerIn), 5);
    }

    @Test
    void aFastConsumerGetsEverythingInOrder()
    {
        quote(1, 10, 12, 100);
        assertThat(conflater.drain()).isEqualTo(1);
        quote(1, 11, 12, 200);
        trade(2, 7, 20, 300);
        assertThat(conflater.drain()).isEqualTo(2);
        assertThat(sent).containsExactly(
            "0: quote 1 50/60 at 100", "1: quote 1 55/60 at 200", "2: trade 2 7x100 at 300");
        assertThat(conflater.conflated()).isZero();
    }

    @Test
    void aSlowConsumerGetsTheLatestQuoteAndAllThatWasTraded()
    {
        hasRoom = false;
        quote(3, 10, 12, 100);
        trade(3, 7, 11, 200);
        quote(1, 20, 22, 300);
        assertThat(conflater.drain()).isZero();
        quote(3, 13, 15, 400);
        trade(3, 5, 14, 500);
        hasRoom = true;
        assertThat(conflater.drain()).isEqualTo(3);
        assertThat(sent).containsExactly(
            "0: quote 3 65/75 at 400", "1: trade 3 12x70 at 500", "2: quote 1 100/110 at 300");
        assertThat(conflater.conflated()).isEqualTo(2);
        assertThat(conflater.isEmpty()).isTrue();

        trade(3, 1, 14, 600);
        conflater.drain();
        assertThat(sent).last().isEqualTo("3: trade 3 1x70 at 600");
    }
}
