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
package io.millrace.bridge;

import io.aeron.CommonContext;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.millrace.bridge.device.KvDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.mockito.Mockito;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Senders and receivers that do not come to life.
 */
@Timeout(150)
class LaunchTest
{
    @Test
    void leavesNoAeronClientBehindWhenItsCountersCannotBeHad()
    {
        final KvDevice device = Mockito.mock(KvDevice.class);
        Mockito.when(device.name()).thenThrow(new IllegalStateException("no name for the counters"));
        try (MediaDriver driver = MediaDriver.launchEmbedded(new MediaDriver.Context()
            .aeronDirectoryName(CommonContext.generateRandomDirName())
            .threadingMode(ThreadingMode.SHARED).dirDeleteOnStart(true).dirDeleteOnShutdown(true)))
        {
            final KvSender.Context sender =
                new KvSender.Context().aeronDirectoryName(driver.aeronDirectoryName()).device(device);
            assertThatThrownBy(() -> KvSender.launch(sender)).hasMessage("no name for the counters");
            assertThat(sender.aeron().isClosed()).isTrue();

            final KvReceiver.Context receiver = new KvReceiver.Context()
                .aeronDirectoryName(driver.aeronDirectoryName()).device(device).allocator(info -> null);
            assertThatThrownBy(() -> KvReceiver.launch(receiver)).hasMessage("no name for the counters");
            assertThat(receiver.aeron().isClosed()).isTrue();
        }
    }
}
