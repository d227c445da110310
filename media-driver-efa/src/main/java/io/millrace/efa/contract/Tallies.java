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

import io.millrace.efa.EfaCounters;
import org.agrona.concurrent.status.CountersManager;

/**
 * What a driver's contract counts.
 */
final class Tallies
{
    final Tally violations = new Tally();
    final Tally eagains = new Tally();
    final Tally errors = new Tally();
    final Tally held = new Tally();
    final Tally deaths = new Tally();

    void show(final CountersManager counters)
    {
        violations.show(counters.newCounter(
            "efa contract: violations", EfaCounters.CONTRACT_VIOLATIONS_TYPE_ID));
        eagains.show(counters.newCounter("efa weather: EAGAIN", EfaCounters.WEATHER_EAGAIN_TYPE_ID));
        errors.show(counters.newCounter("efa weather: error completions", EfaCounters.WEATHER_ERRORS_TYPE_ID));
        held.show(counters.newCounter("efa weather: completions held back", EfaCounters.WEATHER_HELD_TYPE_ID));
        deaths.show(counters.newCounter("efa weather: rails that died", EfaCounters.WEATHER_DEATHS_TYPE_ID));
    }

    void hide()
    {
        violations.hide();
        eagains.hide();
        errors.hide();
        held.hide();
        deaths.hide();
    }
}
