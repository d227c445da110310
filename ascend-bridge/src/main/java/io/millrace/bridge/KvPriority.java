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
package io.millrace.bridge;

/**
 * How a transfer shares a stream with others. Higher ones go first, lower ones keep a share: none starves.
 */
public enum KvPriority
{
    /**
     * Somebody waits for it.
     */
    HIGH(4),

    /**
     * Unless told otherwise.
     */
    NORMAL(2),

    /**
     * Such as prefetching.
     */
    LOW(1);

    private final int weight;

    KvPriority(final int weight)
    {
        this.weight = weight;
    }

    /**
     * Share of the staging slots in relation to others.
     *
     * @return 1 and up.
     */
    public int weight()
    {
        return weight;
    }
}
