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
import java.util.EnumSet;
import java.util.List;

/**
 * What a case runs on, or which of its parts a figure is of.
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
    RAW("raw", "raw libfabric"),
    /** A KV stream that is received and not recorded. */
    UNRECORDED("stream", "not recorded"),
    /** The same stream, recorded by an archive on the receiver's driver, until its bytes are on the disk. */
    RECORD("record", "recorded"),
    /** As much, recorded by an archive on the sender's own driver. */
    RECORD_LOCAL("recordLocal", "recorded at the sender"),
    /** Plain writes of as many bytes to that disk, until they are on it. */
    DISK_WRITE("sequentialWrite", "plain writes"),
    /** The recording from a disk whose cache is cold, into device memory. */
    REPLAY("replay", "replayed"),
    /** Plain reads of the same files with a cold cache. */
    DISK_READ("sequentialRead", "plain reads"),
    /** A quarter of the blocks, that lie together. */
    FETCH_RANGE("fetchRange", "fetched in one range"),
    /** As many, each fourth one. */
    FETCH_SCATTERED("fetchScattered", "fetched scattered"),
    /** The archive's index of blocks. */
    INDEX("index", "index");

    private static final EnumSet<Transport> CHOICES = EnumSet.of(MILLRACE, AERON_UDP, AERON_IPC, RAW);

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
     * Names that a user may give.
     *
     * @return the names.
     */
    public static List<String> choices()
    {
        return CHOICES.stream().map(Transport::key).toList();
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
            .filter((transport) -> CHOICES.contains(transport) && transport.key.equalsIgnoreCase(text))
            .findFirst()
            .orElseThrow(() -> CommandFailure.usage("--on " + text + ": it must be one or more of " +
                String.join(", ", choices()) + ", separated by commas"));
    }
}
