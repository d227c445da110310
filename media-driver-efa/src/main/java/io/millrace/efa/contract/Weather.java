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
import io.millrace.efa.libfabric.EfaErrors;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * What goes wrong, and how often. Rates are probabilities from 0 to 1.
 *
 * @param eagainRate          of posts that begin a burst of EAGAIN.
 * @param eagainBurst         longest burst, posts.
 * @param completionHoldRate  of completions of own operations that are held back, so that later ones overtake them.
 * @param completionHoldPolls longest hold, polls of the queue.
 * @param deliveryHoldRate    of arrivals that are held back, so that later ones overtake them.
 * @param deliveryHoldPolls   longest hold, polls of the queue.
 * @param deliveryDelayMinNs  shortest delay of every arrival.
 * @param deliveryDelayMaxNs  longest delay of every arrival.
 * @param errorRate           of operations that end with an error completion.
 * @param errorStatuses       {@code prov_errno} of these, one is drawn.
 * @param errorDeliveredRate  of failed operations whose bytes arrive all the same.
 * @param queueShortRate      of polls that find only a part of what is there, or nothing.
 * @param deathOperations     operations after which a rail dies, 0 for never.
 * @param deathRate           of operations at which a rail dies.
 * @param deaths              of rails at most, in a driver's life.
 */
record Weather(
    double eagainRate,
    int eagainBurst,
    double completionHoldRate,
    int completionHoldPolls,
    double deliveryHoldRate,
    int deliveryHoldPolls,
    long deliveryDelayMinNs,
    long deliveryDelayMaxNs,
    double errorRate,
    int[] errorStatuses,
    double errorDeliveredRate,
    double queueShortRate,
    int deathOperations,
    double deathRate,
    int deaths)
{
    private static final int MAX_BURST = 1 << 16;
    private static final int MAX_HOLD_POLLS = 1 << 16;

    static final Weather CALM = read(WeatherFile.empty());

    static Weather read(final WeatherFile file)
    {
        final Weather weather = new Weather(
            file.rate("eagain.rate", 0),
            file.number("eagain.burst", 8, 1, MAX_BURST),
            file.rate("completion.hold.rate", 0),
            file.number("completion.hold.polls", 16, 1, MAX_HOLD_POLLS),
            file.rate("delivery.hold.rate", 0),
            file.number("delivery.hold.polls", 16, 1, MAX_HOLD_POLLS),
            file.durationNs("delivery.delay.min", 0),
            file.durationNs("delivery.delay.max", 0),
            file.rate("error.rate", 0),
            file.numbers("error.statuses", EfaErrors.LOCAL_UNRESPONSIVE_REMOTE.number()),
            file.rate("error.delivered.rate", 0.5),
            file.rate("queue.short.rate", 0),
            file.number("rail.death.operations", 0, 0, Integer.MAX_VALUE),
            file.rate("rail.death.rate", 0),
            file.number("rail.deaths", Integer.MAX_VALUE, 0, Integer.MAX_VALUE));

        if (file.has("delivery.delay.max") && weather.deliveryDelayMaxNs < weather.deliveryDelayMinNs)
        {
            throw new ConfigurationException(file.name() + ": delivery.delay.max=" + weather.deliveryDelayMaxNs +
                "ns is less than delivery.delay.min=" + weather.deliveryDelayMinNs + "ns");
        }

        for (final int status : weather.errorStatuses)
        {
            if (null == EfaErrors.of(status))
            {
                throw new ConfigurationException(file.name() + ": error.statuses has " + status +
                    ", which is no prov_errno of EFA: use some of " +
                    Arrays.stream(EfaErrors.values()).map(EfaErrors::number).toList());
            }
        }

        return weather;
    }

    boolean hits(final SplittableRandom random, final double rate)
    {
        return rate > 0 && random.nextDouble() < rate;
    }

    long delayNs(final SplittableRandom random)
    {
        return deliveryDelayMaxNs <= deliveryDelayMinNs ? deliveryDelayMinNs :
            random.nextLong(deliveryDelayMinNs, deliveryDelayMaxNs);
    }

    /** {@code prov_errno} of an operation that fails, 0 for one that does not. */
    int errorStatus(final SplittableRandom random)
    {
        return hits(random, errorRate) ? errorStatuses[random.nextInt(errorStatuses.length)] : 0;
    }
}
