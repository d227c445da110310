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

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.bridge.KvBlockAllocator;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvTransferInfo;
import io.millrace.bridge.KvTransferStats;
import io.millrace.bridge.session.KvRole;
import io.millrace.bridge.session.KvSession;
import io.millrace.bridge.session.SessionError;
import io.millrace.samples.demo.ParentLink;
import org.agrona.CloseHelper;

import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * A decode instance: keeps blocks of earlier requests, has the missing ones sent to it, and answers when all are there.
 */
public final class DecodeNode extends Node implements KvBlockAllocator, KvReceiverListener
{
    private static final class Request
    {
        private final Command command;
        private final BlockMemory.Block[] blocks;
        private final int cached;
        private final BitSet landed = new BitSet();
        private boolean isAnswered;

        private Request(final Command command, final BlockMemory.Block[] blocks, final int cached)
        {
            this.command = command;
            this.blocks = blocks;
            this.cached = cached;
            landed.set(0, cached);
        }

        // The first transfer of a request brings what follows the blocks that were here, the second one its last.
        private int from(final long transferId, final int count)
        {
            return Transfers.isHead(transferId) ? cached : blocks.length - count;
        }
    }

    private final Map<String, KvReceiver> receivers = new ConcurrentHashMap<>();
    private final Map<Long, Request> requests = new ConcurrentHashMap<>();
    private final Queue<Command> waiting = new ArrayDeque<>();
    private final BlockMemory memory = new BlockMemory(cache);
    private final BlockWork model = new BlockWork(device, layout);
    private final ScheduledExecutorService worker =
        Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().factory());

    private DecodeNode(final ParentLink link)
    {
        super(link, KvRole.DECODE);
    }

    /**
     * Started by the sample, not by a user.
     *
     * @param args unused.
     */
    public static void main(final String[] args)
    {
        start(DecodeNode::new);
    }

    @Override
    public void onSession(final KvSession session)
    {
        receivers.put(session.peer().name(), KvReceiver.launch(
            session.receiver(streams(new KvReceiver.Context())).allocator(this).listener(this)));
    }

    @Override
    public void onEnd(final KvSession session, final SessionError reason, final String text)
    {
        CloseHelper.quietClose(receivers.remove(session.peer().name()));
    }

    @Override
    void onCommand(final Command command)
    {
        work(worker, () ->
        {
            waiting.add(command);
            admit();
        });
    }

    // As many as there is room for, in their order.
    private void admit()
    {
        while (!waiting.isEmpty())
        {
            final Command command = waiting.peek();
            final int cached = memory.prefixLength(command.hashes());
            final BlockMemory.Block[] blocks = memory.acquire(command.hashes());
            if (null == blocks)
            {
                return;
            }
            waiting.remove();
            final Request request = new Request(command, blocks, cached);
            requests.put(command.id(), request);
            link.send(ParentLink.event("admitted").put("id", command.id()).put("cached", cached));
            answerIfComplete(request, System.nanoTime());
        }
    }

    /**
     * {@inheritDoc}
     */
    public KvBlocks allocate(final KvTransferInfo info)
    {
        final Request request = requests.get(Transfers.requestId(info.requestId()));
        if (null == request)
        {
            throw new KvException(KvError.NO_BLOCKS, "request " + info.requestId() + " was not admitted here");
        }
        return BlockMemory.view(
            request.blocks, request.from(info.requestId(), info.blockCount()), info.blockCount());
    }

    /**
     * {@inheritDoc}
     */
    public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
    {
        final long nowNs = System.nanoTime();
        final int count = stats.transfer().info().blockCount();
        work(worker, () ->
        {
            final Request request = requests.get(Transfers.requestId(requestId));
            if (null != request)
            {
                final int from = request.from(requestId, count);
                request.landed.set(from, from + count);
                answerIfComplete(request, nowNs);
            }
        });
    }

    private void answerIfComplete(final Request request, final long nowNs)
    {
        if (request.isAnswered || request.landed.cardinality() < request.blocks.length)
        {
            return;
        }
        request.isAnswered = true;
        // Here a model would go on with the blocks. This one checks them, those that were here before as well.
        long wrong = 0;
        for (int i = 0; i < request.blocks.length; i++)
        {
            wrong += model.isRight(BlockMemory.view(request.blocks, i, 1), 0, request.command.hashes()[i]) ? 0 : 1;
        }
        memory.share(request.blocks);
        final ObjectNode event = ParentLink.event("answered")
            .put("id", request.command.id()).put("firstTokenNs", nowNs).put("wrong", wrong);
        put(event.putArray("stored"), memory.takeStored());
        put(event.putArray("evicted"), memory.takeEvicted());
        link.send(event);
        worker.schedule(
            guarded(() -> end(request)), orders.computeNs(request.command.tokens()), TimeUnit.NANOSECONDS);
    }

    private void end(final Request request)
    {
        requests.remove(request.command.id());
        memory.release(request.blocks);
        link.send(ParentLink.event("done").put("id", request.command.id()));
        admit();
    }

    private static void put(final ArrayNode array, final List<Long> hashes)
    {
        hashes.forEach(array::add);
    }

    @Override
    public void close()
    {
        worker.shutdownNow();
        receivers.values().forEach(CloseHelper::quietClose);
        super.close();
    }
}
