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
package io.millrace.efa.libfabric;

/**
 * What {@link EndpointOpener} has opened and learned.
 *
 * @param nic             it is on.
 * @param objects         to close.
 * @param domain          fid.
 * @param ep              fid, enabled.
 * @param cq              fid.
 * @param av              fid.
 * @param eq              fid or 0.
 * @param name            raw address.
 * @param txDepth         operations.
 * @param rxDepth         receives.
 * @param cqDepth         completions.
 * @param injectLength    bytes.
 * @param maxSendLength   bytes.
 * @param maxRmaLength    bytes, 0 without RMA.
 * @param immediateLength bytes.
 * @param memoryMode      {@code domain_attr->mr_mode}.
 * @param memoryKeySize   bytes.
 * @param mode            {@code info->mode}.
 * @param opFlags         {@code info->tx_attr->op_flags}.
 */
record EndpointParts(
    FabricNic nic,
    FabricObjects objects,
    long domain,
    long ep,
    long cq,
    long av,
    long eq,
    byte[] name,
    int txDepth,
    int rxDepth,
    int cqDepth,
    int injectLength,
    long maxSendLength,
    long maxRmaLength,
    int immediateLength,
    int memoryMode,
    long memoryKeySize,
    long mode,
    long opFlags)
{
}
