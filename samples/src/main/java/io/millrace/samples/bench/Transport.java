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
package io.millrace.samples.bench;

import io.millrace.samples.failure.CommandFailure;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * What a case runs on.
 */
public enum Transport
{
    /** Millrace's driver over the chosen provider. */
    MILLRACE("millrace", "Millrace"),
    /** Aeron's own driver over UDP. */
    AERON_UDP("aeronUdp", "Aeron UDP"),
    /** Aeron's own driver, both processes on its shared memory. */
    AERON_IPC("aeronIpc", "Aeron IPC"),
    /** Messages that fill a frame on Millrace's driver, which KV blocks are compared with. */
    STREAM("throughput", "Millrace messages"),
    /** libfabric itself, through Millrace's binding and without Aeron. */
    RAW("raw", "raw libfabric");

    private final String key;
    private final String label;

    Transport(final String key, final String label)
    {
        this.key = key;
        this.label = label;
    }

    /**
     * Name in JSON and of {@code --on}.
     *
     * @return the name.
     */
    public String key()
    {
        return key;
    }

    /**
     * Name for people.
     *
     * @return the name.
     */
    public String label()
    {
        return label;
    }

    /**
     * Find one by its name.
     *
     * @param text of the user.
     * @return the transport.
     * @throws CommandFailure if there is none.
     */
    public static Transport of(final String text)
    {
        return Arrays.stream(values())
            .filter((transport) -> STREAM != transport && transport.key.equalsIgnoreCase(text))
            .findFirst()
            .orElseThrow(() -> CommandFailure.usage("--on " + text + ": it must be one or more of " +
                Arrays.stream(values()).filter((value) -> STREAM != value).map(Transport::key)
                .collect(Collectors.joining(", ")) +
                ", separated by commas"));
    }
}
