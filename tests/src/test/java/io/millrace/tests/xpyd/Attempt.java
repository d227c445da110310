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
package io.millrace.tests.xpyd;

import io.millrace.bridge.KvFailurePolicy;

/**
 * A request as the coordinator sees it.
 */
final class Attempt
{
    /**
     * What a side said in the end.
     */
    enum End
    {
        NONE, GOOD, FAILED, RECOMPUTED
    }

    final long index;
    final int tokens;
    final int prefill;
    final int decode;
    final KvFailurePolicy policy;
    final long beginNs = System.nanoTime();
    boolean isExpected;
    boolean isSent;
    End prefillEnd = End.NONE;
    End decodeEnd = End.NONE;
    String prefillText = "";
    String decodeText = "";

    Attempt(final long index, final int tokens, final int prefill, final int decode)
    {
        this.index = index;
        this.tokens = tokens;
        this.prefill = prefill;
        this.decode = decode;
        policy = policy(index);
    }

    /**
     * Does its prefill instance give it up half way.
     */
    static boolean isAbandoned(final long index)
    {
        return 4 == index % 10;
    }

    static KvFailurePolicy policy(final long index)
    {
        return 0 == index % 4 ? KvFailurePolicy.FAIL : KvFailurePolicy.RECOMPUTE;
    }

    /**
     * The decode side has ended without what was sent.
     */
    boolean isLost()
    {
        return End.FAILED == decodeEnd || End.RECOMPUTED == decodeEnd;
    }

    /**
     * The prefill side believes in a transfer that the decode side has lost since.
     */
    boolean isToBeRecalled()
    {
        return isLost() && End.GOOD == prefillEnd;
    }

    boolean isEnded()
    {
        return End.NONE != prefillEnd && End.NONE != decodeEnd && !isToBeRecalled();
    }

    @Override
    public String toString()
    {
        return "request " + index + " (" + policy + ") prefill-" + prefill + " " + prefillEnd +
            " '" + prefillText + "', decode-" + decode + " " + decodeEnd + " '" + decodeText + "'" +
            (isExpected ? "" : ", not expected") + (isSent ? "" : ", not sent");
    }
}
