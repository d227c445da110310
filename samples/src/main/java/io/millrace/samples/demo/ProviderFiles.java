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
package io.millrace.samples.demo;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Files of libfabric's shm provider. It names them {@code <pid>:<uid>:<index>} and cannot remove them when the process
 * is killed.
 */
public final class ProviderFiles
{
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    private ProviderFiles()
    {
    }

    /**
     * Remove those of a process.
     *
     * @param pid of a process that has ended, or of this one while it ends.
     */
    public static void remove(final long pid)
    {
        if (!Files.isDirectory(SHARED_MEMORY))
        {
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(SHARED_MEMORY, pid + ":*"))
        {
            for (final Path file : files)
            {
                Files.deleteIfExists(file);
            }
        }
        catch (final IOException ex)
        {
            System.err.println("millrace: could not remove /dev/shm/" + pid + ":* (" + ex + "): remove it by hand");
        }
    }
}
