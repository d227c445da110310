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
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.exceptions.ConfigurationException;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.LibFabric;
import io.millrace.efa.link.FabricDriver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.StreamHandler;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

@Timeout(150)
class WaysInTest
{
    private static final int STREAM_ID = 11;

    @Test
    void shouldLinkDriversWhoseSuppliersAreNamedInProperties()
    {
        try (TwoDrivers drivers = new TwoDrivers(
            ThreadingModesTest.launchNamed(driverContext(), "shm"),
            ThreadingModesTest.launchNamed(driverContext(), "shm")))
        {
            exchangeOnRails(drivers.publisher, drivers.subscriber);
        }
    }

    @Test
    void shouldTellOfAnUnknownPropertyOnceForBothSuppliers()
    {
        final Logger logger = Logger.getLogger(FabricDriver.class.getName());
        final List<String> warnings = new CopyOnWriteArrayList<>();
        final Handler handler = new StreamHandler()
        {
            @Override
            public void publish(final LogRecord logRecord)
            {
                warnings.add(logRecord.getMessage());
            }
        };
        System.setProperty("millrace.efa.rail.slot", "32");
        logger.addHandler(handler);
        try (TwoDrivers drivers =
            new TwoDrivers(ThreadingModesTest.launchNamed(driverContext(), "udp"), null))
        {
            drivers.publisher.addSubscription(TwoDrivers.endpoint(), STREAM_ID);
            assertThat(sum(drivers.publisher, EfaCounters.START_WARNINGS_TYPE_ID)).isPositive();
            assertThat(warnings.stream().filter((warning) -> warning.contains("rail.slot "))).hasSize(1);
        }
        finally
        {
            logger.removeHandler(handler);
            System.clearProperty("millrace.efa.rail.slot");
        }
    }

    @Test
    void shouldEndItsAgentWhenClosedByInterruptedThread()
    {
        final MediaDriver driver = MediaDriver.launch(
            EfaMediaDriver.install(ThreadingModesTest.context(ThreadingMode.INVOKER), efaContext("shm", 1)));
        try (Aeron aeron = Aeron.connect(new Aeron.Context()
            .aeronDirectoryName(driver.aeronDirectoryName())
            .useConductorAgentInvoker(true)
            .driverAgentInvoker(driver.sharedAgentInvoker())))
        {
            aeron.addSubscription(TwoDrivers.endpoint(), STREAM_ID);
            assertThat(ThreadingModesTest.fabricThreads()).as("fabric conductor and watch of shm").isEqualTo(2);
        }

        Thread.currentThread().interrupt();
        driver.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(ThreadingModesTest.fabricThreads()).isZero();
    }

    @Test
    void shouldRefuseNamedProtocolThatIsAbsentInEveryWayIn()
    {
        final Map<String, Runnable> waysIn = Map.of(
            "launch", () -> EfaMediaDriver.launch(driverContext(), efaContext("efa", 1)).close(),
            "install", () -> EfaMediaDriver.install(driverContext(), efaContext("efa", 1)),
            "suppliers", EfaSendChannelEndpointSupplier::new);
        assumeThat(LibFabric.load().nics(FabricProvider.EFA)).isEmpty();
        System.setProperty(EfaConfiguration.PROTOCOL_PROP_NAME, "efa");
        try
        {
            waysIn.forEach((name, way) -> assertThatThrownBy(way::run).as(name)
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("'efa' is named but"));
        }
        finally
        {
            System.clearProperty(EfaConfiguration.PROTOCOL_PROP_NAME);
        }
    }

    @Test
    void shouldNotPairSuppliersOfDifferentDrivers()
    {
        System.setProperty(EfaConfiguration.PROTOCOL_PROP_NAME, "shm");
        try
        {
            final EfaSendChannelEndpointSupplier sendSupplier = new EfaSendChannelEndpointSupplier();
            final EfaReceiveChannelEndpointSupplier receiveSupplier = new EfaReceiveChannelEndpointSupplier();
            try (TwoDrivers drivers = new TwoDrivers(
                MediaDriver.launch(driverContext().sendChannelEndpointSupplier(sendSupplier)),
                MediaDriver.launch(driverContext().receiveChannelEndpointSupplier(receiveSupplier))))
            {
                exchangeOnRails(drivers.publisher, drivers.subscriber);
            }
        }
        finally
        {
            System.clearProperty(EfaConfiguration.PROTOCOL_PROP_NAME);
        }
    }

    @Test
    void shouldLaunchManyDriversInOneProcess()
    {
        try (TwoDrivers one = TwoDrivers.onRails("shm"); TwoDrivers other = TwoDrivers.onRails("tcp"))
        {
            exchangeOnRails(one.publisher, one.subscriber);
            exchangeOnRails(other.publisher, other.subscriber);
        }
    }

    private static void exchangeOnRails(final Aeron publisher, final Aeron subscriber)
    {
        final String channel = TwoDrivers.endpoint();
        try (Subscription subscription = subscriber.addSubscription(channel, STREAM_ID);
            Publication publication = publisher.addPublication(channel, STREAM_ID))
        {
            await("links up", () -> 1 == sum(publisher, EfaCounters.LINKS_TYPE_ID) &&
                1 == sum(subscriber, EfaCounters.LINKS_TYPE_ID));
            Traffic.exchange(publication, subscription, 300);
            assertThat(sum(publisher, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isGreaterThanOrEqualTo(300);
            assertThat(sum(publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isZero();
        }

        await("links down", () -> 0 == sum(publisher, EfaCounters.LINKS_TYPE_ID));
    }
}
