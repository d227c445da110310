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
package io.millrace.efa.rail;

import io.millrace.efa.libfabric.CompletionBatch;
import io.millrace.efa.libfabric.CompletionError;
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.libfabric.FabricFlags;
import io.millrace.efa.libfabric.FabricNic;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.MemoryRegion;
import org.agrona.UnsafeApi;
import org.mockito.Mockito;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * An endpoint whose completions, errors and back-pressure are given by the test.
 */
public final class ScriptedEndpoint implements FabricEndpoint
{
    /**
     * A send that has not ended.
     *
     * @param context   of the operation.
     * @param bytes     of the message.
     * @param immediate of the message.
     * @param fiAddr    of the peer.
     */
    public record Posted(long context, byte[] bytes, long immediate, long fiAddr)
    {
    }

    /**
     * A message on its way to another endpoint.
     */
    public record Message(byte[] target, byte[] bytes, long immediate)
    {
    }

    /**
     * A write that was posted and has ended.
     */
    public record Write(byte[] target, long key, long remoteAddress, long length, long immediate)
    {
    }

    private record Completion(long context, long flags, long length, long data)
    {
    }

    private static final AtomicLong SEQUENCE = new AtomicLong();

    public final List<Posted> sent = new ArrayList<>();
    public final List<Write> writes = new ArrayList<>();
    public final List<Long> openKeys = new ArrayList<>();
    public long maxRmaLength;
    boolean isDeliveryAnswered;
    int unanswered;
    final List<byte[]> injected = new ArrayList<>();
    final Deque<Long> receives = new ArrayDeque<>();
    final Deque<Long> receiveAddresses = new ArrayDeque<>();
    final List<Long> removed = new ArrayList<>();
    private final Map<Long, byte[]> inserted = new HashMap<>();
    private final List<Message> messages = new ArrayList<>();
    public long postResult;
    int pollFailure;
    String eventError;
    boolean isClosed;
    private final Deque<Completion> completions = new ArrayDeque<>();
    private final Deque<Completion> errors = new ArrayDeque<>();
    public FabricException readFailure;
    private final int depth;
    private final int injectLength;
    private final long maxSendLength;
    private final FabricNic nic = Mockito.mock(FabricNic.class);
    private final byte[] localAddress = ByteBuffer.allocate(8).putLong(SEQUENCE.incrementAndGet()).array();
    private long nextAddress = 100;

    public ScriptedEndpoint(final int depth, final int injectLength, final long maxSendLength)
    {
        this.depth = depth;
        this.injectLength = injectLength;
        this.maxSendLength = maxSendLength;
    }

    /**
     * Let a send end.
     *
     * @param index among those sent.
     */
    public void completeSend(final int index)
    {
        completions.add(new Completion(sent.get(index).context(), FabricFlags.SEND | FabricFlags.MSG, 0, 0));
    }

    public void failSend(final int index)
    {
        errors.add(new Completion(sent.get(index).context(), FabricFlags.SEND, 0, 0));
    }

    /**
     * Messages injected since the last call.
     */
    public List<Message> takeMessages()
    {
        final List<Message> taken = List.copyOf(messages);
        messages.clear();
        return taken;
    }

    /**
     * Entries of the address vector.
     */
    public int addresses()
    {
        return inserted.size();
    }

    /**
     * A message comes in.
     */
    public void arrive(final byte[] message, final long immediate)
    {
        final long address = receiveAddresses.remove();
        for (int i = 0; i < message.length; i++)
        {
            UnsafeApi.putByte(address + i, message[i]);
        }
        completions.add(new Completion(
            receives.remove(), FabricFlags.RECV | FabricFlags.MSG, message.length, immediate));
    }

    /**
     * Let a write of a peer arrive.
     */
    public void arrive(final Write write)
    {
        completions.add(new Completion(
            0, FabricFlags.REMOTE_WRITE | FabricFlags.REMOTE_CQ_DATA | FabricFlags.RMA, write.length(),
            write.immediate()));
    }

    /**
     * Let a write of a peer arrive that takes a posted receive.
     */
    public void arriveTakingReceive(final long immediate, final int length)
    {
        receiveAddresses.remove();
        completions.add(new Completion(
            receives.remove(), FabricFlags.REMOTE_WRITE | FabricFlags.REMOTE_CQ_DATA | FabricFlags.RMA, length,
            immediate));
    }

    @Override
    public FabricNic nic()
    {
        return nic;
    }

    @Override
    public int txDepth()
    {
        return depth;
    }

    @Override
    public int rxDepth()
    {
        return depth;
    }

    @Override
    public int cqDepth()
    {
        return 2 * depth;
    }

    @Override
    public int injectLength()
    {
        return injectLength;
    }

    @Override
    public long maxSendLength()
    {
        return maxSendLength;
    }

