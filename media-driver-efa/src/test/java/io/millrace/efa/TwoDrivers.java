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
import io.aeron.CommonContext;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.millrace.efa.contract.ContractMode;
import org.agrona.CloseHelper;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.status.CountersReader;

import java.net.DatagramSocket;
import java.net.SocketException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Two media drivers of one test, each with a client: one to publish, one to subscribe.
 */
final class TwoDrivers implements AutoCloseable
{
    static final long DEADLINE_NS = TimeUnit.SECONDS.toNanos(60);
    private static final int PORT_TRIES = 100;
    private static final int FIRST_PORT = 10_000;
    // Of Linux, unless it is told otherwise.
    private static final int FIRST_EPHEMERAL_PORT = 32_768;
    private static final String STRICT = " strict";
    private static final String WEATHER =
        TwoDrivers.class.getResource("/io/millrace/efa/breeze.properties").getPath();

    final Aeron publisher;
    final Aeron subscriber;
    final AutoCloseable publisherDriver;
    final AutoCloseable subscriberDriver;
    private final boolean ownsDrivers;
    private final List<Throwable> errors = new ArrayList<>();

    TwoDrivers(final AutoCloseable publisherDriver, final AutoCloseable subscriberDriver)
    {
        this(publisherDriver, subscriberDriver, true);
    }

    TwoDrivers(final AutoCloseable publisherDriver, final AutoCloseable subscriberDriver, final boolean ownsDrivers)
    {
        this.publisherDriver = publisherDriver;
        this.subscriberDriver = subscriberDriver;
        this.ownsDrivers = ownsDrivers;
        this.publisher = connect(publisherDriver);
        this.subscriber = connect(subscriberDriver);
    }

    static TwoDrivers onRails(final String protocol)
    {
        return onRails(protocol, 1);
    }

    /**
     * With one rail the agents share it where they do, with several the publisher's have rails of their own.
     */
    static TwoDrivers onRails(final String protocol, final int rails)
    {
        return new TwoDrivers(
            EfaMediaDriver.launchEmbedded(
                1 == rails ? driverContext() : ThreadingModesTest.context(ThreadingMode.DEDICATED),
                efaContext(protocol, rails)),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext(protocol, rails)));
    }

    /**
     * @param protocol word, or a word and {@code strict}: over the strict EFA contract, in a weather that holds back
     *                 and reorders.
     */
    static EfaContext efaContext(final String protocol, final int rails)
    {
        // on: shorter frames than by default are written into images too
        final EfaContext context =
            new EfaContext().protocol(protocol.replace(STRICT, "")).rails(rails).placement("on");
        return protocol.endsWith(STRICT) ?
            context.contract(ContractMode.STRICT).contractWeatherFile(WEATHER).contractSeed(42) : context;
    }

    static MediaDriver.Context driverContext()
    {
        return new MediaDriver.Context()
            .aeronDirectoryName(CommonContext.generateRandomDirName())
            .threadingMode(ThreadingMode.SHARED)
            .sharedIdleStrategy(new BackoffIdleStrategy(10, 10, 1_000, 100_000))
            .termBufferSparseFile(true)
            .publicationTermBufferLength(1 << 20)
            .errorHandler((ignore) -> {})
            .dirDeleteOnShutdown(true);
    }

    // Below those that the system hands out: the port stays free until it is used.
    static String endpoint()
    {
        for (int i = 0; i < PORT_TRIES; i++)
        {
            final int port = ThreadLocalRandom.current().nextInt(FIRST_PORT, FIRST_EPHEMERAL_PORT);
            try
            {
                new DatagramSocket(port).close();
                return "aeron:udp?endpoint=127.0.0.1:" + port;
            }
            catch (final SocketException ignore)
            {
                // In use: another one.
            }
        }
        throw new IllegalStateException("no port of " + PORT_TRIES + " from " + FIRST_PORT + " to " +
            FIRST_EPHEMERAL_PORT + " is free");
    }

    static void await(final String what, final BooleanSupplier condition)
    {
        await(what, condition, () -> "");
    }

    static void await(final String what, final BooleanSupplier condition, final Supplier<String> state)
    {
        final long deadlineNs = System.nanoTime() + DEADLINE_NS;
        while (!condition.getAsBoolean())
        {
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw new AssertionError("deadline passed: " + what + " " + state.get());
            }
            Thread.onSpinWait();
            Thread.yield();
        }
    }

    static long sum(final Aeron aeron, final int typeId)
    {
        return EfaCounters.sum(aeron.countersReader(), typeId);
    }

    static long system(final Aeron aeron, final SystemCounterDescriptor descriptor)
    {
        return aeron.countersReader().getCounterValue(descriptor.id());
    }

    static String counters(final Aeron aeron)
    {
        final StringBuilder text = new StringBuilder();
        final CountersReader counters = aeron.countersReader();
        counters.forEach((id, type, key, label) ->
            text.append("\n  ").append(counters.getCounterValue(id)).append(": ").append(label));
        return text.toString();
    }

    @Override
    public void close()
    {
        final long violations = violations(publisher) + violations(subscriber);
        CloseHelper.closeAll(publisher, subscriber);
        if (ownsDrivers)
        {
            CloseHelper.closeAll(publisherDriver, subscriberDriver);
        }
        if (violations > 0)
        {
            throw new IllegalStateException(violations + " times a rule of EFA was broken");
        }
    }

    private static long violations(final Aeron aeron)
    {
        return null == aeron || aeron.isClosed() ? 0 : sum(aeron, EfaCounters.CONTRACT_VIOLATIONS_TYPE_ID);
    }

    private Aeron connect(final AutoCloseable driver)
    {
        if (null == driver)
        {
            return null;
        }

        final String directory = driver instanceof final EfaMediaDriver efa ?
            efa.aeronDirectoryName() : ((MediaDriver)driver).aeronDirectoryName();
        return Aeron.connect(new Aeron.Context()
            .aeronDirectoryName(directory).resourceLingerDurationNs(100_000_000L).errorHandler(errors::add));
    }
}
