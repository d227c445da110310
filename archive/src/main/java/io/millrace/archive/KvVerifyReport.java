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
package io.millrace.archive;

import java.util.List;

/**
 * What a check of recordings and index found.
 *
 * @param recordings       that were read.
 * @param bytes            of them.
 * @param transfers        that are committed and whole.
 * @param missing          transfers that the index did not know; it does now.
 * @param stale            transfers that the index knew and the recordings do not hold whole; forgotten now.
 * @param indexDamagedAt   byte of the first damaged record in the index's file, -1 for none.
 * @param damagedTransfers sentences about transfers whose bytes do not match the sender's checksums.
 * @param damages          segments that cannot be read.
 */
public record KvVerifyReport(
    int recordings,
    long bytes,
    long transfers,
    long missing,
    long stale,
    long indexDamagedAt,
    List<String> damagedTransfers,
    List<KvDamage> damages)
{
    /**
     * Is all as it should be.
     *
     * @return false when something is damaged, missing or stale.
     */
    public boolean isClean()
    {
        return 0 == missing && 0 == stale && indexDamagedAt < 0 && damagedTransfers.isEmpty() && damages.isEmpty();
    }
}
