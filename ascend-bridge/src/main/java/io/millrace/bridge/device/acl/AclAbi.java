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
 * Numbers of the C interface: enum values, sizes and offsets in bytes. A test compares them with a C compiler.
 */
final class AclAbi
{
    static final int HOST_TO_DEVICE = 1;
    static final int DEVICE_TO_HOST = 2;
    static final int LOCATION_HOST = 0;
    static final int LOCATION_DEVICE = 1;
    static final int LOCATION_UNREGISTERED = 2;
    static final int MALLOC_HUGE_FIRST = 0;

    /** Of aclrtQueryEventStatus; the older aclrtQueryEvent has it the other way round. */
    static final int RECORDED_COMPLETE = 1;
    static final int RECORDED_NOT_READY = 0;
    static final int EVENT_COMPLETE = 0;
    static final int EVENT_NOT_READY = 1;

    static final int HOST_REGISTER_PINNED = 0x10000000;
    static final int IPC_KEY_LENGTH = 65;
    static final int MAX_BATCH = 4096;

    static final int MEM_LOCATION_SIZE = 8;
    static final int MEM_LOCATION_ID = 0;
    static final int MEM_LOCATION_TYPE = 4;
    static final int PTR_ATTRIBUTES_SIZE = 28;
    static final int PTR_ATTRIBUTES_LOCATION = 0;
    static final int BATCH_ATTR_SIZE = 32;
    static final int BATCH_ATTR_DST = 0;
    static final int BATCH_ATTR_SRC = 8;

    private AclAbi()
    {
    }
}
