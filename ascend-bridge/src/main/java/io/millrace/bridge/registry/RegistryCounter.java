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

import io.millrace.bridge.CounterSet;

/**
 * What a registry server counts.
 */
public enum RegistryCounter implements CounterSet.Kind
{
    /**
     * Clients now.
     */
    CLIENTS("clients"),

    /**
     * Buffers mapped now.
     */
    BUFFERS("buffers"),

    /**
     * Bytes mapped now.
     */
    BYTES("bytes"),

    /**
     * Buffers mapped so far.
     */
    MAPS("buffers mapped"),

    /**
     * Buffers that could not be mapped.
     */
    REFUSALS("buffers refused"),

    /**
     * Buffers mapped again since this side or the client started again.
     */
    REPLAYS("buffers mapped again"),

    /**
     * Clients that were silent for too long.
     */
    REAPED("clients reaped"),

    /**
     * Times that a buffer could not be unmapped yet, since copies use it.
     */
    UNMAP_DELAYS("buffers in use when to be unmapped"),

    /**
     * Client files that are no such files.
     */
    BAD_FILES("bad client files");

    /**
     * Type id of the first counter.
     */
    public static final int BASE_TYPE_ID = 1160;

    private final String label;

    RegistryCounter(final String label)
    {
        this.label = "kv registry " + label;
    }

    /**
     * {@inheritDoc}
     */
    public int typeId()
    {
        return BASE_TYPE_ID + ordinal();
    }

    /**
     * {@inheritDoc}
     */
    public String label()
    {
        return label;
    }
}
