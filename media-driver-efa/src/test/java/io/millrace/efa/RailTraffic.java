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
import io.aeron.Publication;
import io.aeron.Subscription;
import org.agrona.concurrent.status.CountersReader;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Channels of tests that have to be on rails.
 */
final class RailTraffic
{
    private RailTraffic()
    {
    }

    static void awaitLink(final TwoDrivers drivers, final Publication publication, final Subscription subscription)
    {
        await("connected", () -> publication.isConnected() && subscription.isConnected());
        final String uri = publication.channel().replaceFirst("[|].*", "");
        await("link", () -> isOnRails(drivers.publisher, uri), () -> counters(drivers.publisher));
    }

    /**
     * Send messages, none of them by UDP, and check that each arrives once and in order.
     */
    static void exchange(
        final TwoDrivers drivers, final Publication publication, final Subscription subscription, final int messages)
    {
        awaitLink(drivers, publication, subscription);
        final long byUdp = sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID);
        Traffic.exchange(publication, subscription, messages);
        assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isEqualTo(byUdp);
    }

    /**
     * Has a driver a peer on rails whose address or channel has this text?
     */
    static boolean isOnRails(final Aeron aeron, final String text)
    {
        final CountersReader counters = aeron.countersReader();
        final boolean[] isOnRails = new boolean[1];
        counters.forEach((id, typeId, key, label) -> isOnRails[0] |=
            EfaCounters.PEER_TRANSPORT_TYPE_ID == typeId && label.contains(text) && 1 == counters.getCounterValue(id));
        return isOnRails[0];
    }

    /**
     * Distinct error log of a driver.
     */
    static String errorText(final Aeron aeron)
    {
        final ByteArrayOutputStream text = new ByteArrayOutputStream();
        aeron.context().saveErrorLog(new PrintStream(text, true, StandardCharsets.UTF_8));
        return text.toString(StandardCharsets.UTF_8);
    }
}
