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
    private final AclRuntime runtime;
    private final AclLibrary library;
    private final KvDeviceMeter meter;
    private final Thread owner = Thread.currentThread();
    private final AclCopyStarter starter;
    private final AclStream plain;
    private final AclStream acquiring;
    private final AclStream[] streams;
    private final ArrayDeque<AclCopy> spare = new ArrayDeque<>();
    private final ArrayList<AclCopy> copies = new ArrayList<>();
    private int inFlight;
    private boolean isClosed;

    AclCopyQueue(final AclDevice device, final KvDeviceMeter meter)
    {
        this.device = device;
        this.meter = meter;
        runtime = device.runtime();
        library = runtime.library();
        starter = new AclCopyStarter(device, meter);
        plain = new AclStream(runtime);
        acquiring = new AclStream(runtime);
        streams = new AclStream[]{plain, acquiring};
        final long previous = runtime.enter();
        try
        {
            plain.handle();
        }
        finally
        {
            runtime.exit(previous);
        }
    }

    public boolean submit(final KvCopyBatch batch)
    {
        final AclStream stream = null == batch.acquired() ? plain : acquiring;
        if (null != stream.trouble && stream.inFlight.isEmpty())
        {
            replace(stream);
        }
        final String refusal = isClosed ? "queue of " + runtime.name() + " is closed" :
            null != runtime.lostText() ? runtime.lostText() : stream.trouble;
        if (null != refusal)
        {
            batch.onFailed(refusal);
            return true;
        }
        if (inFlight == device.maxInFlight())
        {
            return false;
        }

        final long previous = runtime.enter();
        try
        {
            begin(batch, stream);
        }
        finally
        {
            runtime.exit(previous);
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
                runtime.name() + ", or its device memory unregistered: copy before that" :
                KvDevice.outOfRange(runtime.name(), batch.deviceAddress(outside), batch.length(outside)));
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
            runtime.onError(ex.code(), ex.getMessage());
            batch.onFailed(ex.getMessage());
        }
    }

    public int poll(final KvCopyBatch batch)
    {
        if (KvCopyBatch.PENDING == batch.status())
        {
            final long previous = runtime.enter();
            try
            {
                check((AclCopy)batch.attachment());
            }
            finally
            {
                runtime.exit(previous);
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
        final long previous = runtime.enter();
        try
        {
            for (final AclStream stream : streams)
            {
                if (!stream.inFlight.isEmpty())
                {
                    recover(stream, "queue of " + runtime.name() + " was closed");
                }
            }
        }
        finally
        {
            runtime.exit(previous);
        }
        if (inFlight > 0)
        {
            throw new IllegalStateException(inFlight + " batches of " + runtime.name() + " still run after " +
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
            runtime.check("aclrtDestroyEvent", AclCalls.aclrtDestroyEvent(copy.event))));
        final long previous = runtime.enter();
        try
        {
            CloseHelper.closeAll(all);
        }
        finally
        {
            runtime.exit(previous);
        }
    }

    private void start(final AclCopy copy, final AclStream stream)
    {
        final KvCopyBatch batch = copy.batch;
        final long handle = stream.handle();
        if (0 == copy.event)
        {
            copy.event = runtime.createEvent();
            copies.add(copy);
        }
        if (batch.acquired() instanceof AclEvent)
        {
            runtime.check("aclrtStreamWaitEvent",
                AclCalls.aclrtStreamWaitEvent(handle, ((AclEvent)batch.acquired()).handle()));
        }
        else if (null != batch.acquired())
        {
            batch.onFailed("event is not of " + runtime.name() + ": make it with its recordEvent");
            copy.release();
            spare.push(copy);
            return;
        }

        batch.attachment(copy);
        batch.onSubmitted();
        copy.stream = stream;
        copy.startNs = System.nanoTime();
        starter.start(copy, handle);
        final int code = AclCalls.aclrtRecordEvent(copy.event, handle);
        copy.isRecorded = AclError.SUCCESS == code;
        stream.inFlight.add(copy);
        inFlight++;
        if (!copy.isRecorded)
        {
            recover(stream, runtime.error("aclrtRecordEvent", code).getMessage());
        }
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
            final String text = runtime.error("aclrtQueryEventStatus", -state).getMessage();
            runtime.onError(-state, text);
            recover(copy.stream, text);
        }
        else if (!copy.isRecorded || System.nanoTime() - copy.startNs > device.abortTimeoutNs())
        {
            recover(copy.stream, null != copy.stream.trouble ? copy.stream.trouble :
                "copies of " + runtime.name() + " have not ended within " + device.abortTimeoutNs() + " ns");
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
            LOGGER.warn("stream of {} is given up with {} batches: {}", runtime.name(), stream.inFlight.size(), text);
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
        final long previous = runtime.enter();
        try
        {
            if (stream.isDrained())
            {
                destroy(stream);
            }
        }
        finally
        {
            runtime.exit(previous);
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
            runtime.onError(ex.code(), ex.getMessage());
            LOGGER.error("empty stream of {} is lost: {}", runtime.name(), ex.getMessage());
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
