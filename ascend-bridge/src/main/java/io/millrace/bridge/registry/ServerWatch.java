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

/**
 * What a client sees of the server: its heartbeat and its lock. Guarded by the client.
 */
final class ServerWatch implements AutoCloseable
{
    private final RegistryFile file;
    private final long timeoutNs;
    private long heartbeat;
    private long seenNs;
    private boolean isSeen;

    ServerWatch(final Path directory, final long timeoutNs)
    {
        this.timeoutNs = timeoutNs;
        file = RegistryFile.open(directory.resolve(RegistryFile.SERVER_NAME), 0);
        heartbeat = file.heartbeat();
    }

    long incarnation()
    {
        return file.incarnation();
    }

    boolean isAlive()
    {
        final long beats = file.heartbeat();
        final long nowNs = System.nanoTime();
        if (beats != heartbeat)
        {
            heartbeat = beats;
            seenNs = nowNs;
            isSeen = true;
        }
        return isSeen && 0 != file.incarnation() && nowNs - seenNs < timeoutNs;
    }

    /**
     * A server that is silent may be paused, and then has its mappings: one that is dead does not hold its lock.
     */
    boolean isDead()
    {
        return !isAlive() && !file.isLocked();
    }

    public void close()
    {
        file.close();
    }
}
