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
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.rail.Rail;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.mockito.Mockito;

import java.util.List;

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

    /**
     * Queues of software providers grow, and writes that take a posted receive are held up by its lack.
     */
    @ParameterizedTest
    @CsvSource({ "EFA, false, true", "EFA, true, false", "SHM, false, false", "TCP, false, false" })
    void shouldKnowRoomForWritesWhereNothingElseHoldsThemBack(
        final FabricProvider provider, final boolean takesReceive, final boolean isBounded)
    {
        final FabricEndpoint endpoint = Mockito.mock(FabricEndpoint.class, Mockito.RETURNS_DEEP_STUBS);
        final Rail rail = Mockito.mock(Rail.class);
        Mockito.when(endpoint.nic().provider()).thenReturn(provider);
        Mockito.when(endpoint.writeDataTakesReceive()).thenReturn(takesReceive);
        Mockito.when(rail.endpoint()).thenReturn(endpoint);
        Mockito.when(rail.completionsRoom()).thenReturn(7);
        assertThat(TermSettings.completionsRoom(List.of(rail))).isEqualTo(isBounded ? 7 : Long.MAX_VALUE);
    }

    @Test
    void shouldNotAskForLongerQueuesThanDevicesHave()
    {
        final EfaContext context = new EfaContext().railWindowLength(1 << 30).placementThresholdLength(0);
        assertThat(EndpointOptions.ofRail(256, TermSettings.writesToExpect(context)).cqDepth()).isEqualTo(1 << 15);
        assertThat(EndpointOptions.ofRail(1 << 14, 0).cqDepth()).isEqualTo(1 << 16);
    }
}
