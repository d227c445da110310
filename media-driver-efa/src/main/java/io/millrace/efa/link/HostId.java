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

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;

/**
 * A number that two processes share if and only if they can share memory: same boot of the kernel, same
 * {@code /dev/shm} and same process ids, so that containers with their own are told apart.
 */
final class HostId
{
    private static final long VALUE = read();

    private HostId()
    {
    }

    static long get()
    {
        return VALUE;
    }

    private static long read()
    {
        try
        {
            final String bootId = Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).trim();
            final String pidNamespace = Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
            final Object device = Files.getAttribute(Path.of("/dev/shm"), "unix:dev");
            final Object inode = Files.getAttribute(Path.of("/dev/shm"), "unix:ino");
            final String text = bootId + '|' + pidNamespace + '|' + device + '|' + inode;
            return (long)text.hashCode() << 32 | new StringBuilder(text).reverse().toString().hashCode() & 0xFFFF_FFFFL;
        }
        catch (final IOException | UnsupportedOperationException ex)
        {
            // not to be told from others means to share with nobody
            return new SecureRandom().nextLong();
        }
    }
}
