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
package io.millrace.bridge.device.acl;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import com.sun.jna.Memory;
import io.millrace.bridge.device.CopyDirection;
import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.KvCopyQueue;
import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.KvDeviceMeter;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies of one thread. Batches that acquired an event have a stream of their own: the others do not wait behind it.
 * An event behind each batch tells its end, also when the device took only a part of its copies.
 */
final class AclCopyQueue implements KvCopyQueue
{
    private static final Logger LOGGER = LoggerFactory.getLogger(AclCopyQueue.class);
    private static final long RETRY_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long CLOSE_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(5);
    private static final long PARK_NS = TimeUnit.MICROSECONDS.toNanos(50);

    private final AclDevice device;
    private final AclLibrary library;
    private final KvDeviceMeter meter;
    private final Thread owner = Thread.currentThread();
    private final AclStream plain;
    private final AclStream acquiring;
    private final AclStream[] streams;
    private final ArrayDeque<AclCopy> spare = new ArrayDeque<>();
    private final ArrayList<AclCopy> copies = new ArrayList<>();
    private final Memory attributes = new Memory(AclAbi.BATCH_ATTR_SIZE + 2L * Long.BYTES);
    private int inFlight;
    private boolean isClosed;

    AclCopyQueue(final AclDevice device, final KvDeviceMeter meter)
    {
        this.device = device;
        this.meter = meter;
        library = device.library();
        plain = new AclStream(device);
        acquiring = new AclStream(device);
        streams = new AclStream[]{plain, acquiring};
        attributes.clear();
        final long previous = device.enter();
        try
        {
            plain.handle();
        }
        finally
        {
            device.exit(previous);
        }
    }

    public boolean submit(final KvCopyBatch batch)
    {
        final AclStream stream = null == batch.acquired() ? plain : acquiring;
        if (null != stream.trouble && stream.inFlight.isEmpty())
        {
            replace(stream);
        }
        final String refusal = isClosed ? "queue of " + device.name() + " is closed" :
            null != device.lostText() ? device.lostText() : stream.trouble;
        if (null != refusal)
        {
            batch.onFailed(refusal);
            return true;
        }
        if (inFlight == device.maxInFlight())
        {
            return false;
        }

        final long previous = device.enter();
        try
        {
            begin(batch, stream);
        }
        finally
        {
            device.exit(previous);
        }
        return true;
    }

    private void begin(final KvCopyBatch batch, final AclStream stream)
    {
        final AclCopy copy = spare.isEmpty() ? new AclCopy() : spare.pop();
        final int outside = copy.hold(batch, device.registry(), device.pinned());
        if (outside >= 0)
        {
            spare.push(copy);
            batch.onFailed(device.contains(batch.deviceAddress(outside), batch.length(outside)) ?
                "host memory at 0x" + Long.toHexString(batch.hostAddress(outside)) + " is being unpinned from " +
                device.name() + ", or its device memory unregistered: copy before that" :
                KvDevice.outOfRange(device.name(), batch.deviceAddress(outside), batch.length(outside)));
            return;
        }
        try
        {
            start(copy, stream);
        }
        catch (final AclException ex)
        {
            // Thrown before the first copy was started.
            copy.release();
            spare.push(copy);
            device.onError(ex.code(), ex.getMessage());
            batch.onFailed(ex.getMessage());
        }
    }

    public int poll(final KvCopyBatch batch)
    {
        if (KvCopyBatch.PENDING == batch.status())
        {
            final long previous = device.enter();
            try
            {
                check((AclCopy)batch.attachment());
            }
            finally
            {
                device.exit(previous);
            }
        }
        return batch.status();
    }

    /**
     * Look after all batches, on the owner's thread.
     *
     * @return false on another thread.
     */
    boolean pollAll()
    {
        if (Thread.currentThread() != owner)
        {
            return false;
        }
        pollInFlight();
        return true;
    }

    public void close()
    {
        if (isClosed)
        {
            return;
        }

        final long deadlineNs = System.nanoTime() + CLOSE_TIMEOUT_NS;
        while (inFlight > 0 && System.nanoTime() - deadlineNs < 0)
        {
            pollInFlight();
            LockSupport.parkNanos(PARK_NS);
        }
        if (inFlight > 0)
        {
            abort();
        }
        isClosed = true;
        try
        {
            destroyAll();
        }
        finally
        {
            device.onQueueClosed(this);
        }
    }

