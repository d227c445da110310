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
package io.millrace.samples.metrics;

import io.aeron.CncFileDescriptor;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Scrapes where no driver runs.
 */
class DriverCollectorTest
{
    private static final int SCRAPES = 50;

    @TempDir
    private Path directory;

    @Test
    @Timeout(120)
    void aDriverThatHasNotFinishedItsStartIsDownWithoutAWait() throws IOException
    {
        Files.write(directory.resolve(CncFileDescriptor.CNC_FILE), new byte[1 << 16]);
        // Five seconds for each would not end in time.
        for (int i = 0; i < SCRAPES; i++)
        {
            assertDown();
        }
    }

    @Test
    void withoutADriverItIsDown()
    {
        assertDown();
    }

    private void assertDown()
    {
        final GaugeSnapshot up = (GaugeSnapshot)new DriverCollector(directory).collect().get(0);
        assertThat(up.getMetadata().getName()).isEqualTo(DriverCollector.UP);
        assertThat(up.getDataPoints().get(0).getValue()).isZero();
    }
}
