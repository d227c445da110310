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

import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import org.agrona.CloseHelper;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Publications that are opened, carry a placed frame and are closed again, with their channel and link, leave nothing.
 */
@Timeout(1200)
class PublicationLeaksTest
{
    private static final int STREAM_ID = 9;
    private static final int PUBLICATIONS = Integer.getInteger("millrace.test.publications", 100);
    private static final int AT_ONCE = Math.max(12, PUBLICATIONS / 50);

    /**
     * Between the least of the first half of a run, its first publications left out, and that of the second: the JVM's
     * compilers and tables take their part. A kilobyte of each of 10 000 publications would be more.
     */
    private static final long NATIVE_BYTES = 8 << 20;

    private record Footprint(long files, long mappings, long nativeBytes, long addresses)
    {
        static Footprint now(final TwoDrivers drivers)
        {
            return new Footprint(
                LogLeaks.openFiles(),
                LogLeaks.mappings(),
                LogLeaks.nativeBytes(),
                sum(drivers.publisher, EfaCounters.ADDRESS_ENTRIES_TYPE_ID) +
                    sum(drivers.subscriber, EfaCounters.ADDRESS_ENTRIES_TYPE_ID));
        }

        static Footprint least(final List<Footprint> list)
        {
            return list.stream().reduce((a, b) -> new Footprint(
                Math.min(a.files, b.files),
                Math.min(a.mappings, b.mappings),
                Math.min(a.nativeBytes, b.nativeBytes),
                Math.min(a.addresses, b.addresses))).orElseThrow();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldLeaveNothingOfManyPublications(final String protocol)
    {
        final String channel = TwoDrivers.endpoint() + "|mtu=8192|term-length=64k";
        final MediaDriver.Context publisherContext = driverContext()
            .publicationLingerTimeoutNs(TimeUnit.MILLISECONDS.toNanos(10));
        final List<Footprint> footprints = new ArrayList<>();
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(publisherContext, efaContext(protocol, 1)),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext(protocol, 1))))
        {
            try (Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID))
            {
                for (int opened = 0; opened < PUBLICATIONS; opened += AT_ONCE)
                {
                    openAndClose(drivers, channel, subscription);
                    footprints.add(Footprint.now(drivers));
                }
            }

            LogLeaks.awaitNone(drivers.publisher, drivers.subscriber);
            assertThat(sum(drivers.subscriber, EfaCounters.FENCED_LOGS_TYPE_ID)).isZero();
            assertThat(sum(drivers.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID))
                .isGreaterThanOrEqualTo(PUBLICATIONS);
        }

        final int half = footprints.size() / 2;
        final Footprint first = Footprint.least(footprints.subList(1, half));
        final Footprint second = Footprint.least(footprints.subList(half, footprints.size()));
        System.out.println(protocol + ", " + PUBLICATIONS + " publications: " + first + " -> " + second);
        assertThat(second.files).isLessThanOrEqualTo(first.files);
        assertThat(second.addresses).isLessThanOrEqualTo(first.addresses);
        assertThat(second.mappings).isLessThanOrEqualTo(first.mappings + AT_ONCE);
        assertThat(second.nativeBytes).isLessThanOrEqualTo(first.nativeBytes + NATIVE_BYTES);
    }

    private static void openAndClose(final TwoDrivers drivers, final String channel, final Subscription subscription)
    {
        final UnsafeBuffer message = new UnsafeBuffer(new byte[8000]);
        final List<Publication> publications = new ArrayList<>();
        for (int i = 0; i < AT_ONCE; i++)
        {
            publications.add(drivers.publisher.addExclusivePublication(channel, STREAM_ID));
        }
        await("offered", () -> AT_ONCE == sum(drivers.subscriber, EfaCounters.IMAGE_OFFERS_TYPE_ID),
            () -> counters(drivers.subscriber) + counters(drivers.publisher));

        final int[] received = new int[1];
        for (final Publication publication : publications)
        {
            await("offer", () -> publication.offer(message) > 0);
        }
        await("received", () ->
        {
            subscription.poll((buffer, offset, length, header) -> received[0]++, 10);
            return AT_ONCE == received[0];
        });
        CloseHelper.closeAll(publications);
        LogLeaks.awaitNoneRegistered(drivers.publisher, drivers.subscriber);
    }
}
