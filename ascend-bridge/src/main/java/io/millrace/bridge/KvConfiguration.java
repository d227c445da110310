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

import java.util.concurrent.TimeUnit;

import org.agrona.SystemUtil;

/**
 * System properties and defaults of KV streams.
 */
public final class KvConfiguration
{
    /**
     * Property for the channel of the KV stream.
     */
    public static final String CHANNEL_PROP_NAME = "millrace.kv.channel";

    /**
     * Channel of the KV stream: frames of 65472 bytes are a multiple of 64, so that payloads stand on 64-byte
     * boundaries.
     */
    public static final String CHANNEL_DEFAULT = "aeron:ipc?mtu=65472|term-length=16m";

    /**
     * Property for the id of the KV stream.
     */
    public static final String STREAM_ID_PROP_NAME = "millrace.kv.stream.id";

    /**
     * Id of the KV stream.
     */
    public static final int STREAM_ID_DEFAULT = 9102;

    /**
     * Property for the channel of grants and acknowledgements.
     */
    public static final String REVERSE_CHANNEL_PROP_NAME = "millrace.kv.reverse.channel";

    /**
     * Channel of grants and acknowledgements.
     */
    public static final String REVERSE_CHANNEL_DEFAULT = "aeron:ipc?term-length=256k";

    /**
     * Property for the id of the stream of grants and acknowledgements.
     */
    public static final String REVERSE_STREAM_ID_PROP_NAME = "millrace.kv.reverse.stream.id";

    /**
     * Id of the stream of grants and acknowledgements.
     */
    public static final int REVERSE_STREAM_ID_DEFAULT = 9103;

    /**
     * Transfers in flight.
     */
    public static final int MAX_IN_FLIGHT_DEFAULT = 64;

    /**
     * Transfers submitted to a sender and not ended.
     */
    public static final int MAX_PENDING_DEFAULT = 1024;

    /**
     * Upper bound of transfers submitted to a sender and not ended.
     */
    public static final int MAX_PENDING_LIMIT = 1 << 20;

    /**
     * Time that a device copy may take.
     */
    public static final long COPY_TIMEOUT_NS_DEFAULT = TimeUnit.SECONDS.toNanos(5);

    /**
     * Time between Hellos until one is answered.
     */
    public static final long HELLO_INTERVAL_NS_DEFAULT = TimeUnit.MILLISECONDS.toNanos(100);

    /**
     * Time to wait for the confirmation of a cancel.
     */
    public static final long CANCEL_TIMEOUT_NS_DEFAULT = TimeUnit.SECONDS.toNanos(1);

    /**
     * Time that a transfer of a recording may take.
     */
    public static final long REPLAY_TIMEOUT_NS_DEFAULT = TimeUnit.SECONDS.toNanos(60);

    /**
     * Payload bytes that may be sent ahead of their landing.
     */
    public static final long CREDIT_WINDOW_BYTES_DEFAULT = 16L << 20;

    /**
     * Smallest credit window: credit is told in quarters of it, and a chunk of the longest frame must fit the rest.
     */
    public static final long CREDIT_WINDOW_BYTES_MIN = 128L << 10;

    /**
     * Property for the payload bytes of a transfer that may come before its blocks are granted.
     */
    public static final String EAGER_BYTES_PROP_NAME = "millrace.kv.eager.bytes";

    /**
     * Payload bytes of a transfer that may come before its blocks are granted: two blocks of 64 KiB.
     */
    public static final int EAGER_BYTES_DEFAULT = 128 << 10;

    /**
     * Times that a damaged layer is asked for again.
     */
    public static final int MAX_LAYER_RETRIES_DEFAULT = 3;

    /**
     * Fragments that a receiver takes per duty cycle.
     */
    public static final int FRAGMENT_LIMIT_DEFAULT = 32;

    static final int IDLE_SPINS = 100;
    static final int IDLE_YIELDS = 10;

    private KvConfiguration()
    {
    }

    /**
     * Channel of the KV stream.
     *
     * @return of the property, or the default.
     */
    public static String channel()
    {
        return System.getProperty(CHANNEL_PROP_NAME, CHANNEL_DEFAULT);
    }

    /**
     * Id of the KV stream.
     *
     * @return of the property, or the default.
     */
    public static int streamId()
    {
        return Integer.getInteger(STREAM_ID_PROP_NAME, STREAM_ID_DEFAULT);
    }

    /**
     * Payload bytes of a transfer that may come before its blocks are granted.
     *
     * @return of the property, or the default.
     */
    public static int eagerBytes()
    {
        return SystemUtil.getSizeAsInt(EAGER_BYTES_PROP_NAME, EAGER_BYTES_DEFAULT);
    }

    /**
     * Channel of grants and acknowledgements.
     *
     * @return of the property, or the default.
     */
    public static String reverseChannel()
    {
        return System.getProperty(REVERSE_CHANNEL_PROP_NAME, REVERSE_CHANNEL_DEFAULT);
    }

    /**
     * Id of the stream of grants and acknowledgements.
     *
     * @return of the property, or the default.
     */
    public static int reverseStreamId()
    {
        return Integer.getInteger(REVERSE_STREAM_ID_PROP_NAME, REVERSE_STREAM_ID_DEFAULT);
    }
}
