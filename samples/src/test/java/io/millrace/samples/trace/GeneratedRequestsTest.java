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
package io.millrace.samples.trace;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class GeneratedRequestsTest
{
    private static final int MEAN_TOKENS_OF_THE_TRACE = 12_035;
    private static final int MEDIAN_TOKENS_OF_THE_TRACE = 6_909;
    private static final int COUNT = 12_031;

    @Test
    void haveTheShapeOfTheTrace()
    {
        long sum = 0;
        long belowMedian = 0;
        int longest = 0;
        try (GeneratedRequests requests = new GeneratedRequests(1))
        {
            for (int i = 0; i < COUNT; i++)
            {
                final Request request = requests.next();
                assertThat(request.index()).isEqualTo(i);
                assertThat(request.tokens())
                    .isBetween(GeneratedRequests.SHORTEST_TOKENS, GeneratedRequests.LONGEST_TOKENS);
                sum += request.tokens();
                longest = Math.max(longest, request.tokens());
                belowMedian += request.tokens() < MEDIAN_TOKENS_OF_THE_TRACE ? 1 : 0;
            }
        }
        assertThat(sum / COUNT).isCloseTo(MEAN_TOKENS_OF_THE_TRACE, Percentage.withPercentage(5));
        assertThat(belowMedian).isCloseTo(COUNT / 2, Percentage.withPercentage(15));
        assertThat(longest).isEqualTo(GeneratedRequests.LONGEST_TOKENS);
    }

    @Test
    void areTheSameForTheSameSeedOnly()
    {
        try (GeneratedRequests one = new GeneratedRequests(7);
            GeneratedRequests same = new GeneratedRequests(7);
            GeneratedRequests other = new GeneratedRequests(8))
        {
            boolean differs = false;
            for (int i = 0; i < 100; i++)
            {
                final Request request = one.next();
                assertThat(same.next()).isEqualTo(request);
                differs |= other.next().tokens() != request.tokens();
            }
            assertThat(differs).isTrue();
        }
    }
}
