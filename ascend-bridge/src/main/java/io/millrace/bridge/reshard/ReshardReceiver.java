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

import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;

import io.millrace.bridge.KvBlockAllocator;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvInboundTransfer;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvTransferInfo;
import io.millrace.bridge.KvTransferStats;
import io.millrace.bridge.PagedKvCache;

/**
 * Puts the transfers of one request, that come from several source ranks, together in the blocks of one destination
 * rank: allocator and listener of its {@link io.millrace.bridge.KvReceiver}s. Source ranks may differ in number from
 * request to request. Threads may call concurrently.
 */
public final class ReshardReceiver implements KvBlockAllocator, KvReceiverListener
{
    /**
     * Requests that have begun and not ended, unless told otherwise.
     */
    public static final int MAX_REQUESTS_DEFAULT = 4096;

    private final CacheShape shape;
    private final Sharding sharding;
    private final int rank;
    private final PagedKvCache cache;
    private final long timeoutNs;
    private final int maxRequests;
    private final ReshardListener listener;
    private final Map<Long, ReshardRequest> requests = new HashMap<>();

    /**
     * Receive for a rank.
     *
     * @param shape     of the whole cache.
     * @param sharding  of the destination side.
     * @param rank      that the cache belongs to.
     * @param cache     of the rank.
     * @param timeoutNs nanoseconds from a request's first transfer to its last, 1 and up.
     * @param listener  told of layers and requests.
     */
    public ReshardReceiver(
        final CacheShape shape,
        final Sharding sharding,
        final int rank,
        final PagedKvCache cache,
        final long timeoutNs,
        final ReshardListener listener)
    {
        this(shape, sharding, rank, cache, timeoutNs, MAX_REQUESTS_DEFAULT, listener);
    }

    /**
     * Receive for a rank, with a bound of requests.
     *
     * @param shape       of the whole cache.
     * @param sharding    of the destination side.
     * @param rank        that the cache belongs to.
     * @param cache       of the rank.
     * @param timeoutNs   nanoseconds from a request's first transfer to its last, 1 and up.
     * @param maxRequests that have begun and not ended, 1 and up.
     * @param listener    told of layers and requests.
     */
    public ReshardReceiver(
        final CacheShape shape,
        final Sharding sharding,
        final int rank,
        final PagedKvCache cache,
        final long timeoutNs,
        final int maxRequests,
        final ReshardListener listener)
    {
        sharding.check(shape);
        if (!sharding.layout(shape).equals(cache.layout()))
        {
            throw new IllegalArgumentException("cache has " + cache.layout() + ", rank " + rank + " of " + sharding +
                " holds " + sharding.layout(shape) + ": allocate the cache with that layout");
        }
        if (rank < 0 || rank >= sharding.tpSize() || timeoutNs < 1 || maxRequests < 1)
        {
            throw new IllegalArgumentException("rank=" + rank + " must be 0 to " + (sharding.tpSize() - 1) +
                ", timeoutNs=" + timeoutNs + " and maxRequests=" + maxRequests + " must be 1 or more");
        }
        this.shape = shape;
        this.sharding = sharding;
        this.rank = rank;
        this.cache = cache;
        this.timeoutNs = timeoutNs;
        this.maxRequests = maxRequests;
        this.listener = listener;
    }

    /**
     * {@inheritDoc}
     */
    public synchronized KvBlocks allocate(final KvTransferInfo info)
    {
        ReshardRequest request = requests.get(info.requestId());
        if (null != request && !request.source(info.tpRank()).isOf(info.transferId()))
        {
            throw new KvException(KvError.DUPLICATE_TRANSFER, "source rank " + info.tpRank() +
                " sends request " + info.requestId() + " a second time");
        }
        final ShardCopy copy = copyOf(info);
        if (null == request)
        {
            if (requests.size() >= maxRequests)
            {
                throw new KvException(KvError.OVERLOADED, "rank " + rank + " has " + requests.size() +
                    " requests that have not ended, maxRequests=" + maxRequests);
            }
            request = new ReshardRequest(info, sourceRanks(info), System.nanoTime() + timeoutNs);
            requests.put(info.requestId(), request);
        }
        if (request.isFailed)
        {
            throw new KvException(KvError.CANCELED, "request " + info.requestId() + " failed at rank " + rank +
                " before source rank " + info.tpRank() + " began");
        }
        if (request.tpSize != info.tpSize() || request.tokenCount != info.tokenCount())
        {
            throw new KvException(KvError.BAD_LAYOUT, "source rank " + info.tpRank() + " sends " + info.tokenCount() +
                " tokens from tpSize=" + info.tpSize() + ", another sends " + request.tokenCount + " from tpSize=" +
                request.tpSize + " for the same request");
        }
        if (null == request.blocks)
        {
            request.blocks = allocate(info.tokenCount());
        }
        if (null == request.blocks)
        {
            return null;
        }

        request.open++;
        request.source(info.tpRank()).isGranted = true;
        return ReshardPlan.destinationBlocks(
            shape, sharding, copy, request.blocks, info.tokenCount(), info.layout());
    }

