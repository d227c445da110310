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
package io.millrace.bridge;

import io.millrace.bridge.device.acl.AclDevice;
import io.millrace.bridge.device.acl.StandIn;

/**
 * What a test runs on: host memory, copied straight into logs or staged, or the stand-in for an NPU, over stock Aeron's
 * IPC or UDP.
 */
enum Setting
{
    HOST_IPC(false, false),
    HOST_STAGED_IPC(false, false),
    HOST_UDP(false, true),
    NPU_IPC(true, false),
    NPU_UDP(true, true);

    final boolean isNpu;
    final boolean isUdp;

    Setting(final boolean isNpu, final boolean isUdp)
    {
        this.isNpu = isNpu;
        this.isUdp = isUdp;
    }

    Bridge open()
    {
        Drivers.assumeWanted(isUdp, isNpu);
        if (!isNpu)
        {
            final Bridge bridge = new Bridge(isUdp);
            bridge.isStaged = HOST_STAGED_IPC == this;
            return bridge;
        }
        final StandIn standIn = StandIn.get(StandIn.Symbols.NEW);
        return new Bridge(isUdp, new AclDevice(standIn.context(0)), new AclDevice(standIn.context(1)));
    }
}
