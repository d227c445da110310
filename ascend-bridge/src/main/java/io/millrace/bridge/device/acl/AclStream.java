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

import java.util.ArrayList;

import com.sun.jna.Memory;

/**
 * A stream of a queue with the copies in flight on it, made and used by the queue's thread.
 */
final class AclStream
{
    private static final int DRAIN_TIMEOUT_MS = 100;

    final ArrayList<AclCopy> inFlight = new ArrayList<>();

    /**
     * Why the stream takes nothing more until what is on it has ended, null while it works.
     */
    String trouble;
    long retryNs;
    private final AclRuntime runtime;
    private long handle;
    private Thread drainer;

    AclStream(final AclRuntime runtime)
    {
        this.runtime = runtime;
    }

    /**
     * The handle; the stream is created when there is none.
     */
    long handle()
    {
        if (0 == handle)
        {
            final Memory out = AclLibrary.scratch();
            runtime.check("aclrtCreateStream", AclCalls.aclrtCreateStream(AclLibrary.address(out)));
            handle = out.getLong(0);
        }
        return handle;
    }

    /**
     * Ask the device to give up what is on the stream.
     *
     * @return false when its library cannot.
     */
    boolean abort()
    {
        if (!runtime.library().has(AclFeature.STREAM_ABORT))
        {
            return false;
        }
        // The code is not looked at: what counts is whether the stream is empty afterwards.
        runtime.library().call(AclFeature.STREAM_ABORT, handle);
        return true;
    }

    /**
     * Has everything on the stream ended, well or not, within a short time.
     */
    boolean isDrained()
    {
        if (0 == handle)
        {
            return true;
        }
        if (runtime.library().has(AclFeature.STREAM_TIMEOUT))
        {
            return !AclError.isTimeout(runtime.library().call(AclFeature.STREAM_TIMEOUT, handle, DRAIN_TIMEOUT_MS));
        }

        // Older libraries wait without limit: let another thread do that.
        if (null == drainer)
        {
            final long stream = handle;
            drainer = new Thread(() -> runtime.synchronize(stream), "acl-drain-" + runtime.name());
            drainer.setDaemon(true);
            drainer.start();
        }
        try
        {
            drainer.join(DRAIN_TIMEOUT_MS);
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
        }
        return !drainer.isAlive();
    }

    /**
     * Destroy an empty stream; the next use creates another.
     */
    void destroy()
    {
        if (0 != handle)
        {
            final long stream = handle;
            handle = 0;
            drainer = null;
            trouble = null;
            runtime.check("aclrtDestroyStream", AclCalls.aclrtDestroyStream(stream));
        }
    }
}