    /**
     * {@inheritDoc}
     */
    public synchronized void release(final KvTransferInfo info, final KvBlocks blocks)
    {
        final ReshardRequest request = requests.get(info.requestId());
        if (null != request)
        {
            request.open--;
            clean(info.requestId(), request);
        }
    }

    /**
     * {@inheritDoc}
     */
    public synchronized void onTransferBegin(final KvInboundTransfer transfer)
    {
        final ReshardRequest request = requests.get(transfer.info().requestId());
        if (null != request)
        {
            request.source(transfer.info().tpRank()).transfer = transfer;
            if (request.isFailed)
            {
                transfer.cancel();
            }
        }
    }

    /**
     * {@inheritDoc}
     */
    public synchronized void onLayer(final KvInboundTransfer transfer, final int layer)
    {
        final long requestId = transfer.info().requestId();
        final ReshardRequest request = requests.get(requestId);
        if (null != request && !request.isFailed && ++request.landed[layer] == request.sourceRanks)
        {
            listener.onLayer(requestId, layer, request.blocks);
        }
    }

    /**
     * {@inheritDoc}
     */
    public synchronized void onTransferComplete(
        final long transferId, final long requestId, final KvTransferStats stats)
    {
        final ReshardRequest request = requests.get(requestId);
        if (null != request)
        {
            request.open--;
            request.ended++;
            if (!request.isFailed && request.ended == request.sourceRanks)
            {
                requests.remove(requestId);
                listener.onRequestComplete(requestId, request.blocks, request.tokenCount);
            }
            else
            {
                clean(requestId, request);
            }
        }
    }

    /**
     * {@inheritDoc}
     */
    public synchronized void onTransferFailed(
        final long transferId, final long requestId, final KvError reason, final String text)
    {
        final ReshardRequest request = requests.get(requestId);
        if (null == request)
        {
            listener.onRequestFailed(requestId, reason, text);
        }
        else if (request.end(transferId))
        {
            request.ended++;
            fail(requestId, request, reason, text);
            clean(requestId, request);
        }
    }

    /**
     * Fail the requests whose time is over, some of whose source ranks may never have begun. To be called now and then.
     *
     * @return requests that failed.
     */
    public synchronized int checkDeadlines()
    {
        final long nowNs = System.nanoTime();
        int failed = 0;
        for (final Iterator<Map.Entry<Long, ReshardRequest>> i = requests.entrySet().iterator(); i.hasNext();)
        {
            final Map.Entry<Long, ReshardRequest> entry = i.next();
            final ReshardRequest request = entry.getValue();
            if (nowNs - request.deadlineNs >= 0)
            {
                failed += request.isFailed ? 0 : 1;
                fail(entry.getKey(), request, KvError.DEADLINE, "transfers of " + request.begun() + " of " +
                    request.sourceRanks + " source ranks began, " + request.ended + " ended, within " + timeoutNs +
                    " ns");
                if (0 == request.open)
                {
                    free(request);
                    i.remove();
                }
            }
        }
        return failed;
    }

    /**
     * Requests that have begun and not ended.
     *
     * @return 0 and up.
     */
    public synchronized int activeRequests()
    {
        return requests.size();
    }

    private ShardCopy copyOf(final KvTransferInfo info)
    {
        final ShardCopy copy;
        try
        {
            copy = ReshardPlan.copyOf(shape, sharding, rank, info);
        }
        catch (final IllegalArgumentException ex)
        {
            throw new KvException(KvError.BAD_LAYOUT, ex.getMessage());
        }
        if (null == copy)
        {
            throw new KvException(KvError.BAD_LAYOUT, "source rank " + info.tpRank() + " of " + info.tpSize() +
                " has nothing to send to rank " + rank + " of " + sharding.tpSize() +
                ": plan both ends with the same shape and shardings");
        }
        return copy;
    }

    private int sourceRanks(final KvTransferInfo info)
    {
        return ReshardPlan.of(shape, new Sharding(info.tpSize(), 1, sharding.order()), sharding)
            .copiesTo(rank).size();
    }

    private KvBlocks allocate(final int tokenCount)
    {
        final int count = cache.layout().blocksFor(tokenCount);
        if (count > cache.blockCapacity())
        {
            throw new KvException(KvError.NO_BLOCKS, "request has " + tokenCount + " tokens in " + count +
                " blocks, the cache of rank " + rank + " has " + cache.blockCapacity() + " in all");
        }
        return cache.allocate(count);
    }

    private void fail(final long requestId, final ReshardRequest request, final KvError reason, final String text)
    {
        if (!request.isFailed)
        {
            request.isFailed = true;
            request.cancel();
            listener.onRequestFailed(requestId, reason, text);
        }
    }

    /**
     * Forget a failed request when every source rank's transfer has ended; until then late ones are refused.
     */
    private void clean(final long requestId, final ReshardRequest request)
    {
        if (request.isFailed && 0 == request.open)
        {
            free(request);
            if (request.ended >= request.sourceRanks)
            {
                requests.remove(requestId);
            }
        }
    }

    private void free(final ReshardRequest request)
    {
        if (null != request.blocks)
        {
            cache.free(request.blocks);
            request.blocks = null;
        }
    }
}
