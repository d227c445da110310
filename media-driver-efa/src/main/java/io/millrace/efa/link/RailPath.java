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

import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailPeer;

/**
 * A way to a peer: one of our rails to one of its rails.
 *
 * @param rail      ours.
 * @param peer      its rail in the address vector of ours.
 * @param maxLength longest message that both ends take, bytes.
 * @param remote    its rail as it was offered.
 */
public record RailPath(Rail rail, RailPeer peer, int maxLength, RailAddress remote)
{
    /**
     * Longest message to make of several frames.
     *
     * @return bytes, fewer than a single frame may have.
     */
    int cutLength()
    {
        return Math.min(maxLength, rail.cutLength());
    }
}
