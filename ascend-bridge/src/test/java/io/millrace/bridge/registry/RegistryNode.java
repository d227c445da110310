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
package io.millrace.bridge.registry;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

import io.millrace.bridge.CounterSet;
import io.millrace.bridge.device.HostDevice;

/**
 * One side of a registry as a process of its own, until standard input ends.
 */
final class RegistryNode
{
    private RegistryNode()
    {
    }

    /**
     * Run it.
     *
     * @param args server and directory; or client, directory, name and files to register.
     */
    public static void main(final String[] args) throws Exception
    {
        final Path directory = Path.of(args[1]);
        if ("server".equals(args[0]))
        {
            try (HostDevice device = new HostDevice();
                RegistryServer server = RegistryServer.launch(directory, device,
                    CounterSet.inMemory(RegistryCounter.class), Throwable::printStackTrace))
            {
                System.out.println("ready");
                while (System.in.read() >= 0)
                {
                    System.out.println(server.buffers());
                }
            }
            return;
        }

        try (RegistryClient client = RegistryClient.open(directory, args[2]))
        {
            for (int i = 3; i < args.length; i++)
            {
                client.registerFile(Path.of(args[i]), 0, java.nio.file.Files.size(Path.of(args[i])));
            }
            for (final RegisteredBuffer buffer : client.buffers())
            {
                System.out.println("status " + client.await(buffer, TimeUnit.SECONDS.toNanos(60)));
            }
            System.out.println("ready");
            while (System.in.read() >= 0)
            {
                System.out.println(client.buffers());
            }
        }
    }
}