    private void abort()
    {
        final long previous = device.enter();
        try
        {
            for (final AclStream stream : streams)
            {
                if (!stream.inFlight.isEmpty())
                {
                    recover(stream, "queue of " + device.name() + " was closed");
                }
            }
        }
        finally
        {
            device.exit(previous);
        }
        if (inFlight > 0)
        {
            throw new IllegalStateException(inFlight + " batches of " + device.name() + " still run after " +
                CLOSE_TIMEOUT_NS + " ns and could not be aborted: their memory must stay allocated");
        }
    }

    /**
     * Destroy all, whatever of it fails.
     */
    private void destroyAll()
    {
        final List<AutoCloseable> all = new ArrayList<>(List.of(plain::destroy, acquiring::destroy));
        copies.forEach(copy -> all.add(() ->
            device.check("aclrtDestroyEvent", AclCalls.aclrtDestroyEvent(copy.event))));
        final long previous = device.enter();
        try
        {
            CloseHelper.closeAll(all);
        }
        finally
        {
            device.exit(previous);
        }
    }

    private void start(final AclCopy copy, final AclStream stream)
    {
        final KvCopyBatch batch = copy.batch;
        final long handle = stream.handle();
        if (0 == copy.event)
        {
            copy.event = device.createEvent();
            copies.add(copy);
        }
        if (batch.acquired() instanceof AclEvent)
        {
            device.check("aclrtStreamWaitEvent",
                AclCalls.aclrtStreamWaitEvent(handle, ((AclEvent)batch.acquired()).handle()));
        }
        else if (null != batch.acquired())
        {
            batch.onFailed("event is not of " + device.name() + ": make it with its recordEvent");
            copy.release();
            spare.push(copy);
            return;
        }

        batch.attachment(copy);
        batch.onSubmitted();
        copy.stream = stream;
        copy.startNs = System.nanoTime();
        issue(copy, handle);
        final int code = AclCalls.aclrtRecordEvent(copy.event, handle);
        copy.isRecorded = AclError.SUCCESS == code;
        stream.inFlight.add(copy);
        inFlight++;
        if (!copy.isRecorded)
        {
            recover(stream, device.error("aclrtRecordEvent", code).getMessage());
        }
    }

    /**
     * Start the copies. After a failure some of them may run: the event behind them tells when they ended.
     */
    private void issue(final AclCopy copy, final long stream)
    {
        final KvCopyBatch batch = copy.batch;
        if (batch.count() > 1 && device.isBatchUsed())
        {
            final int code = issueBatch(copy, stream);
            if (AclError.FEATURE_NOT_SUPPORT != code)
            {
                if (AclError.SUCCESS != code)
                {
                    final long failIndex = attributes.getLong(AclAbi.BATCH_ATTR_SIZE + Long.BYTES);
                    fail(copy, "aclrtMemcpyBatchAsync", code,
                        failIndex < 0 ? "" : " (copy " + failIndex + " of " + batch.count() + ")");
                }
                return;
            }
            device.stopUsingBatch(device.error("aclrtMemcpyBatchAsync", code).getMessage());
        }

        if (batch.count() > 1)
        {
            meter.onBatchFallback();
        }
        final int kind =
            CopyDirection.DEVICE_TO_HOST == batch.direction() ? AclAbi.DEVICE_TO_HOST : AclAbi.HOST_TO_DEVICE;
        for (int i = 0; i < batch.count(); i++)
        {
            final long length = batch.length(i);
            final int code = AclCalls.aclrtMemcpyAsync(
                batch.destination(i), length, batch.source(i), length, kind, stream);
            if (AclError.SUCCESS != code)
            {
                fail(copy, "aclrtMemcpyAsync", code, " (copy " + i + " of " + batch.count() + ")");
                return;
            }
        }
    }

