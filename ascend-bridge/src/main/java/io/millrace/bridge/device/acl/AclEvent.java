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
    private final AclRuntime runtime;
    private long handle;

    AclEvent(final AclRuntime runtime, final long handle)
    {
        this.runtime = runtime;
        this.handle = handle;
    }

    long handle()
    {
        return handle;
    }

    public boolean isReached()
    {
        final long previous = runtime.enter();
        try
        {
            final int state = runtime.library().queryEvent(handle);
            if (state < 0)
            {
                throw runtime.error("aclrtQueryEventStatus", -state);
            }
            return state > 0;
        }
        finally
        {
            runtime.exit(previous);
        }
    }

    public void close()
    {
        if (0 != handle)
        {
            final long previous = runtime.enter();
            try
            {
                runtime.check("aclrtDestroyEvent", AclCalls.aclrtDestroyEvent(handle));
                handle = 0;
            }
            finally
            {
                runtime.exit(previous);
            }
        }
    }
}
