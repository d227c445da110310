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
import io.millrace.bridge.device.CopyDirection;
import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.KvDeviceMeter;

/**
 * Hands the copies of a batch to the library: in one call where it can, else one by one.
 */
final class AclCopyStarter
{
    private final AclDevice device;
    private final AclRuntime runtime;
    private final KvDeviceMeter meter;
    private final Memory attributes = new Memory(AclAbi.BATCH_ATTR_SIZE + 2L * Long.BYTES);

    AclCopyStarter(final AclDevice device, final KvDeviceMeter meter)
    {
        this.device = device;
        this.meter = meter;
        runtime = device.runtime();
        attributes.clear();
    }

    /**
     * Start the copies. After a failure some of them may run: the event behind them tells when they ended.
     */
    void start(final AclCopy copy, final long stream)
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
            device.stopUsingBatch(runtime.error("aclrtMemcpyBatchAsync", code).getMessage());
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
        attributes.setInt(offset + AclAbi.MEM_LOCATION_ID, isDevice ? runtime.logicalId() : 0);
        attributes.setInt(
            offset + AclAbi.MEM_LOCATION_TYPE, isDevice ? AclAbi.LOCATION_DEVICE : AclAbi.LOCATION_HOST);
    }

    private void fail(final AclCopy copy, final String call, final int code, final String detail)
    {
        copy.failure = runtime.error(call, code).getMessage() + detail;
        runtime.onError(code, copy.failure);
    }
}
