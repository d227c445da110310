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
package io.millrace.tests.striping;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import java.util.Map;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * A stream over two shaped links, one of which goes down for as long as it takes until its rail has failed, and up
 * again. Links are slow, so that the processors of no machine matter. The long version, with faster and more links, is
 * {@code tests/striping.sh}.
 */
class StripingTest
{
    private static final int LINK_MEGABITS = 100;
    private static final double WINDOW_SECONDS = 0.5;
    private static final double GOAL = 0.95;

    @BeforeAll
    static void needsNamespaces()
    {
        final String obstacle = RailNetwork.obstacle();
        assumeTrue(null == obstacle, obstacle);
    }

    @Test
    void shouldFillTwoLinksAndLoseNothingWhenOneGoesDownAndUp() throws Exception
    {
        final Map<String, String> properties = Map.of(
            "aeron.mtu.length", "8128",
            "millrace.efa.link.timeout", "1s",
            "millrace.efa.keepalive.interval", "100ms");
        try (StripingRun run = new StripingRun(2, LINK_MEGABITS, properties))
        {
            run.cutUntilRailFails(1);
            final double one = run.megabits(2 * WINDOW_SECONDS);
            assertThat(one).as("the stream goes on over the other link%s", run).isPositive();

            run.mendUntilRailCarries(1);
            run.await("both links filled", () -> run.megabits(WINDOW_SECONDS) >= GOAL * 2 * one);
            assertThat(run.events()).as("%s", run)
                .hasEntrySatisfying("railsReopened", (count) -> assertThat(count).isPositive());
            assertThat(run.finish()).as("what was sent arrived, each byte of it%s", run).isTrue();
        }
    }
}
