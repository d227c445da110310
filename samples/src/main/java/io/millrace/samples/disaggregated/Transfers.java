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
 * Ids of a request's transfers. There are two at most: of the blocks after those that the decode instance has, from the
 * archive, and of the rest, from a prefill instance.
 */
final class Transfers
{
    private Transfers()
    {
    }

    static long head(final long requestId)
    {
        return requestId << 1;
    }

    static long tail(final long requestId)
    {
        return requestId << 1 | 1;
    }

    static boolean isHead(final long transferId)
    {
        return 0 == (transferId & 1);
    }

    static long requestId(final long transferId)
    {
        return transferId >> 1;
    }
}
