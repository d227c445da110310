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
package io.millrace.efa.link;

/**
 * A rail as it is offered to a peer. Its place in the list of all rails of an agent is its index.
 *
 * @param speedMbps     link speed in Mbit/s, 0 when unknown.
 * @param numaNode      NUMA node of the NIC, -1 when unknown.
 * @param maxSendLength longest message the rail receives, bytes.
 * @param address       raw libfabric address, empty while the rail is out of use.
 */
public record RailAddress(int speedMbps, int numaNode, long maxSendLength, byte[] address)
{
    private static final byte[] NO_ADDRESS = new byte[0];

    /**
     * Can the rail be reached at present?
     *
     * @return false while it is out of use.
     */
    boolean isInUse()
    {
        return 0 != address.length;
    }

    /**
     * The same rail while it is out of use.
     *
     * @return a rail without an address.
     */
    RailAddress outOfUse()
    {
        return new RailAddress(speedMbps, numaNode, maxSendLength, NO_ADDRESS);
    }
}
