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
import io.aeron.AeronCounters;
import io.aeron.CncFileDescriptor;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.driver.reports.LossReportReader;
import io.aeron.driver.reports.LossReportUtil;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.millrace.efa.contract.ContractMode;
import org.agrona.BufferUtil;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.errors.ErrorLogReader;
import org.agrona.concurrent.status.CountersReader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.File;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * What drivers on rails leave for Aeron's tools, read as those read it.
 */
@Timeout(150)
class ReportsTest
{
    private static final int STREAM_ID = 91;
    private static final int MESSAGES = 100;

    @TempDir
    private Path directory;

    /**
     * Nothing goes by UDP, so what was lost is missed only when rails that failed are used again.
     */
    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldReportLossOnRails(final String protocol) throws IOException
    {
        final Path weather = directory.resolve("weather.properties");
        Files.writeString(weather, "error.rate=0.01\nerror.statuses=1,8,9,13,15\n");
        final EfaContext lossy = efaContext(protocol, 2)
            .contract(ContractMode.STRICT).contractWeatherFile(weather.toString()).contractSeed(7);
        final String channel = TwoDrivers.endpoint();
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), lossy),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext(protocol, 2)));
            Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
            Publication publication =
                drivers.publisher.addPublication(channel + "|fabric=required", STREAM_ID))
        {
            RailTraffic.awaitLink(drivers, publication, subscription);
            final UnsafeBuffer message = new UnsafeBuffer(new byte[100]);
            final List<String> entries = new ArrayList<>();
            await("loss", () ->
            {
                publication.offer(message);
                subscription.poll((buffer, offset, length, header) -> {}, 10);
                return lossOf(drivers.subscriber, entries);
            }, () -> counters(drivers.publisher) + counters(drivers.subscriber));
            assertThat(entries).hasSize(1);
            assertThat(entries.get(0)).matches(
                publication.sessionId() + " " + STREAM_ID + " \\Q" + channel + "\\E 127.0.0.1:\\d+ lost");
        }
    }

    static boolean lossOf(final Aeron aeron, final List<String> entries)
    {
        entries.clear();
        final MappedByteBuffer report = LossReportUtil.mapLossReportReadOnly(aeron.context().aeronDirectoryName());
        try
        {
            return 0 < LossReportReader.read(new UnsafeBuffer(report),
                (count, bytesLost, firstMs, lastMs, sessionId, streamId, channel, source) ->
                    entries.add(sessionId + " " + streamId + " " + channel + " " + source +
                        (count > 0 && bytesLost > 0 && 0 < firstMs && firstMs <= lastMs ? " lost" : " nothing")));
        }
        finally
        {
            BufferUtil.free(report);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldShowCountersAndErrorsToWhoeverMapsTheCncFile(final String protocol)
    {
        final String channel = TwoDrivers.endpoint();
        try (TwoDrivers drivers = TwoDrivers.onRails(protocol);
            Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
            Subscription ignore = drivers.subscriber.addSubscription("aeron:udp?control-mode=manual", STREAM_ID);
            Publication publication = drivers.publisher.addPublication(channel, STREAM_ID))
        {
            RailTraffic.exchange(drivers, publication, subscription, MESSAGES);
            await("error", () -> RailTraffic.errorText(drivers.subscriber).contains("control-mode=manual"));

            final MappedByteBuffer cnc = IoUtil.mapExistingFile(
                new File(drivers.subscriber.context().aeronDirectoryName(), CncFileDescriptor.CNC_FILE), "cnc file");
            try
            {
                final UnsafeBuffer metaData = CncFileDescriptor.createMetaDataBuffer(cnc);
                CncFileDescriptor.checkVersion(metaData.getInt(CncFileDescriptor.cncVersionOffset(0)));
                assertThat(CncFileDescriptor.pid(metaData)).isEqualTo(ProcessHandle.current().pid());

                final CountersReader counters = new CountersReader(
                    CncFileDescriptor.createCountersMetaDataBuffer(cnc, metaData),
                    CncFileDescriptor.createCountersValuesBuffer(cnc, metaData));
                final int positionId = counters.findByTypeIdAndRegistrationId(
                    AeronCounters.DRIVER_RECEIVER_POS_TYPE_ID, subscription.imageAtIndex(0).correlationId());
                assertThat(counters.getCounterLabel(positionId)).contains("rcv-pos").contains(channel);
                assertThat(counters.getCounterValue(positionId)).isEqualTo(publication.position());
                assertThat(counters.getCounterValue(SystemCounterDescriptor.BYTES_RECEIVED.id()))
                    .isGreaterThan(publication.position());
                await("receiver's link", () -> 1 == EfaCounters.sum(counters, EfaCounters.LINKS_TYPE_ID));
                final List<String> labels = new ArrayList<>();
                counters.forEach((value, id, label) -> labels.add(label));
                assertThat(labels).noneMatch(String::isBlank).anyMatch((label) -> label.startsWith("efa"));

                final List<String> errors = new ArrayList<>();
                ErrorLogReader.read(CncFileDescriptor.createErrorLogBuffer(cnc, metaData),
                    (count, firstMs, lastMs, text) -> errors.add(count + " " + text));
                assertThat(errors).anySatisfy((error) -> assertThat(error)
                    .startsWith("1 ").contains("a multi-destination subscription has no rails"));
            }
            finally
            {
                BufferUtil.free(cnc);
            }
        }
    }

    /**
     * Whether Aeron measures is decided once for a process.
     */
    @Test
    void shouldMeasureRoundTripsOnRails()
    {
        final List<String> protocols = List.of("shm", "tcp");
        final List<DriverProcess> processes = protocols.stream().map((protocol) -> new DriverProcess(
            protocol, "aeron.CubicCongestionControl.measureRtt=true")).toList();
        try
        {
            for (int i = 0; i < protocols.size(); i++)
            {
                measure(protocols.get(i), processes.get(i));
            }
        }
        finally
        {
            processes.forEach(DriverProcess::close);
        }
    }

    private static void measure(final String protocol, final DriverProcess process)
    {
        final String channel = TwoDrivers.endpoint();
        try (EfaMediaDriver driver = EfaMediaDriver.launchEmbedded(driverContext(), efaContext(protocol, 1));
            TwoDrivers publisher = new TwoDrivers(driver, null, false);
            Aeron subscriber = process.connect();
            Subscription ignore = subscriber.addSubscription(channel + "|cc=cubic", STREAM_ID);
            Publication publication =
                publisher.publisher.addPublication(channel + "|fabric=required", STREAM_ID))
        {
            await("link", () -> publication.isConnected() && 1 == sum(subscriber, EfaCounters.LINKS_TYPE_ID));
            await("round trip", () -> rttNs(subscriber) > 0, () -> counters(subscriber));
            final long messages = sum(subscriber, EfaCounters.RAIL_MESSAGES_RECEIVED_TYPE_ID);
            final long first = rttNs(subscriber);
            await("another one", () -> rttNs(subscriber) != first, () -> counters(subscriber));
            assertThat(sum(subscriber, EfaCounters.RAIL_MESSAGES_RECEIVED_TYPE_ID)).isGreaterThan(messages);
        }
    }

    private static long rttNs(final Aeron aeron)
    {
        final CountersReader counters = aeron.countersReader();
        final long[] rttNs = new long[1];
        counters.forEach((id, typeId, key, label) -> rttNs[0] +=
            label.startsWith("rcv-cc-cubic-rtt") ? counters.getCounterValue(id) : 0);
        return rttNs[0];
    }
}
