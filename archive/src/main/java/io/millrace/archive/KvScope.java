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

import io.millrace.archive.index.StoredTransfer;
import io.millrace.bridge.KvLayout;

/**
 * Within which block hashes name the same contents: one model, one cache layout, one rank.
 *
 * @param modelTag of the transfers, may be empty.
 * @param layout   of the source's cache.
 * @param tpRank   tensor-parallel rank of the source.
 * @param tpSize   tensor-parallel size of the source.
 * @param ppRank   pipeline-parallel rank of the source.
 * @param ppSize   pipeline-parallel size of the source.
 */
public record KvScope(String modelTag, KvLayout layout, int tpRank, int tpSize, int ppRank, int ppSize)
{
    /**
     * Scope of a source that is not split over ranks.
     *
     * @param modelTag of the transfers, may be empty.
     * @param layout   of the source's cache.
     */
    public KvScope(final String modelTag, final KvLayout layout)
    {
        this(modelTag, layout, 0, 1, 0, 1);
    }

    /**
     * What stands for it in the index.
     *
     * @return 64 bits.
     */
    public long id()
    {
        return id(modelTag, layout.layers(), layout.kvHeads(), layout.headDim(), layout.tokensPerBlock(),
            layout.blockBytesPerLayer(), layout.dtype().ordinal(), tpRank, tpSize, ppRank, ppSize);
    }

    static long id(
        final String modelTag,
        final int layers,
        final int kvHeads,
        final int headDim,
        final int tokensPerBlock,
        final long blockBytes,
        final int dtype,
        final int tpRank,
        final int tpSize,
        final int ppRank,
        final int ppSize)
    {
        return StoredTransfer.scopeOf(modelTag + '|' + layers + 'x' + kvHeads + 'x' + headDim + '|' + tokensPerBlock +
            '|' + blockBytes + '|' + dtype + "|tp" + tpRank + '/' + tpSize + "|pp" + ppRank + '/' + ppSize);
    }
}
