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

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Shape of a paged KV cache. A block holds {@code tokensPerBlock} tokens of one layer as two parts, K then V, or as one
 * part where K and V share a latent; each part has {@code [tokensPerBlock][kvHeads][headDim]} elements.
 *
 * @param layers         of the cache, 1 to 65534.
 * @param kvHeads        of each layer, 1 to 65534.
 * @param headDim        elements of a head, 1 to 65534.
 * @param dtype          of an element.
 * @param tokensPerBlock 1 to 65534.
 * @param parts          2 for K and V, 1 for one latent part.
 */
public record KvLayout(int layers, int kvHeads, int headDim, KvDtype dtype, int tokensPerBlock, int parts)
{
    /**
     * Parts of a block unless told otherwise: 0 is K, 1 is V.
     */
    public static final int PARTS = 2;

    /**
     * Tokens in a block unless told otherwise.
     */
    public static final int DEFAULT_TOKENS_PER_BLOCK = 16;

    private static final int MAX_DIMENSION = 65534;
    private static final Pattern SHAPE = Pattern.compile("(\\d{1,5})x(\\d{1,5})x(\\d{1,5})");

    /**
     * Check the ranges.
     */
    public KvLayout
    {
        check("layers", layers);
        check("kvHeads", kvHeads);
        check("headDim", headDim);
        check("tokensPerBlock", tokensPerBlock);
        if (null == dtype)
        {
            throw new IllegalArgumentException("dtype is null: name one of KvDtype");
        }

        if (parts < 1 || parts > PARTS)
        {
            throw new IllegalArgumentException("parts=" + parts + " is out of range: use 1 to " + PARTS);
        }
        final long blockBytes = (long)parts * tokensPerBlock * kvHeads * headDim * dtype.bytes();
        if (blockBytes > Integer.MAX_VALUE)
        {
            throw new IllegalArgumentException("block of " + blockBytes + " bytes per layer exceeds " +
                Integer.MAX_VALUE + ": lower tokensPerBlock=" + tokensPerBlock + ", kvHeads or headDim");
        }
    }

    /**
     * Shape with K and V.
     *
     * @param layers         of the cache, 1 to 65534.
     * @param kvHeads        of each layer, 1 to 65534.
     * @param headDim        elements of a head, 1 to 65534.
     * @param dtype          of an element.
     * @param tokensPerBlock 1 to 65534.
     */
    public KvLayout(
        final int layers, final int kvHeads, final int headDim, final KvDtype dtype, final int tokensPerBlock)
    {
        this(layers, kvHeads, headDim, dtype, tokensPerBlock, PARTS);
    }

    /**
     * Parse a model name or {@code LAYERSxHEADSxDIM}, bf16, 16 tokens a block.
     *
     * @param text such as {@code qwen2.5-0.5b}, {@code llama-3-8b} or {@code 24x2x64}.
     * @return the layout.
     * @throws IllegalArgumentException that names text, rule and remedy.
     */
    public static KvLayout parse(final String text)
    {
        return parse(text, DEFAULT_TOKENS_PER_BLOCK);
    }

    /**
     * Parse a model name or {@code LAYERSxHEADSxDIM}, bf16.
     *
     * @param text           such as {@code qwen2.5-0.5b}, {@code llama-3-8b} or {@code 24x2x64}.
     * @param tokensPerBlock 1 to 65534.
     * @return the layout.
     * @throws IllegalArgumentException that names text, rule and remedy.
     */
    public static KvLayout parse(final String text, final int tokensPerBlock)
    {
        if ("qwen2.5-0.5b".equals(text))
        {
            return new KvLayout(24, 2, 64, KvDtype.BF16, tokensPerBlock);
        }
        if ("llama-3-8b".equals(text))
        {
            return new KvLayout(32, 8, 128, KvDtype.BF16, tokensPerBlock);
        }

        final Matcher matcher = SHAPE.matcher(null == text ? "" : text);
        if (!matcher.matches())
        {
            throw new IllegalArgumentException("model '" + text + "' is neither known nor a shape: use qwen2.5-0.5b, " +
                "llama-3-8b or LAYERSxHEADSxDIM such as 24x2x64");
        }

        return new KvLayout(
            Integer.parseInt(matcher.group(1)),
            Integer.parseInt(matcher.group(2)),
            Integer.parseInt(matcher.group(3)),
            KvDtype.BF16,
            tokensPerBlock);
    }

    /**
     * The same cache with other blocks.
     *
     * @param newTokensPerBlock 1 to 65534.
     * @return the layout.
     */
    public KvLayout withTokensPerBlock(final int newTokensPerBlock)
    {
        return new KvLayout(layers, kvHeads, headDim, dtype, newTokensPerBlock, parts);
    }

    /**
     * Bytes that one token takes in all layers.
     *
     * @return bytes.
     */
    public long bytesPerToken()
    {
        return (long)parts * layers * kvHeads * headDim * dtype.bytes();
    }

    /**
     * Bytes of one part of a block in one layer.
     *
     * @return bytes.
     */
    public int partBytes()
    {
        return tokensPerBlock * kvHeads * headDim * dtype.bytes();
    }

    /**
     * Bytes of a block in one layer.
     *
     * @return bytes.
     */
    public int blockBytesPerLayer()
    {
        return parts * partBytes();
    }

    /**
     * Blocks that hold some tokens.
     *
     * @param tokens 0 and up.
     * @return blocks, the last one perhaps not full.
     */
    public int blocksFor(final int tokens)
    {
        return (int)(((long)tokens + tokensPerBlock - 1) / tokensPerBlock);
    }

    /**
     * Bytes of one layer of some blocks.
     *
     * @param blockCount 0 and up.
     * @return bytes.
     */
    public long layerBytes(final int blockCount)
    {
        return (long)blockBytesPerLayer() * blockCount;
    }

    /**
     * Bytes of all layers of some blocks.
     *
     * @param blockCount 0 and up.
     * @return bytes.
     */
    public long totalBytes(final int blockCount)
    {
        return layerBytes(blockCount) * layers;
    }

    private static void check(final String name, final int value)
    {
        if (value < 1 || value > MAX_DIMENSION)
        {
            throw new IllegalArgumentException(
                name + "=" + value + " is out of range: use 1 to " + MAX_DIMENSION);
        }
    }
}
