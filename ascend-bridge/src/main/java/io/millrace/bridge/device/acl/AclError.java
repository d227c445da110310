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

import java.util.Map;

/**
 * Names of error codes, and what some of them mean for the bridge.
 */
final class AclError
{
    static final int SUCCESS = 0;
    static final int REPEAT_INITIALIZE = 100002;
    static final int CONTEXT_NULL = 107002;
    static final int FEATURE_NOT_SUPPORT = 207000;
    static final int REPEATED_INIT = 207015;

    private static final int WAIT_TIMEOUT = 107019;
    private static final int STREAM_SYNC_TIMEOUT = 507046;

    private static final Map<Integer, String> NAMES = Map.ofEntries(
        Map.entry(100000, "INVALID_PARAM"),
        Map.entry(100001, "UNINITIALIZE"),
        Map.entry(REPEAT_INITIALIZE, "REPEAT_INITIALIZE"),
        Map.entry(100037, "REPEAT_FINALIZE"),
        Map.entry(107000, "PARAM_INVALID"),
        Map.entry(107001, "INVALID_DEVICEID"),
        Map.entry(CONTEXT_NULL, "CONTEXT_NULL"),
        Map.entry(107003, "STREAM_CONTEXT"),
        Map.entry(107008, "ADDR_UNALIGNED"),
        Map.entry(107016, "INVALID_MEMORY_TYPE"),
        Map.entry(107017, "INVALID_HANDLE"),
        Map.entry(107018, "INVALID_MALLOC_TYPE"),
        Map.entry(WAIT_TIMEOUT, "WAIT_TIMEOUT"),
        Map.entry(107020, "TASK_TIMEOUT"),
        Map.entry(107022, "DEVICE_TASK_ABORT"),
        Map.entry(107023, "STREAM_ABORT"),
        Map.entry(107030, "CAPTURE_MODE_NOT_SUPPORT"),
        Map.entry(107041, "CAPTURE_MODE_BLOCK_ASYNC"),
        Map.entry(200000, "BAD_ALLOC"),
        Map.entry(200001, "API_NOT_SUPPORT"),
        Map.entry(200002, "INVALID_DEVICE"),
        Map.entry(200003, "ADDRESS_UNALIGNED"),
        Map.entry(200005, "INVALID_RESOURCE_HANDLE"),
        Map.entry(200006, "FEATURE_UNSUPPORTED"),
        Map.entry(FEATURE_NOT_SUPPORT, "FEATURE_NOT_SUPPORT"),
        Map.entry(207001, "MEMORY_ALLOCATION"),
        Map.entry(207002, "MEMORY_FREE"),
        Map.entry(207004, "NO_DEVICE"),
        Map.entry(207005, "RESOURCE_ALLOC_FAIL"),
        Map.entry(207006, "NO_PERMISSION"),
        Map.entry(207007, "NO_EVENT_RESOURCE"),
        Map.entry(207008, "NO_STREAM_RESOURCE"),
        Map.entry(207012, "OVER_LIMIT"),
        Map.entry(REPEATED_INIT, "REPEATED_INIT"),
        Map.entry(207018, "DEVICE_OOM"),
        Map.entry(300000, "STORAGE_OVER_LIMIT"),
        Map.entry(500000, "INTERNAL_ERROR"),
        Map.entry(500001, "FAILURE"),
        Map.entry(500003, "RT_FAILURE"),
        Map.entry(500004, "DRV_FAILURE"),
        Map.entry(507000, "INTERNAL"),
        Map.entry(507002, "STREAM_TASK_FULL"),
        Map.entry(507004, "STREAM_NOT_COMPLETE"),
        Map.entry(507006, "EVENT_NOT_COMPLETE"),
        Map.entry(507010, "LOST_HEARTBEAT"),
        Map.entry(507013, "SYS_DMA"),
        Map.entry(STREAM_SYNC_TIMEOUT, "STREAM_SYNC_TIMEOUT"),
        Map.entry(507047, "EVENT_SYNC_TIMEOUT"),
        Map.entry(507052, "COPY_DATA"),
        Map.entry(507053, "DEVICE_MEM_ERROR"),
        Map.entry(507054, "HBM_MULTI_BIT_ECC"),
        Map.entry(507056, "LINK_ERROR"),
        Map.entry(507057, "SUSPECT_REMOTE_ERROR"),
        Map.entry(507899, "DRV_INTERNAL"),
        Map.entry(507901, "SOCKET_CLOSE"),
        Map.entry(507910, "HOST_MEMORY_ALREADY_REGISTERED"),
        Map.entry(507911, "HOST_MEMORY_NOT_REGISTERED"));

    private AclError()
    {
    }

    static String name(final int code)
    {
        return NAMES.getOrDefault(code, "unnamed code");
    }

    /**
     * The device does no more work for this process.
     */
    static boolean isDeviceLost(final int code)
    {
        return switch (code)
        {
            case 507010, 507053, 507054, 507899, 507901 -> true;
            default -> false;
        };
    }

    static boolean isTimeout(final int code)
    {
        return WAIT_TIMEOUT == code || STREAM_SYNC_TIMEOUT == code;
    }
}
