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
 * What newer releases of libascendcl offer. Each is looked for when the library is opened, none is required.
 */
public enum AclFeature
{
    /**
     * Texts of errors.
     */
    ERROR_TEXT("aclGetRecentErrMsg"),

    /**
     * Name of the chip.
     */
    SOC_NAME("aclrtGetSocName"),

    /**
     * Version of the interface.
     */
    VERSION("aclrtGetVersion"),

    /**
     * Physical ids of devices.
     */
    PHYSICAL_ID("aclrtGetPhyDevIdByLogicDevId"),

    /**
     * Synchronous copies in one call.
     */
    BATCH_COPY("aclrtMemcpyBatch"),

    /**
     * Asynchronous copies in one call.
     */
    BATCH_COPY_ASYNC("aclrtMemcpyBatchAsync"),

    /**
     * Events that say whether they were recorded.
     */
    EVENT_STATUS("aclrtQueryEventStatus"),

    /**
     * Waiting for a stream with a limit.
     */
    STREAM_TIMEOUT("aclrtSynchronizeStreamWithTimeout"),

    /**
     * Giving up what is on a stream.
     */
    STREAM_ABORT("aclrtStreamAbort"),

    /**
     * Telling host from device memory.
     */
    POINTER_ATTRIBUTES("aclrtPointerGetAttributes"),

    /**
     * Pinning host memory that is there.
     */
    HOST_PINNING("aclrtHostRegisterV2", "aclrtHostUnregister"),

    /**
     * Virtual memory management.
     */
    VIRTUAL_MEMORY(
        "aclrtReserveMemAddress", "aclrtReleaseMemAddress", "aclrtMallocPhysical", "aclrtFreePhysical", "aclrtMapMem",
        "aclrtUnmapMem", "aclrtMemSetAccess"),

    /**
     * Device memory of other processes.
     */
    IPC_MEMORY("aclrtIpcMemGetExportKey", "aclrtIpcMemImportByKey", "aclrtIpcMemClose"),

    /**
     * Handles of memory that other hosts of a supernode can map.
     */
    FABRIC_HANDLES(
        "aclrtMemRetainAllocationHandle", "aclrtMemExportToShareableHandleV2", "aclrtMemImportFromShareableHandleV2"),

    /**
     * Initialisation that is counted.
     */
    COUNTED_FINALIZE("aclFinalizeReference");

    private final String[] symbols;

    AclFeature(final String... symbols)
    {
        this.symbols = symbols;
    }

    /**
     * Functions that make up the feature.
     *
     * @return their names.
     */
    public String[] symbols()
    {
        return symbols.clone();
    }
}
