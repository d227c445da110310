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

import java.util.concurrent.TimeUnit;

import io.millrace.bridge.device.KvEvent;

/**
 * What to send: blocks of one request. Fluent; not thread-safe; may be reused after it was submitted.
 */
public final class KvTransferRequest
{
    /**
     * Time a transfer may take unless told otherwise.
     */
    public static final long DEFAULT_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(30);

    private static final int MAX_TAG_LENGTH = 64;
    private static final int MAX_RANKS = 65534;

    private long requestId;
    private KvLayout layout;
    private KvBlocks blocks;
    private int tokenCount = -1;
    private String modelTag = "";
    private long[] blockHashes;
    private boolean layerwise;
    private long timeoutNs = DEFAULT_TIMEOUT_NS;
    private long grantTimeoutNs;
    private long resumeTimeoutNs;
    private KvPriority priority = KvPriority.NORMAL;
    private KvFailurePolicy failurePolicy = KvFailurePolicy.FAIL;
    private KvEvent acquired;
    private int tpRank;
    private int tpSize = 1;
    private int ppRank;
    private int ppSize = 1;

    /**
     * With defaults.
     */
    public KvTransferRequest()
    {
    }

    /**
     * Set the requestId.
     *
     * @param value of the serving system, any value.
     * @return this for a fluent API.
     */
    public KvTransferRequest requestId(final long value)
    {
        requestId = value;
        return this;
    }

    /**
     * Get the requestId.
     *
     * @return of the serving system, any value.
     */
    public long requestId()
    {
        return requestId;
    }

    /**
     * Set the layout.
     *
     * @param value of the source's cache.
     * @return this for a fluent API.
     */
    public KvTransferRequest layout(final KvLayout value)
    {
        layout = value;
        return this;
    }

    /**
     * Get the layout.
     *
     * @return of the source's cache.
     */
    public KvLayout layout()
    {
        return layout;
    }

    /**
     * Set the blocks.
     *
     * @param value to send; their device memory must stay unchanged until the terminal state, see
     *              {@link KvTransfer} for when it may be freed.
     * @return this for a fluent API.
     */
    public KvTransferRequest blocks(final KvBlocks value)
    {
        blocks = value;
        return this;
    }

    /**
     * Get the blocks.
     *
     * @return to send; their device memory must stay unchanged until the terminal state.
     */
    public KvBlocks blocks()
    {
        return blocks;
    }

    /**
     * Set the tokenCount.
     *
     * @param value that are valid, by default all that the blocks hold.
     * @return this for a fluent API.
     */
    public KvTransferRequest tokenCount(final int value)
    {
        tokenCount = value;
        return this;
    }

    /**
     * Get the tokenCount.
     *
     * @return that are valid, by default all that the blocks hold.
     */
    public int tokenCount()
    {
        return tokenCount;
    }

    /**
     * Set the modelTag.
     *
     * @param value names the model, ASCII, at most 64 characters.
     * @return this for a fluent API.
     */
    public KvTransferRequest modelTag(final String value)
    {
        modelTag = value;
        return this;
    }

    /**
     * Get the modelTag.
     *
     * @return names the model, ASCII, at most 64 characters.
     */
    public String modelTag()
    {
        return modelTag;
    }

    /**
     * Set the blockHashes.
     *
     * @param value one per block, or null; not copied.
     * @return this for a fluent API.
     */
    public KvTransferRequest blockHashes(final long[] value)
    {
        blockHashes = value;
        return this;
    }

    /**
     * Get the blockHashes.
     *
     * @return one per block, or null; not copied.
     */
    public long[] blockHashes()
    {
        return blockHashes;
    }

    /**
     * Set the layerwise.
     *
     * @param value true to hold each layer back until {@link KvTransfer#layerReady(int)}.
     * @return this for a fluent API.
     */
    public KvTransferRequest layerwise(final boolean value)
    {
        layerwise = value;
        return this;
    }

    /**
     * Get the layerwise.
     *
     * @return true to hold each layer back until {@link KvTransfer#layerReady(int)}.
     */
    public boolean layerwise()
    {
        return layerwise;
    }

    /**
     * Set the timeoutNs.
     *
     * @param value from submission to the last acknowledgement, 1 and up.
     * @return this for a fluent API.
     */
    public KvTransferRequest timeoutNs(final long value)
    {
        timeoutNs = value;
        return this;
    }

    /**
     * Get the timeoutNs.
     *
     * @return from submission to the last acknowledgement, 1 and up.
     */
    public long timeoutNs()
    {
        return timeoutNs;
    }

    /**
     * Set the grantTimeoutNs.
     *
     * @param value nanoseconds from the announcement to the grant of every receiver, 0 for no limit but the
     *              transfer's own. With a limit no data is sent before the grant.
     * @return this for a fluent API.
     */
    public KvTransferRequest grantTimeoutNs(final long value)
    {
        grantTimeoutNs = value;
        return this;
    }

    /**
     * Get the grantTimeoutNs.
     *
     * @return nanoseconds from the announcement to the grant of every receiver, 0 for none.
     */
    public long grantTimeoutNs()
    {
        return grantTimeoutNs;
    }

    /**
     * Set the resumeTimeoutNs.
     *
     * @param value nanoseconds to wait for the receiver when its session, driver or process is lost, and to go on
     *              from the last committed layer; 0, the default, fails the transfer then. A sender that lost its own
     *              driver or process goes on by submitting the same request again.
     * @return this for a fluent API.
     */
    public KvTransferRequest resumeTimeoutNs(final long value)
    {
        resumeTimeoutNs = value;
        return this;
    }

