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
import io.aeron.driver.Configuration;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.exceptions.ConfigurationException;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.LibFabric;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

@Timeout(60)
class WaysInTest
{
    private static final int STREAM_ID = 11;

    @Test
    void shouldRunOnRailsWhenInstalledOnStockContext()
    {
        for (int i = 0; i < 3; i++)
        {
            try (TwoDrivers drivers = new TwoDrivers(
                MediaDriver.launch(EfaMediaDriver.install(driverContext(), efaContext("shm", 1))),
                MediaDriver.launch(EfaMediaDriver.install(driverContext(), efaContext("shm", 1)))))
            {
                exchangeOnRails(drivers.publisher, drivers.subscriber);
            }

            assertThat(fabricThreads()).isZero();
            assertThat(sharedMemoryFiles()).isZero();
        }
    }

    @Test
    void shouldRunOnRailsWhenNamedInPropertiesOfStockDriver()
    {
        System.setProperty(
            Configuration.SEND_CHANNEL_ENDPOINT_SUPPLIER_PROP_NAME, EfaSendChannelEndpointSupplier.class.getName());
        System.setProperty(
            Configuration.RECEIVE_CHANNEL_ENDPOINT_SUPPLIER_PROP_NAME,
            EfaReceiveChannelEndpointSupplier.class.getName());
        System.setProperty(EfaConfiguration.PROTOCOL_PROP_NAME, "shm");
        try
        {
            for (int i = 0; i < 3; i++)
            {
                try (TwoDrivers drivers = new TwoDrivers(
                    MediaDriver.launch(driverContext()), MediaDriver.launch(driverContext())))
                {
                    exchangeOnRails(drivers.publisher, drivers.subscriber);
                }

                assertThat(fabricThreads()).isZero();
                assertThat(sharedMemoryFiles()).isZero();
            }
        }
        finally
        {
            System.clearProperty(Configuration.SEND_CHANNEL_ENDPOINT_SUPPLIER_PROP_NAME);
            System.clearProperty(Configuration.RECEIVE_CHANNEL_ENDPOINT_SUPPLIER_PROP_NAME);
            System.clearProperty(EfaConfiguration.PROTOCOL_PROP_NAME);
        }
    }

    @ParameterizedTest
    @EnumSource(value = ThreadingMode.class, names = { "DEDICATED", "SHARED_NETWORK", "SHARED" })
    void shouldRunInThreadingMode(final ThreadingMode mode)
    {
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(context(mode), efaContext("shm", 1)),
            EfaMediaDriver.launchEmbedded(context(mode), efaContext("shm", 1))))
        {
            exchangeOnRails(drivers.publisher, drivers.subscriber);
        }

        assertThat(sharedMemoryFiles()).isZero();
    }

    @Test
    void shouldRunWhenInvoked()
    {
        try (EfaMediaDriver driver =
            EfaMediaDriver.launchEmbedded(context(ThreadingMode.INVOKER), efaContext("shm", 1)))
        {
            final AgentInvoker invoker = driver.mediaDriver().sharedAgentInvoker();
            try (Aeron aeron = Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(driver.aeronDirectoryName())
                .useConductorAgentInvoker(true)
                .driverAgentInvoker(invoker)))
            {
                final String channel = TwoDrivers.endpoint();
                final Subscription subscription = aeron.addSubscription(channel, STREAM_ID);
                final Publication publication = aeron.addPublication(channel, STREAM_ID);
                await("links up", () ->
                {
                    invoker.invoke();
                    aeron.conductorAgentInvoker().invoke();
                    return 2 == sum(aeron, EfaCounters.LINKS_TYPE_ID) && subscription.isConnected();
                });
            }
        }

        assertThat(sharedMemoryFiles()).isZero();
    }

    @Test
    void shouldEndItsAgentWhenClosedByInterruptedThread()
    {
        final MediaDriver driver = MediaDriver.launch(
            EfaMediaDriver.install(context(ThreadingMode.INVOKER), efaContext("shm", 1)));
        try (Aeron aeron = Aeron.connect(new Aeron.Context()
            .aeronDirectoryName(driver.aeronDirectoryName())
            .useConductorAgentInvoker(true)
            .driverAgentInvoker(driver.sharedAgentInvoker())))
        {
            aeron.addSubscription(TwoDrivers.endpoint(), STREAM_ID);
            assertThat(fabricThreads()).as("fabric conductor and watch of shm").isEqualTo(2);
        }

        Thread.currentThread().interrupt();
        driver.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(fabricThreads()).isZero();
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

    private static MediaDriver.Context context(final ThreadingMode mode)
    {
        return driverContext()
            .threadingMode(mode)
            .conductorIdleStrategy(new BackoffIdleStrategy(1, 1, 1_000, 1_000_000))
            .senderIdleStrategy(new BackoffIdleStrategy(1, 1, 1_000, 100_000))
            .receiverIdleStrategy(new BackoffIdleStrategy(1, 1, 1_000, 100_000))
            .sharedNetworkIdleStrategy(new BackoffIdleStrategy(1, 1, 1_000, 100_000));
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

    private static long fabricThreads()
    {
        return Thread.getAllStackTraces().keySet().stream()
            .filter((thread) -> thread.getName().startsWith("aeron-efa"))
            .count();
    }

    private static long sharedMemoryFiles()
    {
        try (Stream<Path> files = Files.list(new File("/dev/shm").toPath()))
        {
            return files
                .filter((path) -> path.getFileName().toString().contains(ProcessHandle.current().pid() + ":"))
                .count();
        }
        catch (final IOException ex)
        {
            throw new IllegalStateException(ex);
        }
    }
}
