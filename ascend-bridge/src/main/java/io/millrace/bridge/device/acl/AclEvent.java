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

import io.millrace.bridge.device.KvEvent;

/**
 * An event of libascendcl.
 */
final class AclEvent implements KvEvent
{
    private final AclDevice device;
    private long handle;

    AclEvent(final AclDevice device, final long handle)
    {
        this.device = device;
        this.handle = handle;
    }

    long handle()
    {
        return handle;
    }

    public boolean isReached()
    {
        final long previous = device.enter();
        try
        {
            final int state = device.library().queryEvent(handle);
            if (state < 0)
            {
                throw device.error("aclrtQueryEventStatus", -state);
            }
            return state > 0;
        }
        finally
        {
            device.exit(previous);
        }
    }

    public void close()
    {
        if (0 != handle)
        {
            final long previous = device.enter();
            try
            {
                device.check("aclrtDestroyEvent", AclCalls.aclrtDestroyEvent(handle));
                handle = 0;
            }
            finally
            {
                device.exit(previous);
            }
        }
    }
}