    /**
     * Get the resumeTimeoutNs.
     *
     * @return nanoseconds that a lost session is waited for, 0 for not at all.
     */
    public long resumeTimeoutNs()
    {
        return resumeTimeoutNs;
    }

    /**
     * Set the priority.
     *
     * @param value in relation to other transfers of the sender.
     * @return this for a fluent API.
     */
    public KvTransferRequest priority(final KvPriority value)
    {
        priority = value;
        return this;
    }

    /**
     * Get the priority.
     *
     * @return in relation to other transfers of the sender.
     */
    public KvPriority priority()
    {
        return priority;
    }

    /**
     * Set the failurePolicy.
     *
     * @param value what the receiver's side does if the transfer fails.
     * @return this for a fluent API.
     */
    public KvTransferRequest failurePolicy(final KvFailurePolicy value)
    {
        failurePolicy = value;
        return this;
    }

    /**
     * Get the failurePolicy.
     *
     * @return what the receiver's side does if the transfer fails.
     */
    public KvFailurePolicy failurePolicy()
    {
        return failurePolicy;
    }

    /**
     * Let the copies start only after the producer's compute stream reached an event.
     *
     * @param value event of the sender's device that stays open until the transfer has ended, null for none.
     * @return this for a fluent API.
     */
    public KvTransferRequest acquire(final KvEvent value)
    {
        acquired = value;
        return this;
    }

    /**
     * Event that the copies wait for.
     *
     * @return null for none.
     */
    public KvEvent acquired()
    {
        return acquired;
    }

    /**
     * Set the tpRank.
     *
     * @param value tensor-parallel rank of the source.
     * @return this for a fluent API.
     */
    public KvTransferRequest tpRank(final int value)
    {
        tpRank = value;
        return this;
    }

    /**
     * Get the tpRank.
     *
     * @return tensor-parallel rank of the source.
     */
    public int tpRank()
    {
        return tpRank;
    }

    /**
     * Set the tpSize.
     *
     * @param value tensor-parallel size of the source, 1 to 65534.
     * @return this for a fluent API.
     */
    public KvTransferRequest tpSize(final int value)
    {
        tpSize = value;
        return this;
    }

    /**
     * Get the tpSize.
     *
     * @return tensor-parallel size of the source, 1 to 65534.
     */
    public int tpSize()
    {
        return tpSize;
    }

    /**
     * Set the ppRank.
     *
     * @param value pipeline-parallel rank of the source.
     * @return this for a fluent API.
     */
    public KvTransferRequest ppRank(final int value)
    {
        ppRank = value;
        return this;
    }

    /**
     * Get the ppRank.
     *
     * @return pipeline-parallel rank of the source.
     */
    public int ppRank()
    {
        return ppRank;
    }

    /**
     * Set the ppSize.
     *
     * @param value pipeline-parallel size of the source, 1 to 65534.
     * @return this for a fluent API.
     */
    public KvTransferRequest ppSize(final int value)
    {
        ppSize = value;
        return this;
    }

    /**
     * Get the ppSize.
     *
     * @return pipeline-parallel size of the source, 1 to 65534.
     */
    public int ppSize()
    {
        return ppSize;
    }

    /**
     * Check what was set.
     *
     * @throws IllegalArgumentException that names value, rule and remedy.
     */
    public void validate()
    {
        if (null == layout || null == blocks)
        {
            throw new IllegalArgumentException("layout and blocks must be set: layout=" + layout + " blocks=" + blocks);
        }
        final int blockCount = blocks.blockCount();
        check("blockCount", blockCount, 1, Integer.MAX_VALUE);
        check("timeoutNs", timeoutNs, 1, Long.MAX_VALUE);
        check("grantTimeoutNs", grantTimeoutNs, 0, Long.MAX_VALUE);
        check("resumeTimeoutNs", resumeTimeoutNs, 0, Long.MAX_VALUE);
        if (null == priority || null == failurePolicy)
        {
            throw new IllegalArgumentException(
                "priority=" + priority + " and failurePolicy=" + failurePolicy + " must be set");
        }
        check("tokenCount", tokenCount, -1, (long)blockCount * layout.tokensPerBlock());
        check("tpSize", tpSize, 1, MAX_RANKS);
        check("tpRank", tpRank, 0, tpSize - 1);
        check("ppSize", ppSize, 1, MAX_RANKS);
        check("ppRank", ppRank, 0, ppSize - 1);
        if (null != blockHashes && blockHashes.length != blockCount)
        {
            throw new IllegalArgumentException(
                "blockHashes has " + blockHashes.length + " hashes for " + blockCount + " blocks: give one per block");
        }
        if (null == modelTag || modelTag.length() > MAX_TAG_LENGTH ||
            !modelTag.chars().allMatch(c -> c > 31 && c < 127))
        {
            throw new IllegalArgumentException(
                "modelTag '" + modelTag + "' must be printable ASCII of at most " + MAX_TAG_LENGTH + " characters");
        }
    }

    private static void check(final String name, final long value, final long min, final long max)
    {
        if (value < min || value > max)
        {
            throw new IllegalArgumentException(name + "=" + value + " is out of range: use " + min + " to " + max);
        }
    }
}
