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
package io.millrace.efa.contract;

import io.aeron.exceptions.ConfigurationException;
import io.millrace.efa.libfabric.FabricEndpoint;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.status.CountersManager;

import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * EFA's rules and weather for the endpoints of one media driver. Which operations the weather strikes follows from the
 * seed, the order in which endpoints are opened, and what the provider and the threads do.
 */
public final class EfaContract implements AutoCloseable
{
    private final ContractMode mode;
    private final DeviceLimits device;
    private final Weather weather;
    private final SplittableRandom random;
    private final Tallies tallies = new Tallies();
    private final Violations violations;
    private final AtomicInteger deathsLeft;

    /**
     * Read the weather.
     *
     * @param mode        what happens when a rule is broken.
     * @param weatherFile path of a properties file, empty for a calm day on a device of the usual limits.
     * @param seed        of the weather.
     * @throws ConfigurationException for a file, key or value that cannot be used.
     */
    public EfaContract(final ContractMode mode, final String weatherFile, final long seed)
    {
        final WeatherFile file = weatherFile.isEmpty() ? WeatherFile.empty() : WeatherFile.load(Path.of(weatherFile));
        this.mode = mode;
        violations = new Violations(ContractMode.STRICT == mode, tallies.violations);
        device = DeviceLimits.read(file);
        weather = Weather.read(file);
        file.refuseUnknownKeys();
        random = new SplittableRandom(seed);
        deathsLeft = new AtomicInteger(weather.deaths());
    }

    /**
     * Put an endpoint under the contract.
     *
     * @param endpoint of a provider, just opened.
     * @return the endpoint itself if the contract is off.
     */
    public synchronized FabricEndpoint apply(final FabricEndpoint endpoint)
    {
        if (ContractMode.OFF == mode)
        {
            return endpoint;
        }

        final WeatherEndpoint weathered =
            new WeatherEndpoint(endpoint, device, weather, random.split(), tallies, deathsLeft);
        return new ContractEndpoint(device, weathered, new EndpointRules(device, violations, weathered));
    }

    /**
     * Show counters and report violations from now on.
     *
     * @param counters     of the media driver, whose conductor calls this.
     * @param errorHandler of the media driver.
     */
    public void start(final CountersManager counters, final ErrorHandler errorHandler)
    {
        if (ContractMode.OFF != mode)
        {
            tallies.show(counters);
            violations.errorHandler(errorHandler);
        }
    }

    /**
     * Rules broken so far.
     *
     * @return violations.
     */
    public long violations()
    {
        return tallies.violations.get();
    }

    /**
     * Use counters and error handler no more. Endpoints may be closed later.
     */
    @Override
    public void close()
    {
        tallies.hide();
        violations.errorHandler(null);
    }
}
