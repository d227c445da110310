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
 * Sizes for an endpoint. 0 stands for the provider's default; a value above what the provider reports is cut to it.
 *
 * @param txDepth  operations in flight.
 * @param rxDepth  receives posted.
 * @param cqDepth  completions that fit; at least txDepth + rxDepth + the writes with immediate that peers may have in
 *                 flight, as EFA does not protect its completion queue against overrun.
 * @param rnrRetry times EFA's hardware retries a send to a peer without a posted receive, 0 to 6, 7 for ever; -1
 *                 leaves the provider's default. Ignored by other providers.
 */
public record EndpointOptions(int txDepth, int rxDepth, int cqDepth, int rnrRetry)
{
    private static final int MAX_RNR_RETRY = 7;
    private static final int CQ_ENTRIES_PER_SLOT = 4;

    /**
     * The longest completion queue of EFA devices, which is also short enough for all others.
     */
    private static final int MAX_RAIL_CQ_DEPTH = 1 << 15;

    /**
     * Check the values.
     */
    public EndpointOptions
    {
        requireNotNegative("txDepth", txDepth);
        requireNotNegative("rxDepth", rxDepth);
        requireNotNegative("cqDepth", cqDepth);
        if (rnrRetry < -1 || rnrRetry > MAX_RNR_RETRY)
        {
            throw new IllegalArgumentException("rnrRetry " + rnrRetry + " is not in -1.." + MAX_RNR_RETRY);
        }
    }

    /**
     * Sizes with the provider's default for receiver-not-ready retries.
     *
     * @param txDepth operations in flight.
     * @param rxDepth receives posted.
     * @param cqDepth completions that fit.
     */
    public EndpointOptions(final int txDepth, final int rxDepth, final int cqDepth)
    {
        this(txDepth, rxDepth, cqDepth, -1);
    }

    /**
     * Sizes for a rail.
     *
     * @param slots  for sending, and as many for receiving.
     * @param writes that peers may have in flight to the rail.
     * @return options with the provider's depths, and room for completions of all, as far as a device has it.
     */
    public static EndpointOptions ofRail(final int slots, final long writes)
    {
        final long slotEntries = (long)CQ_ENTRIES_PER_SLOT * slots;
        return new EndpointOptions(
            0, 0, (int)Math.max(slotEntries, Math.min(MAX_RAIL_CQ_DEPTH, slotEntries + writes)));
    }

    /**
     * The provider's defaults.
     *
     * @return options with 0 for each size.
     */
    public static EndpointOptions defaults()
    {
        return new EndpointOptions(0, 0, 0);
    }

    private static void requireNotNegative(final String name, final int value)
    {
        if (value < 0)
        {
            throw new IllegalArgumentException(name + " " + value + " is negative, use 0 for the provider's default");
        }
    }
}
