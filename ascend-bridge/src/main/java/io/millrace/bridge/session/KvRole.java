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
package io.millrace.bridge.session;

/**
 * What an instance does with transfers.
 */
public enum KvRole
{
    /**
     * Sends.
     */
    PREFILL,

    /**
     * Receives.
     */
    DECODE,

    /**
     * Sends and receives.
     */
    BOTH;

    /**
     * Can a transfer go from one to the other, in either direction.
     *
     * @param other role of the peer.
     * @return false when both only send or both only receive.
     */
    public boolean matches(final KvRole other)
    {
        return this != other || BOTH == this;
    }

    /**
     * Does it send.
     *
     * @return true unless {@link #DECODE}.
     */
    public boolean sends()
    {
        return DECODE != this;
    }

    /**
     * Does it receive.
     *
     * @return true unless {@link #PREFILL}.
     */
    public boolean receives()
    {
        return PREFILL != this;
    }
}
