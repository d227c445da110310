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
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Each way in, in each threading mode: it starts, carries, closes and starts again in one JVM, and leaves nothing.
 */
@Timeout(150)
class ThreadingModesTest
{
    private static final int STREAM_ID = 71;
    private static final int MESSAGES = 50;

    enum WayIn
    {
        LAUNCH, INSTALL, SUPPLIERS
    }

    static Stream<Arguments> waysIn()
    {
        return Stream.of(WayIn.values()).flatMap((way) -> Stream.of(ThreadingMode.values()).flatMap((mode) ->
            Stream.of("shm", "tcp").map((protocol) -> Arguments.of(way, mode, protocol))));
    }

    @ParameterizedTest
    @MethodSource("waysIn")
    void shouldStartCarryAndCloseTwice(final WayIn way, final ThreadingMode mode, final String protocol)
        throws Exception
    {
        for (int i = 0; i < 2; i++)
        {
            try (AutoCloseable driver = launch(way, context(mode), protocol))
            {
                exchange(driver instanceof final EfaMediaDriver efa ? efa.mediaDriver() : (MediaDriver)driver, mode);
                assertThat(fabricThreads()).as("one fabric conductor, and a watch of shm")
                    .isEqualTo("shm".equals(protocol) ? 2 : 1);
            }

            assertThat(fabricThreads()).isZero();
            assertThat(sharedMemoryFiles()).isZero();
        }
    }

    private static AutoCloseable launch(final WayIn way, final MediaDriver.Context context, final String protocol)
    {
        return switch (way)
        {
            case LAUNCH -> EfaMediaDriver.launch(context, efaContext(protocol, 1));
            case INSTALL -> MediaDriver.launch(EfaMediaDriver.install(context, efaContext(protocol, 1)));
            case SUPPLIERS -> launchNamed(context, protocol);
        };
    }

    /**
     * Launch a stock driver with our suppliers named in properties.
     */
    static MediaDriver launchNamed(final MediaDriver.Context context, final String protocol)
    {
        System.setProperty(
            Configuration.SEND_CHANNEL_ENDPOINT_SUPPLIER_PROP_NAME, EfaSendChannelEndpointSupplier.class.getName());
        System.setProperty(
            Configuration.RECEIVE_CHANNEL_ENDPOINT_SUPPLIER_PROP_NAME,
            EfaReceiveChannelEndpointSupplier.class.getName());
        System.setProperty(EfaConfiguration.PROTOCOL_PROP_NAME, protocol);
        try
        {
            return MediaDriver.launch(context);
        }
        finally
        {
            System.clearProperty(Configuration.SEND_CHANNEL_ENDPOINT_SUPPLIER_PROP_NAME);
            System.clearProperty(Configuration.RECEIVE_CHANNEL_ENDPOINT_SUPPLIER_PROP_NAME);
            System.clearProperty(EfaConfiguration.PROTOCOL_PROP_NAME);
        }
    }

    static MediaDriver.Context context(final ThreadingMode mode)
    {
        return driverContext()
            .threadingMode(mode)
            .conductorIdleStrategy(new BackoffIdleStrategy(1, 1, 1_000, 1_000_000))
            .senderIdleStrategy(new BackoffIdleStrategy(1, 1, 1_000, 100_000))
            .receiverIdleStrategy(new BackoffIdleStrategy(1, 1, 1_000, 100_000))
            .sharedNetworkIdleStrategy(new BackoffIdleStrategy(1, 1, 1_000, 100_000));
    }

    private static void exchange(final MediaDriver driver, final ThreadingMode mode)
    {
        final boolean isInvoked = ThreadingMode.INVOKER == mode;
        final AgentInvoker invoker = driver.sharedAgentInvoker();
        final String channel = TwoDrivers.endpoint();
        try (Aeron aeron = Aeron.connect(new Aeron.Context()
            .aeronDirectoryName(driver.aeronDirectoryName())
            .useConductorAgentInvoker(isInvoked)
            .driverAgentInvoker(invoker));
            Subscription subscription = aeron.addSubscription(channel, STREAM_ID);
            Publication publication = aeron.addPublication(channel, STREAM_ID))
        {
            final Runnable duty = () ->
            {
                if (isInvoked)
                {
                    invoker.invoke();
                    aeron.conductorAgentInvoker().invoke();
                }
            };
            await("links of both sides", () ->
            {
                duty.run();
                return 2 == sum(aeron, EfaCounters.LINKS_TYPE_ID) &&
                    subscription.isConnected() && publication.isConnected();
            }, () -> counters(aeron));

            final long byUdp = sum(aeron, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID);
            final UnsafeBuffer message = new UnsafeBuffer(new byte[100]);
            final int[] counts = new int[2];
            await("received", () ->
            {
                duty.run();
                counts[0] += counts[0] < MESSAGES && publication.offer(message) > 0 ? 1 : 0;
                counts[1] += subscription.poll((buffer, offset, length, header) -> {}, 10);
                return MESSAGES == counts[1];
            }, () -> counts[1] + counters(aeron));
            assertThat(sum(aeron, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isEqualTo(byUdp);
        }
    }

    static long fabricThreads()
    {
        return Thread.getAllStackTraces().keySet().stream()
            .filter((thread) -> thread.getName().startsWith("aeron-efa"))
            .count();
    }

    static long sharedMemoryFiles()
    {
        try (Stream<Path> files = Files.list(new File("/dev/shm").toPath()))
        {
            return files
                .filter((path) -> path.getFileName().toString().contains(ProcessHandle.current().pid() + ":"))
                .count();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }
}
