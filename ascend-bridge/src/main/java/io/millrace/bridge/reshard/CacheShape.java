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
package io.millrace.bridge.reshard;

import io.millrace.bridge.KvDtype;
import io.millrace.bridge.KvLayout;

/**
 * The whole cache of a model, before it is divided over ranks.
 *
 * @param layers  of the cache, 1 to 65534.
 * @param kvHeads of all ranks together, 1 to 65534; 1 for a latent.
 * @param headDim elements of a head, or of the latent, 1 to 65534.
 * @param dtype   of an element.
 * @param parts   2 for K and V, 1 for a latent.
 */
public record CacheShape(int layers, int kvHeads, int headDim, KvDtype dtype, int parts)
{
    /**
     * Check the ranges.
     */
    public CacheShape
    {
        // Its checks are the same.
        new KvLayout(layers, kvHeads, headDim, dtype, 1, parts);
    }

    /**
     * K and V of each head.
     *
     * @param layers  of the cache, 1 to 65534.
     * @param kvHeads of all ranks together, 1 to 65534.
     * @param headDim elements of a head, 1 to 65534.
     * @param dtype   of an element.
     * @return the shape.
     */
    public static CacheShape perHead(final int layers, final int kvHeads, final int headDim, final KvDtype dtype)
    {
        return new CacheShape(layers, kvHeads, headDim, dtype, KvLayout.PARTS);
    }

    /**
     * One latent vector for a token (multi-head latent attention), which every rank holds whole.
     *
     * @param layers of the cache, 1 to 65534.
     * @param dim    elements of the latent, its positional part included, 1 to 65534.
     * @param dtype  of an element.
     * @return the shape.
     */
    public static CacheShape latent(final int layers, final int dim, final KvDtype dtype)
    {
        return new CacheShape(layers, 1, dim, dtype, 1);
    }

    /**
     * Bytes of one head of one token in one part.
     *
     * @return bytes.
     */
    public int rowBytes()
    {
        return headDim * dtype.bytes();
    }
}
