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
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.driver.DefaultAllowTerminationValidator;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.File;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Clients that ask a driver on rails to end.
 */
@Timeout(150)
class TerminationTest
{
    private static final int STREAM_ID = 81;

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldRunHookWhenTheValidatorAllows(final String protocol)
    {
        final AtomicInteger requests = new AtomicInteger();
        final AtomicInteger hooks = new AtomicInteger();
        try (EfaMediaDriver driver = EfaMediaDriver.launchEmbedded(
            driverContext()
                .terminationHook(hooks::incrementAndGet)
                .terminationValidator((directory, buffer, offset, length) -> 2 == requests.incrementAndGet()),
            efaContext(protocol, 1)))
        {
            final File directory = new File(driver.aeronDirectoryName());
            request(directory);
            await("refused", () -> 1 == requests.get());
            assertThat(hooks.get()).isZero();
            request(directory);
            await("hook", () -> 1 == hooks.get());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldEndProcessWithItsRailsInUse(final String protocol) throws Exception
    {
        try (DriverProcess driver = new DriverProcess(protocol, "aeron.dir.delete.on.shutdown=true",
            "aeron.driver.termination.validator=" + DefaultAllowTerminationValidator.class.getName());
            Aeron aeron = driver.connect())
        {
            final String channel = TwoDrivers.endpoint();
            final Subscription subscription = aeron.addSubscription(channel, STREAM_ID);
            final Publication publication = aeron.addPublication(channel, STREAM_ID);
            await("links", () -> 2 == sum(aeron, EfaCounters.LINKS_TYPE_ID));
            Traffic.exchange(publication, subscription, 100);

            request(driver.directory());
            assertThat(driver.process().waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(driver.process().exitValue()).isZero();
            assertThat(new File("/dev/shm").list()).noneMatch(
                (file) -> file.startsWith(driver.process().pid() + ":"));
            assertThat(driver.directory()).doesNotExist();
        }
    }

    private static void request(final File directory)
    {
        assertThat(CommonContext.requestDriverTermination(directory, new UnsafeBuffer(), 0, 0)).isTrue();
    }
}
