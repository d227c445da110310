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
package io.millrace.archive;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(120)
class FullDiskTest
{
    @TempDir
    private Path directory;

    @Test
    void startsAgainOnAFullDiskAndMakesRoomThere() throws Exception
    {
        final Path disk = Files.createDirectory(directory.resolve("disk"));
        Assumptions.assumeTrue(run("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk.toString()),
            "a small file system cannot be mounted here, which takes root");
        try
        {
            final KvRecordingInfo info;
            try (Rig rig = new Rig(disk.resolve("archive")))
            {
                info = rig.recordOnly(1, 2, 3);
                fill(disk.resolve("ballast"));
            }
            fill(disk.resolve("ballast"));
            assertThat(disk.toFile().getUsableSpace()).isZero();

            try (Rig rig = new Rig(disk.resolve("archive"));
                KvBlockStore store = KvBlockStore.open(rig.client, new KvBlockStore.Context()
                    .indexFile(directory.resolve("index")).updateIntervalNs(0)))
            {
                assertThat(rig.client.find(info.recordingId())).isEqualTo(info);
                store.update(KvScanProgress.NONE);
                assertThat(store.retention().purge(info.recordingId(), info.stopPosition())).isEqualTo(3);
                assertThat(rig.client.list(0, 10)).isEmpty();
                rig.recordOnly(4);
            }
        }
        finally
        {
            run("umount", "-l", disk.toString());
        }
    }

    private static void fill(final Path file) throws IOException
    {
        try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND))
        {
            final byte[] page = new byte[4096];
            while (true)
            {
                out.write(page);
            }
        }
        catch (final IOException ex)
        {
            assertThat(ex).hasMessageContaining("No space left");
        }
    }

    private static boolean run(final String... command) throws Exception
    {
        return 0 == new ProcessBuilder(command).redirectErrorStream(true)
            .redirectOutput(new File("/dev/null")).start().waitFor();
    }
}
