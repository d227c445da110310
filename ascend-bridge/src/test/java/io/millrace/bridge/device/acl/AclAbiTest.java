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
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Sizes, offsets and enum values of the binding are those that a C compiler makes of the declarations.
 */
class AclAbiTest
{
    @Test
    void layoutsAreThoseOfTheCompiler()
    {
        final Map<String, Integer> compiler = StandIn.get(StandIn.Symbols.NEW).layouts().lines().collect(
            Collectors.toMap(line -> line.substring(0, line.indexOf('=')),
                line -> Integer.parseInt(line.substring(line.indexOf('=') + 1))));

        assertThat(Map.ofEntries(
            entry("aclrtMemLocation", AclAbi.MEM_LOCATION_SIZE),
            entry("aclrtMemLocation.id", AclAbi.MEM_LOCATION_ID),
            entry("aclrtMemLocation.type", AclAbi.MEM_LOCATION_TYPE),
            entry("aclrtPtrAttributes", AclAbi.PTR_ATTRIBUTES_SIZE),
            entry("aclrtPtrAttributes.location", AclAbi.PTR_ATTRIBUTES_LOCATION),
            entry("aclrtPtrAttributes.pageSize", AclAbi.PTR_ATTRIBUTES_LOCATION + AclAbi.MEM_LOCATION_SIZE),
            entry("aclrtMemcpyBatchAttr", AclAbi.BATCH_ATTR_SIZE),
            entry("aclrtMemcpyBatchAttr.dstLoc", AclAbi.BATCH_ATTR_DST),
            entry("aclrtMemcpyBatchAttr.srcLoc", AclAbi.BATCH_ATTR_SRC),
            entry("enum", Integer.BYTES),
            entry("size_t", Long.BYTES),
            entry("pointer", Long.BYTES),
            entry("HOST_TO_DEVICE", AclAbi.HOST_TO_DEVICE),
            entry("DEVICE_TO_HOST", AclAbi.DEVICE_TO_HOST),
            entry("LOCATION_HOST", AclAbi.LOCATION_HOST),
            entry("LOCATION_DEVICE", AclAbi.LOCATION_DEVICE),
            entry("LOCATION_UNREGISTERED", AclAbi.LOCATION_UNREGISTERED),
            entry("MALLOC_HUGE_FIRST", AclAbi.MALLOC_HUGE_FIRST),
            entry("RECORDED_NOT_READY", AclAbi.RECORDED_NOT_READY),
            entry("RECORDED_COMPLETE", AclAbi.RECORDED_COMPLETE),
            entry("EVENT_COMPLETE", AclAbi.EVENT_COMPLETE),
            entry("EVENT_NOT_READY", AclAbi.EVENT_NOT_READY),
            entry("HOST_REGISTER_PINNED", AclAbi.HOST_REGISTER_PINNED),
            entry("IPC_KEY_LENGTH", AclAbi.IPC_KEY_LENGTH),
            entry("MAX_BATCH", AclAbi.MAX_BATCH))).isEqualTo(compiler);
    }
}