    private int issueBatch(final AclCopy copy, final long stream)
    {
        final boolean isFromDevice = CopyDirection.DEVICE_TO_HOST == copy.batch.direction();
        location(AclAbi.BATCH_ATTR_DST, !isFromDevice);
        location(AclAbi.BATCH_ATTR_SRC, isFromDevice);
        final long attribute = AclLibrary.address(attributes);
        final long index = attribute + AclAbi.BATCH_ATTR_SIZE;
        final long destinations = copy.fillArrays();
        final long sources = destinations + copy.arrayBytes();
        final long sizes = sources + copy.arrayBytes();
        return AclCalls.Batch.aclrtMemcpyBatchAsync(destinations, sizes, sources, sizes, copy.batch.count(),
            attribute, index, 1, index + Long.BYTES, stream);
    }

    private void location(final int offset, final boolean isDevice)
    {
        attributes.setInt(offset + AclAbi.MEM_LOCATION_ID, isDevice ? device.logicalId() : 0);
        attributes.setInt(
            offset + AclAbi.MEM_LOCATION_TYPE, isDevice ? AclAbi.LOCATION_DEVICE : AclAbi.LOCATION_HOST);
    }

    private void fail(final AclCopy copy, final String call, final int code, final String detail)
    {
        copy.failure = device.error(call, code).getMessage() + detail;
        device.onError(code, copy.failure);
    }

    private void check(final AclCopy copy)
    {
        final int state = copy.isRecorded ? library.queryEvent(copy.event) : 0;
        if (state > 0)
        {
            copy.stream.inFlight.remove(copy);
            end(copy, copy.failure);
        }
        else if (state < 0)
        {
            final String text = device.error("aclrtQueryEventStatus", -state).getMessage();
            device.onError(-state, text);
            recover(copy.stream, text);
        }
        else if (!copy.isRecorded || System.nanoTime() - copy.startNs > device.abortTimeoutNs())
        {
            recover(copy.stream, null != copy.stream.trouble ? copy.stream.trouble :
                "copies of " + device.name() + " have not ended within " + device.abortTimeoutNs() + " ns");
        }
    }

    /**
     * Give up a stream: its batches fail once nothing runs on it any more, and a new one takes its place.
     */
    private void recover(final AclStream stream, final String text)
    {
        final long nowNs = System.nanoTime();
        if (null != stream.trouble && nowNs - stream.retryNs < 0)
        {
            return;
        }
        if (null == stream.trouble)
        {
            LOGGER.warn("stream of {} is given up with {} batches: {}", device.name(), stream.inFlight.size(), text);
        }
        stream.trouble = text;
        stream.retryNs = nowNs + RETRY_NS;
        if (stream.abort())
        {
            meter.onStreamAborted();
        }
        if (stream.isDrained())
        {
            for (int i = stream.inFlight.size() - 1; i >= 0; i--)
            {
                final AclCopy copy = stream.inFlight.remove(i);
                final boolean isDone = copy.isRecorded && library.queryEvent(copy.event) > 0;
                end(copy, null != copy.failure ? copy.failure : isDone ? null : text);
            }
            destroy(stream);
        }
    }

    /**
     * What was stuck on a stream has ended after all: a new one takes its place.
     */
    private void replace(final AclStream stream)
    {
        final long previous = device.enter();
        try
        {
            if (stream.isDrained())
            {
                destroy(stream);
            }
        }
        finally
        {
            device.exit(previous);
        }
    }

    /**
     * Destroy an empty stream. Its batches have ended: a failure is told, and costs no more than the handle.
     */
    private void destroy(final AclStream stream)
    {
        try
        {
            stream.destroy();
        }
        catch (final AclException ex)
        {
            device.onError(ex.code(), ex.getMessage());
            LOGGER.error("empty stream of {} is lost: {}", device.name(), ex.getMessage());
        }
    }

    private void end(final AclCopy copy, final String failure)
    {
        final KvCopyBatch batch = copy.batch;
        copy.release();
        spare.push(copy);
        inFlight--;
        if (null == failure)
        {
            batch.onCompleted();
        }
        else
        {
            batch.onFailed(failure);
        }
    }

    private void pollInFlight()
    {
        for (final AclStream stream : streams)
        {
            for (int i = stream.inFlight.size() - 1; i >= 0; i--)
            {
                // One poll may end all of a stream.
                if (i < stream.inFlight.size())
                {
                    poll(stream.inFlight.get(i).batch);
                }
            }
        }
    }
}
