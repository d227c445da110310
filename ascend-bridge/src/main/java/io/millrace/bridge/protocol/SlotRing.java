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
package io.millrace.bridge.protocol;

import io.millrace.bridge.staging.StagingSlot;

/**
 * Staging slots of a transfer in order of their bytes.
 */
final class SlotRing
{
    private final StagingSlot[] slots;
    private int head;
    private int size;

    SlotRing(final int capacity)
    {
        slots = new StagingSlot[capacity];
    }

    int size()
    {
        return size;
    }

    StagingSlot get(final int index)
    {
        return slots[(head + index) % slots.length];
    }

    StagingSlot head()
    {
        return 0 == size ? null : slots[head];
    }

    void push(final StagingSlot slot)
    {
        slots[(head + size++) % slots.length] = slot;
    }

    void pop()
    {
        slots[head] = null;
        head = (head + 1) % slots.length;
        size--;
    }
}
