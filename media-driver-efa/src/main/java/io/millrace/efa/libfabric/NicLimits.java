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

import java.util.ArrayList;
import java.util.List;

/**
 * What a NIC can do, read back from an endpoint that was opened on it.
 *
 * @param maxSendBytes   longest message, {@link Long#MAX_VALUE} for no limit.
 * @param maxRmaBytes    longest write to a peer's memory, 0 where there is none.
 * @param injectBytes    longest message that is sent without registered memory.
 * @param immediateBytes of data that a message carries beside its payload.
 * @param mtuBytes       longest packet of the link, 0 if unknown.
 * @param txDepth        operations in flight.
 * @param rxDepth        receives posted.
 * @param cqDepth        completions that fit.
 * @param memoryRegions  that can be registered, 0 if unknown.
 * @param memoryKeyBytes of a region's key.
 * @param memoryModes    what the provider asks of registered memory, names of libfabric without {@code FI_MR_}.
 */
public record NicLimits(
    long maxSendBytes,
    long maxRmaBytes,
    int injectBytes,
    int immediateBytes,
    long mtuBytes,
    int txDepth,
    int rxDepth,
    int cqDepth,
    long memoryRegions,
    long memoryKeyBytes,
    List<String> memoryModes)
{
    // Bits of <rdma/fi_domain.h>.
    private static final String[] MODES = { "BASIC", "SCALABLE", "LOCAL", "RAW", "VIRT_ADDR", "ALLOCATED", "PROV_KEY",
        "MMU_NOTIFY", "RMA_EVENT", "ENDPOINT", "HMEM", "COLLECTIVE" };

    /**
     * Open an endpoint on a NIC with the sizes that a rail has, and close it again.
     *
     * @param nic   of this machine.
     * @param slots of a rail.
     * @return its limits.
     * @throws FabricException when it cannot be opened.
     */
    public static NicLimits read(final FabricNic nic, final int slots)
    {
        try (FabricEndpoint endpoint = LibFabric.load().open(nic, EndpointOptions.ofRail(slots, 0)))
        {
            final FabricInfo info = nic.info();
            return new NicLimits(
                endpoint.maxSendLength(),
                endpoint.maxRmaLength(),
                endpoint.injectLength(),
                endpoint.immediateLength(),
                info.linkMtuLength(),
                endpoint.txDepth(),
                endpoint.rxDepth(),
                endpoint.cqDepth(),
                info.memoryRegionCount(),
                info.memoryKeySize(),
                modes(info.memoryMode()));
        }
    }

    static List<String> modes(final int bits)
    {
        final List<String> names = new ArrayList<>();
        for (int i = 0; i < Integer.SIZE; i++)
        {
            if (0 != (bits & 1 << i))
            {
                names.add(i < MODES.length ? MODES[i] : "bit " + i);
            }
        }
        return names;
    }
}
