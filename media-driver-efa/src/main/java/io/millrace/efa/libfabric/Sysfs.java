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
package io.millrace.efa.libfabric;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the kernel knows of a device and libfabric does not say.
 *
 * @param root of sysfs, {@code /sys}.
 */
record Sysfs(Path root)
{
    int infinibandNumaNode(final String device)
    {
        return number(root.resolve("class/infiniband").resolve(device).resolve("device/numa_node"), -1);
    }

    int netNumaNode(final String device)
    {
        return number(root.resolve("class/net").resolve(device).resolve("device/numa_node"), -1);
    }

    int netSpeedMbps(final String device)
    {
        return Math.max(0, number(root.resolve("class/net").resolve(device).resolve("speed"), 0));
    }

    private static int number(final Path file, final int unknown)
    {
        try
        {
            return Integer.parseInt(Files.readString(file).trim());
        }
        catch (final IOException | NumberFormatException ex)
        {
            // Virtual devices have no such file, or one that cannot be read.
            return unknown;
        }
    }
}
