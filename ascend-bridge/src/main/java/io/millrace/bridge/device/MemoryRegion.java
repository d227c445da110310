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
package io.millrace.bridge.device;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * A range of registered device memory that knows how many batches use it.
 */
public final class MemoryRegion
{
    /**
     * Users, plus {@link #RETIRED} while the owner wants the memory back.
     */
    private static final int RETIRED = 1 << 30;

    private final long address;
    private final long lengthBytes;
    private final AtomicInteger uses = new AtomicInteger();

    MemoryRegion(final long address, final long lengthBytes)
    {
        this.address = address;
        this.lengthBytes = lengthBytes;
    }

    /**
     * First byte.
     *
     * @return address.
     */
    public long address()
    {
        return address;
    }

    /**
     * Length.
     *
     * @return bytes.
     */
    public long lengthBytes()
    {
        return lengthBytes;
    }

    /**
     * End.
     *
     * @return address of the byte behind the last.
     */
    public long end()
    {
        return address + lengthBytes;
    }

    /**
     * Batches that use it.
     *
     * @return 0 and up.
     */
    public int uses()
    {
        return uses.get() & (RETIRED - 1);
    }

    /**
     * Keep the memory for a batch until {@link #release()}.
     *
     * @return false when its owner wants it back.
     */
    public boolean hold()
    {
        if (uses.incrementAndGet() > RETIRED)
        {
            uses.decrementAndGet();
            return false;
        }
        return true;
    }

    /**
     * The batch has ended.
     */
    public void release()
    {
        uses.decrementAndGet();
    }

    /**
     * Let nobody hold it from now on.
     *
     * @return false when that was so before.
     */
    public boolean retire()
    {
        while (true)
        {
            final int value = uses.get();
            if (value >= RETIRED)
            {
                return false;
            }
            if (uses.compareAndSet(value, value + RETIRED))
            {
                return true;
            }
        }
    }

    /**
     * Take back {@link #retire()}.
     */
    public void revive()
    {
        uses.addAndGet(-RETIRED);
    }

    /**
     * For a person.
     *
     * @return address, length and users.
     */
    public String toString()
    {
        return "region at 0x" + Long.toHexString(address) + " of " + lengthBytes + " bytes, used by " + uses() +
            " batches";
    }
}
