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
package io.millrace.efa.rail;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * Rails of this process by their address, and how many rails of this process have them in their address vector.
 * libfabric's shm provider gives endpoints of one process each other's memory without a mapping of their own, so one
 * that is closed while another still knows it takes the process down at the next send, or when its address is removed.
 */
final class LocalRails
{
    private static final Map<ByteBuffer, Entry> ENTRIES = new HashMap<>();

    private LocalRails()
    {
    }

    /**
     * A rail knows an address.
     */
    static synchronized void onInserted(final byte[] address)
    {
        ENTRIES.computeIfAbsent(ByteBuffer.wrap(address), (key) -> new Entry()).references++;
    }

    /**
     * A rail has forgotten an address. If it was the last, and the rail of that address waits to be closed, it is
     * closed now.
     */
    static void onRemoved(final byte[] address)
    {
        final Runnable close;
        synchronized (LocalRails.class)
        {
            final ByteBuffer key = ByteBuffer.wrap(address);
            final Entry entry = ENTRIES.get(key);
            if (null == entry || --entry.references > 0)
            {
                return;
            }

            ENTRIES.remove(key);
            close = entry.close;
        }

        if (null != close)
        {
            close.run();
        }
    }

    /**
     * Close a rail as soon as no rail of this process knows its address, which may be now.
     */
    static void close(final byte[] address, final Runnable close)
    {
        synchronized (LocalRails.class)
        {
            final Entry entry = ENTRIES.get(ByteBuffer.wrap(address));
            if (null != entry)
            {
                entry.close = close;
                return;
            }
        }

        close.run();
    }

    /**
     * Waits the rail of an address to be closed, so that it posts nothing any more?
     */
    static synchronized boolean isClosing(final byte[] address)
    {
        final Entry entry = ENTRIES.get(ByteBuffer.wrap(address));
        return null != entry && null != entry.close;
    }

    private static final class Entry
    {
        private int references;
        private Runnable close;
    }
}
