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

import com.sun.jna.Memory;
import io.millrace.bridge.device.KvEvent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The library as one device uses it: contexts of threads, codes, events, and whether the device is lost.
 */
final class AclRuntime
{
    private static final Logger LOGGER = LoggerFactory.getLogger(AclRuntime.class);
    private static final long SAME_CONTEXT = -1;

    private final AclDevice.Context ctx;
    private final int logicalId;
    private final String name;
    private final AclLibrary library;
    private final long context;
    private final AclInfo info;
    private volatile String lostText;
    private volatile boolean isClosed;

    AclRuntime(final AclDevice.Context ctx)
    {
        this.ctx = ctx;
        logicalId = ctx.deviceId();
        name = "acl:" + logicalId;
        library = AclLibrary.open(ctx.libraryPath(), ctx.aclConfigPath());
        final long previous;
        boolean isSet = false;
        try
        {
            final Memory out = AclLibrary.scratch();
            check("aclrtGetDeviceCount", AclCalls.aclrtGetDeviceCount(AclLibrary.address(out)));
            final int deviceCount = out.getInt(0);
            if (logicalId < 0 || logicalId >= deviceCount)
            {
                throw new IllegalArgumentException("device " + name + " is not there: libascendcl sees " +
                    deviceCount + " devices, with ids from 0; check npu-smi and ASCEND_RT_VISIBLE_DEVICES");
            }
            previous = currentContext();
            library.setDevice(logicalId, name);
            isSet = true;
            context = currentContext();
            info = new AclInfo(name, physicalId(), library.socName(), library.version(), library.path(),
                library.isInitializedHere(), library.features());
        }
        catch (final RuntimeException ex)
        {
            if (isSet)
            {
                resetDevice();
            }
            releaseLibrary();
            throw ex;
        }
        exit(previous);
    }

    void resetDevice()
    {
        library.resetDevice(logicalId, name);
    }

    void releaseLibrary()
    {
        library.release(ctx.finalizeOnClose());
    }

    void onClose()
    {
        isClosed = true;
    }

    boolean isClosed()
    {
        return isClosed;
    }

    AclInfo info()
    {
        return info;
    }

    String name()
    {
        return name;
    }

    int logicalId()
    {
        return logicalId;
    }

    AclLibrary library()
    {
        return library;
    }

    String lostText()
    {
        return lostText;
    }

    void onError(final int code, final String text)
    {
        if (AclError.isDeviceLost(code) && null == lostText)
        {
            lostText = name + " is lost: " + text + "; close it and restart the process";
            LOGGER.error(lostText);
        }
    }

    /**
     * Make the device's context the calling thread's.
     *
     * @return for {@link #exit}.
     */
    long enter()
    {
        final long previous = currentContext();
        if (previous == context)
        {
            return SAME_CONTEXT;
        }
        check("aclrtSetCurrentContext", AclCalls.aclrtSetCurrentContext(context));
        return previous;
    }

    long enterOpen()
    {
        checkOpen();
        return enter();
    }

    void checkOpen()
    {
        if (isClosed)
        {
            throw new IllegalStateException(name + " is closed");
        }
    }

    /**
     * Give the calling thread its context back. A thread that had none keeps the device's: there is no way to none.
     */
    void exit(final long previous)
    {
        if (previous > 0)
        {
            check("aclrtSetCurrentContext", AclCalls.aclrtSetCurrentContext(previous));
        }
    }

    void check(final String call, final int code)
    {
        library.check(call, code, name);
    }

    AclException error(final String call, final int code)
    {
        return library.error(call, code, name);
    }

    void checkFeature(final AclFeature feature)
    {
        if (!library.has(feature))
        {
            throw new UnsupportedOperationException(
                feature + " needs " + String.join(", ", feature.symbols()) + ", which " + library.path() + " lacks");
        }
    }

    /**
     * Wait for a stream without limit.
     */
    void synchronize(final long stream)
    {
        enter();
        AclCalls.aclrtSynchronizeStream(stream);
    }

    long createEvent()
    {
        final Memory out = AclLibrary.scratch();
        check("aclrtCreateEvent", AclCalls.aclrtCreateEvent(AclLibrary.address(out)));
        return out.getLong(0);
    }

    KvEvent recordEvent(final long computeStream)
    {
        final long previous = enterOpen();
        try
        {
            final long event = createEvent();
            final int code = AclCalls.aclrtRecordEvent(event, computeStream);
            if (AclError.SUCCESS != code)
            {
                final AclException error = error("aclrtRecordEvent", code);
                AclCalls.aclrtDestroyEvent(event);
                throw error;
            }
            return new AclEvent(this, event);
        }
        finally
        {
            exit(previous);
        }
    }

    private long currentContext()
    {
        final Memory out = AclLibrary.scratch();
        final int code = AclCalls.aclrtGetCurrentContext(AclLibrary.address(out));
        if (AclError.CONTEXT_NULL == code)
        {
            return 0;
        }
        check("aclrtGetCurrentContext", code);
        return out.getLong(0);
    }

    private int physicalId()
    {
        if (!library.has(AclFeature.PHYSICAL_ID))
        {
            return logicalId;
        }
        final Memory out = AclLibrary.scratch();
        final int code = library.call(AclFeature.PHYSICAL_ID, logicalId, out);
        return AclError.SUCCESS == code ? out.getInt(0) : logicalId;
    }
}
