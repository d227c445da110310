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

import java.util.Locale;

/**
 * Where CPU goes on the way of KV blocks, in the order of the way.
 */
enum KvStage
{
    /** Copies out of device memory, by the agent or the device's copy threads, whose waiting is included. */
    D2H("copy from device"),
    /** Checksums of the sender. */
    SEND_CRC("checksum, sender"),
    /** Claims, and copies into them out of staging. */
    CLAIM("claim and copy into the log"),
    /** The rest of the sender's duty cycles. */
    SENDER("sender's other work"),
    /** Driver of the sender. */
    SEND("driver, sending"),
    /** Driver of the receiver. */
    RECEIVE("driver, receiving"),
    /** Copies out of the log into staging. */
    COPY_OUT("copy out of the log"),
    /** Checksums of the receiver. */
    RECEIVE_CRC("checksum, receiver"),
    /** The rest of the receiver's duty cycles. */
    RECEIVER("receiver's other work"),
    /** Copies into device memory, by the agent or the device's copy threads, whose waiting is included. */
    H2D("copy to device");

    private final String label;

    KvStage(final String label)
    {
        this.label = label;
    }

    /**
     * Name in JSON.
     *
     * @return the name.
     */
    String key()
    {
        final String[] words = name().toLowerCase(Locale.ROOT).split("_");
        return 1 == words.length ? words[0] :
            words[0] + Character.toUpperCase(words[1].charAt(0)) + words[1].substring(1);
    }

    /**
     * Name for people.
     *
     * @return a few words.
     */
    String label()
    {
        return label;
    }
}
