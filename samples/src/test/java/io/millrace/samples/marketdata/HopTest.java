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
package io.millrace.samples.marketdata;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Which messages are missing.
 */
class HopTest
{
    private final Hop hop = new Hop(2);

    @Test
    void nothingIsMissing()
    {
        hop.onMessage(0, 0, 0);
        hop.onMessage(1, 0, 0);
        hop.onMessage(0, 1, 0);
        hop.onEnd(0, 2);
        hop.onEnd(1, 1);
        assertThat(hop.gaps()).isZero();
    }

    @Test
    void aGapInTheMiddleIsCountedOnce()
    {
        hop.onMessage(0, 0, 0);
        hop.onMessage(0, 3, 0);
        hop.onEnd(0, 4);
        assertThat(hop.gaps()).isEqualTo(1);
    }

    @Test
    void theLastMessagesAndAWholeStreamCanBeMissing()
    {
        hop.onMessage(0, 0, 0);
        hop.onEnd(0, 2);
        hop.onEnd(1, 5);
        assertThat(hop.gaps()).isEqualTo(2);
    }
}
