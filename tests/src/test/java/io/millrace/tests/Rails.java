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
package io.millrace.tests;

import io.aeron.CommonContext;
import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveThreadingMode;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.millrace.bridge.KvLayout;
import org.agrona.concurrent.BackoffIdleStrategy;

import java.nio.file.Path;

/**
 * What tests of streams on rails are set up with.
 */
final class Rails
{
    private Rails()
    {
    }

    interface PartConsumer
    {
        void accept(int layer, int part, int block);
    }

    static MediaDriver.Context driverContext()
    {
        return new MediaDriver.Context()
            .aeronDirectoryName(CommonContext.generateRandomDirName())
            .threadingMode(ThreadingMode.SHARED)
            .sharedIdleStrategy(new BackoffIdleStrategy(10, 10, 1_000, 100_000))
            .dirDeleteOnShutdown(true);
    }

    static Archive.Context archiveContext(final Path directory)
    {
        return new Archive.Context()
            .archiveDir(directory.toFile())
            .threadingMode(ArchiveThreadingMode.SHARED)
            .segmentFileLength(1 << 20)
            .lowStorageSpaceThreshold(1 << 20);
    }

    static void forEachPart(final KvLayout layout, final int blocks, final PartConsumer consumer)
    {
        for (int layer = 0; layer < layout.layers(); layer++)
        {
            for (int part = 0; part < KvLayout.PARTS; part++)
            {
                for (int block = 0; block < blocks; block++)
                {
                    consumer.accept(layer, part, block);
                }
            }
        }
    }
}
