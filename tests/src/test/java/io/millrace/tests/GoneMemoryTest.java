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

import io.millrace.bridge.device.CopyDirection;
import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.device.HostMemory;
import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.KvCopyQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Registered memory whose pages are gone fails the batch that meets it, compiled or not. Here, since the bridge's own
 * tests run on a JVM that tells of it too late.
 */
@Timeout(150)
class GoneMemoryTest
{
    private static final int LENGTH = 1 << 20;
    private static final int COPIES = 50_000;
    private static final int COPY_LENGTH = 65_408;

    @Test
    void failsEachBatch(@TempDir final Path directory) throws IOException
    {
        try (HostDevice device = new HostDevice();
            FileChannel file = FileChannel.open(
                directory.resolve("blocks"), StandardOpenOption.CREATE, StandardOpenOption.WRITE))
        {
            file.write(ByteBuffer.allocate(1), LENGTH - 1);
            final long address = HostMemory.map(directory.resolve("blocks"), 0, LENGTH);
            device.register(address, LENGTH);
            final long host = device.allocate(LENGTH);
            final KvCopyQueue queue = device.openQueue();
            final KvCopyBatch batch = new KvCopyBatch();
            for (int i = 0; i < COPIES; i++)
            {
                copy(queue, batch, host, address);
                assertThat(batch.status()).isEqualTo(KvCopyBatch.COMPLETED);
            }

            file.truncate(0);
            for (int i = 0; i < COPIES; i++)
            {
                copy(queue, batch, host, address);
                assertThat(batch.failure()).contains("memory that is not there on host:0");
            }
            queue.close();
            device.unregister(address);
            HostMemory.free(address, LENGTH);
        }
    }

    private static void copy(
        final KvCopyQueue queue, final KvCopyBatch batch, final long host, final long address)
    {
        batch.reset(CopyDirection.DEVICE_TO_HOST).add(host, address, COPY_LENGTH);
        queue.copy(batch);
    }
}
