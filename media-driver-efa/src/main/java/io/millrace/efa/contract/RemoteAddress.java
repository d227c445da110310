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
package io.millrace.efa.contract;

import java.nio.ByteBuffer;

/**
 * An address in the address vector.
 */
final class RemoteAddress
{
    private final ByteBuffer raw;
    private final long token;
    private final long fiAddr;
    private int insertions;
    private volatile int inFlight;

    RemoteAddress(final ByteBuffer raw, final long token, final long fiAddr)
    {
        this.raw = raw;
        this.token = token;
        this.fiAddr = fiAddr;
    }

    ByteBuffer raw()
    {
        return raw;
    }

    long token()
    {
        return token;
    }

    long fiAddr()
    {
        return fiAddr;
    }

    void onInserted()
    {
        insertions++;
    }

    int onRemoved()
    {
        return --insertions;
    }

    int inFlight()
    {
        return inFlight;
    }

    /** Owner of the endpoint only. */
    void onPosted()
    {
        inFlight = inFlight + 1;
    }

    /** Owner of the endpoint only. */
    void onCompleted()
    {
        inFlight = inFlight - 1;
    }
}
