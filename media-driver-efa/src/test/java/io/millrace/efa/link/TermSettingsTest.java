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
package io.millrace.efa.link;

import io.millrace.efa.EfaContext;
import io.millrace.efa.libfabric.EndpointOptions;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class TermSettingsTest
{
    private static final int WINDOW_LENGTH = 4 << 20;

    @Test
    void shouldExpectWritesOfImagesThatUseTheirWindow()
    {
        final EfaContext context = new EfaContext().railWindowLength(WINDOW_LENGTH).placementThresholdLength(4096);
        final long frames = TermSettings.frames(WINDOW_LENGTH, 4096);
        assertThat(frames).isEqualTo(1025);
        assertThat(EndpointOptions.ofRail(256, TermSettings.writesToExpect(context)).cqDepth() - 2 * 256)
            .isGreaterThanOrEqualTo((int)(8 * frames));
    }

    @Test
    void shouldExpectNoWritesWithoutPlacement()
    {
        assertThat(TermSettings.writesToExpect(new EfaContext().placement("off"))).isZero();
    }

    @Test
    void shouldNotAskForLongerQueuesThanDevicesHave()
    {
        final EfaContext context = new EfaContext().railWindowLength(1 << 30).placementThresholdLength(0);
        assertThat(EndpointOptions.ofRail(256, TermSettings.writesToExpect(context)).cqDepth()).isEqualTo(1 << 15);
        assertThat(EndpointOptions.ofRail(1 << 14, 0).cqDepth()).isEqualTo(1 << 16);
    }
}
