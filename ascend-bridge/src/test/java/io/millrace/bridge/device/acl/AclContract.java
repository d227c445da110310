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

import java.util.concurrent.TimeUnit;

import com.sun.jna.ptr.PointerByReference;
import com.sun.jna.Pointer;
import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.KvDeviceContract;
import io.millrace.bridge.device.KvEvent;

/**
 * The contract over the stand-in library.
 */
abstract class AclContract extends KvDeviceContract
{
    final StandIn standIn;

    AclContract(final StandIn.Symbols symbols)
    {
        standIn = StandIn.get(symbols);
    }

    protected KvDevice open()
    {
        return new AclDevice(standIn.context(1).drainTimeoutNs(TimeUnit.MILLISECONDS.toNanos(100)));
    }

    protected Producer producer()
    {
        standIn.call("aclrtSetDevice", 1);
        final PointerByReference out = new PointerByReference();
        standIn.call("aclrtCreateStream", out);
        final long stream = Pointer.nativeValue(out.getValue());
        standIn.launchKernel(stream);
        final KvEvent event = device.recordEvent(stream);
        return new Producer()
        {
            public KvEvent event()
            {
                return event;
            }

            public void reach()
            {
                standIn.finishKernel();
            }

            public void close()
            {
                event.close();
                standIn.call("aclrtDestroyStream", out.getValue());
            }
        };
    }
}
