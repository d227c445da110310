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
package io.millrace.samples.disaggregated;

/**
 * What the router tells an instance.
 *
 * @param kind   of command.
 * @param id     of the request or transfer.
 * @param peer   name or endpoint of another instance.
 * @param hashes of blocks.
 * @param tokens to compute.
 */
record Command(Kind kind, long id, String peer, long[] hashes, int tokens)
{
    /**
     * Kinds of commands.
     */
    enum Kind
    {
        /**
         * To prefill and archive: begin a session with the decode instance at an endpoint.
         */
        CONNECT,

        /**
         * To decode: take a request; its tokens are those of the answer.
         */
        ADMIT,

        /**
         * To the archive: how many blocks from the first on are stored.
         */
        PLAN,

        /**
         * To prefill and archive: produce blocks, and send them to a decode instance.
         */
        SEND,

        /**
         * To drivers: tell what was counted.
         */
        COUNT
    }

    static Command connect(final String endpoint)
    {
        return new Command(Kind.CONNECT, 0, endpoint, null, 0);
    }

    static Command admit(final Prompt prompt)
    {
        return new Command(Kind.ADMIT, prompt.index(), null, prompt.hashes(), prompt.outputTokens());
    }

    static Command plan(final long id, final long[] hashes)
    {
        return new Command(Kind.PLAN, id, null, hashes, 0);
    }

    static Command send(final long id, final String peer, final long[] hashes, final int tokens)
    {
        return new Command(Kind.SEND, id, peer, hashes, tokens);
    }

    static Command count()
    {
        return new Command(Kind.COUNT, 0, null, null, 0);
    }
}
