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
package io.millrace.efa.rail;

/**
 * What happens on a rail, told on the duty cycle of the agent that owns it.
 */
public interface RailListener
{
    /**
     * A message arrived. The memory is the rail's again when this returns.
     *
     * @param immediate the channel handle, 32 bits.
     * @param address   of the message in native memory.
     * @param length    of the message in bytes.
     */
    void onMessage(long immediate, long address, int length);

    /**
     * A peer has written to memory of this process.
     *
     * @param immediate of the write, 32 or 64 bits.
     * @param length    of what was written in bytes, 0 where the provider does not tell.
     * @return bytes accepted.
     */
    int onWrite(long immediate, long length);

    /**
     * Operations to a peer end with errors. Told once a peer.
     *
     * @param rail   on which it happened.
     * @param peer   that failed.
     * @param reason libfabric's and the provider's text.
     */
    void onPeerFailed(Rail rail, RailPeer peer, String reason);

    /**
     * A peer is not in the address vector any more.
     *
     * @param rail that knew it.
     * @param peer that was removed.
     */
    void onPeerRemoved(Rail rail, RailPeer peer);

    /**
     * The rail can be used no more. Told once.
     *
     * @param rail   that failed.
     * @param reason libfabric's and the provider's text.
     */
    void onRailFailed(Rail rail, String reason);

    /**
     * A rail works, but operations to peers that are gone hold its slots for ever: it is to be opened anew.
     *
     * @param rail   that is not used any more.
     * @param reason for people.
     */
    void onRailWorn(Rail rail, String reason);
}
