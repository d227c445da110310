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
 * One transfer of a request as the coordinator sees it. A request whose policy is to recompute may have several.
 */
final class Attempt
{
    /**
     * What a side said in the end.
     */
    enum End
    {
        NONE, GOOD, FAILED
    }

    final long index;
    final int tokens;
    final int number;
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

    Attempt(final long index, final int tokens, final int number, final int prefill, final int decode)
    {
        this.index = index;
        this.tokens = tokens;
        this.number = number;
        this.prefill = prefill;
        this.decode = decode;
        policy = 0 == index % 4 ? KvFailurePolicy.FAIL : KvFailurePolicy.RECOMPUTE;
    }

    /**
     * Id that no other attempt has: the fate of an earlier one must not pass for this one's.
     */
    long id()
    {
        return (long)number << 32 | index;
    }

    /**
     * The prefill side believes in a transfer that the decode side has lost since.
     */
    boolean isToBeRecalled()
    {
        return End.FAILED == decodeEnd && End.GOOD == prefillEnd;
    }

    boolean isEnded()
    {
        return End.NONE != prefillEnd && End.NONE != decodeEnd && !isToBeRecalled();
    }

    @Override
    public String toString()
    {
        return "request " + index + " attempt " + number + " (" + policy + ") prefill-" + prefill + " " + prefillEnd +
            " '" + prefillText + "', decode-" + decode + " " + decodeEnd + " '" + decodeText + "'" +
            (isExpected ? "" : ", not expected") + (isSent ? "" : ", not sent");
    }
}
