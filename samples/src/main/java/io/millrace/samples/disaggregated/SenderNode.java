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

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.session.KvRole;
import io.millrace.bridge.session.KvSession;
import io.millrace.bridge.session.SessionError;
import io.millrace.samples.demo.ParentLink;
import org.agrona.CloseHelper;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * An instance that sends blocks to decode instances: one sender for each session.
 */
abstract class SenderNode extends Node
{
    private static final long BLOCKS_DEADLINE_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long RETRY_NS = TimeUnit.MICROSECONDS.toNanos(100);
    private static final long TRANSFER_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(120);

    private final Map<String, KvSender> senders = new ConcurrentHashMap<>();
    private final ExecutorService worker = newThread();
    // Who joins is not to wait for what is being computed.
    private final ExecutorService joiner = newThread();

    SenderNode(final ParentLink link)
    {
        super(link, KvRole.PREFILL);
    }

    private static ExecutorService newThread()
    {
        return Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());
    }

    /**
     * Produce the blocks of a command in memory of the cache, and submit them.
     */
    abstract void produce(Command command, KvBlocks blocks);

    /**
     * Called before anything is published on a stream.
     */
    void beforeStream(final String channel, final int streamId)
    {
    }

    @Override
    void onCommand(final Command command)
    {
        if (Command.Kind.CONNECT == command.kind())
        {
            sessions().connect(command.peer()).whenComplete((session, failure) ->
            {
                if (null != failure)
                {
                    link.send(ParentLink.event("unreached")
                        .put("endpoint", command.peer()).put("text", failure.getMessage()));
                }
            });
        }
        else
        {
            work(worker, () -> send(command));
        }
    }

    @Override
    public void onSession(final KvSession session)
    {
        // Off the sessions' thread: probes wait for it.
        work(joiner, () ->
        {
            final KvSender.Context context = session.sender(streams(new KvSender.Context()));
            beforeStream(context.channel(), context.streamId());
            senders.put(session.peer().name(), KvSender.launch(context));
            link.send(ParentLink.event("up").put("peer", session.peer().name()));
        });
    }

    @Override
    public void onEnd(final KvSession session, final SessionError reason, final String text)
    {
        CloseHelper.quietClose(senders.remove(session.peer().name()));
    }

    private void send(final Command command)
    {
        KvBlocks blocks = null;
        try
        {
            blocks = awaitBlocks(command.hashes().length);
            produce(command, blocks);
        }
        catch (final KvException ex)
        {
            lost(command.id(), ex.getMessage());
            if (null != blocks)
            {
                cache.free(blocks);
            }
        }
    }

    // Blocks are free again when the transfers before this one have ended.
    private KvBlocks awaitBlocks(final int count)
    {
        final long startNs = System.nanoTime();
        KvBlocks blocks = cache.allocate(count);
        while (null == blocks)
        {
            if (System.nanoTime() - startNs > BLOCKS_DEADLINE_NS || Thread.currentThread().isInterrupted())
            {
                throw new IllegalStateException("no " + count + " of " + cache.blockCapacity() + " blocks in 60 s");
            }
            LockSupport.parkNanos(RETRY_NS);
            blocks = cache.allocate(count);
        }
        return blocks;
    }

    KvTransfer submit(final Command command, final KvBlocks blocks, final boolean layerwise)
    {
        final KvSender sender = senders.get(command.peer());
        if (null == sender)
        {
            throw new IllegalStateException("no session with " + command.peer());
        }
        return sender.submit(new KvTransferRequest()
            .requestId(command.id())
            .layout(layout)
            .blocks(blocks)
            .blockHashes(command.hashes())
            .modelTag(orders.model())
            .layerwise(layerwise)
            .timeoutNs(TRANSFER_TIMEOUT_NS + orders.computeNs(command.tokens())));
    }

    void onEnd(final KvTransfer transfer, final KvBlocks blocks)
    {
        cache.free(blocks);
        if (KvTransferState.COMPLETED == transfer.state())
        {
            link.send(ParentLink.event("sent").put("id", transfer.requestId()));
        }
        else
        {
            lost(transfer.requestId(), transfer.error() + " " + transfer.errorText());
        }
    }

    void lost(final long id, final String text)
    {
        link.send(ParentLink.event("lost").put("id", id).put("text", text));
    }

    @Override
    public void close()
    {
        joiner.shutdownNow();
        worker.shutdownNow();
        senders.values().forEach(CloseHelper::quietClose);
        super.close();
    }
}