    @Override
    public long maxRmaLength()
    {
        return maxRmaLength;
    }

    @Override
    public int immediateLength()
    {
        return 4;
    }

    @Override
    public boolean needsDescriptor()
    {
        return true;
    }

    @Override
    public boolean virtualAddressing()
    {
        return true;
    }

    @Override
    public boolean writeDataTakesReceive()
    {
        return false;
    }

    @Override
    public byte[] localAddress()
    {
        return localAddress;
    }

    @Override
    public long insertAddress(final byte[] rawAddress)
    {
        inserted.put(nextAddress, rawAddress);
        return nextAddress++;
    }

    @Override
    public void removeAddress(final long fiAddr)
    {
        if (null == inserted.remove(fiAddr))
        {
            throw new AssertionError("removed an address that is not there: " + fiAddr);
        }
        removed.add(fiAddr);
    }

    @Override
    public MemoryRegion register(final long address, final long length, final int access)
    {
        final long key = SEQUENCE.incrementAndGet();
        openKeys.add(key);
        return new MemoryRegion()
        {
            @Override
            public long descriptor()
            {
                return 0xDE5C;
            }

            @Override
            public long key()
            {
                return key;
            }

            @Override
            public long address()
            {
                return address;
            }

            @Override
            public long length()
            {
                return length;
            }

            @Override
            public long remoteBase()
            {
                return address;
            }

            @Override
            public void close()
            {
                openKeys.remove(key);
            }
        };
    }

    @Override
    public long send(
        final long address,
        final int length,
        final long descriptor,
        final long immediate,
        final long fiAddr,
        final long context)
    {
        if (0 == postResult)
        {
            if (!inserted.containsKey(fiAddr))
            {
                throw new AssertionError("sent to an address that is not there: " + fiAddr);
            }
            sent.add(new Posted(context, bytes(address, length), immediate, fiAddr));
        }

        return postResult;
    }

    @Override
    public boolean isDeliveryAnswered()
    {
        return isDeliveryAnswered;
    }

    @Override
    public long sendUnanswered(
        final long address,
        final int length,
        final long descriptor,
        final long immediate,
        final long fiAddr,
        final long context)
    {
        unanswered++;
        return send(address, length, descriptor, immediate, fiAddr, context);
    }

    @Override
    public long inject(final long address, final int length, final long immediate, final long fiAddr)
    {
        if (0 == postResult)
        {
            if (!inserted.containsKey(fiAddr))
            {
                throw new AssertionError("sent to an address that is not there: " + fiAddr);
            }
            injected.add(bytes(address, length));
            messages.add(new Message(inserted.get(fiAddr), bytes(address, length), immediate));
        }

        return postResult;
    }

    @Override
    public long receive(final long address, final long length, final long descriptor, final long context)
    {
        receives.add(context);
        receiveAddresses.add(address);
        return 0;
    }

    @Override
    public long write(
        final long address,
        final long length,
        final long descriptor,
        final long fiAddr,
        final long remoteAddress,
        final long key,
        final long context)
    {
        return -FabricErrors.ENOSYS;
    }

    @Override
    public long writeData(
        final long address,
        final long length,
        final long descriptor,
        final long immediate,
        final long fiAddr,
        final long remoteAddress,
        final long key,
        final long context)
    {
        if (0 == maxRmaLength)
        {
            return -FabricErrors.ENOSYS;
        }

        writes.add(new Write(inserted.get(fiAddr), key, remoteAddress, length, immediate));
        completions.add(new Completion(context, FabricFlags.WRITE | FabricFlags.RMA, 0, 0));
        return 0;
    }

    @Override
    public int poll(final CompletionBatch batch)
    {
        if (0 != pollFailure)
        {
            return pollFailure;
        }

        int count = 0;
        while (count < batch.capacity() && !completions.isEmpty())
        {
            final Completion completion = completions.remove();
            batch.set(count++, completion.context(), completion.flags(), completion.length(), completion.data());
        }

        return 0 == count && !errors.isEmpty() ? -FabricErrors.EAVAIL : count;
    }

    @Override
    public boolean readError(final CompletionError error)
    {
        if (null != readFailure)
        {
            throw readFailure;
        }

        final Completion completion = errors.poll();
        if (null == completion)
        {
            return false;
        }

        error.set(FabricProvider.EFA, completion.context(), completion.flags(), 0, FabricErrors.EHOSTUNREACH, 15);
        return true;
    }

    @Override
    public int pollEvents()
    {
        return null == eventError ? 0 : 1;
    }

    @Override
    public String eventErrorText()
    {
        return eventError;
    }

    @Override
    public void close()
    {
        isClosed = true;
    }

    private static byte[] bytes(final long address, final int length)
    {
        final byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = UnsafeApi.getByte(address + i);
        }

        return bytes;
    }
}
