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

import io.aeron.driver.MediaDriver;
import io.millrace.efa.EfaContext;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersManager;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class FabricDriverTest
{
    @Test
    void shouldTellEveryChannelThatThereAreTooFewCounters()
    {
        final MediaDriver.Context context = new MediaDriver.Context().countersManager(new CountersManager(
            new UnsafeBuffer(ByteBuffer.allocateDirect(2 * 512)),
            new UnsafeBuffer(ByteBuffer.allocateDirect(2 * 128)), US_ASCII));
        final FabricDriver fabric = new FabricDriver(new EfaContext().protocol("udp"));
        for (int channel = 0; channel < 2; channel++)
        {
            assertThatThrownBy(() -> FabricDriver.start(context, fabric))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("counter");
        }
    }
}
