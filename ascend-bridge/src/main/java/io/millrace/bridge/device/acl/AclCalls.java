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

/**
 * Functions of libascendcl that are there since 2020, and those newer ones that copies use: mapped directly, without
 * garbage. Pointers, handles and sizes are longs. Context and error text belong to the calling thread.
 */
final class AclCalls
{
    private AclCalls()
    {
    }

    static native int aclInit(long configPath);

    static native int aclFinalize();

    static native int aclrtGetDeviceCount(long countOut);

    static native int aclrtSetDevice(int deviceId);

    static native int aclrtResetDevice(int deviceId);

    static native int aclrtSetCurrentContext(long context);

    static native int aclrtGetCurrentContext(long contextOut);

    static native int aclrtMalloc(long addressOut, long size, int policy);

    static native int aclrtFree(long address);

    static native int aclrtMallocHost(long addressOut, long size);

    static native int aclrtFreeHost(long address);

    static native int aclrtMemcpy(long destination, long destinationMax, long source, long count, int kind);

    static native int aclrtMemcpyAsync(
        long destination, long destinationMax, long source, long count, int kind, long stream);

    static native int aclrtCreateStream(long streamOut);

    static native int aclrtDestroyStream(long stream);

    static native int aclrtSynchronizeStream(long stream);

    static native int aclrtStreamWaitEvent(long stream, long event);

    static native int aclrtCreateEvent(long eventOut);

    static native int aclrtDestroyEvent(long event);

    static native int aclrtRecordEvent(long event, long stream);

    /**
     * There unless {@link EventStatus} is.
     */
    static final class Event
    {
        private Event()
        {
        }

        static native int aclrtQueryEvent(long event, long statusOut);
    }

    /**
     * Newer way to ask for an event.
     */
    static final class EventStatus
    {
        private EventStatus()
        {
        }

        static native int aclrtQueryEventStatus(long event, long statusOut);
    }

    /**
     * Many copies in one call.
     */
    static final class Batch
    {
        private Batch()
        {
        }

        static native int aclrtMemcpyBatchAsync(
            long destinations,
            long destinationMaxs,
            long sources,
            long sizes,
            long count,
            long attributes,
            long attributeIndexes,
            long attributeCount,
            long failIndexOut,
            long stream);
    }
}
