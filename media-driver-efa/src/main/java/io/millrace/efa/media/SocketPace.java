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
package io.millrace.efa.media;

import java.util.concurrent.TimeUnit;

/**
 * How often the socket of a channel is looked at that has peers on rails: an empty look is a system call, which costs
 * a busy agent a quarter of its duty cycle. While datagrams arrive every duty cycle looks. Handshakes can wait after
 * that, peers that stay on UDP less. Owned by the endpoint's agent.
 */
final class SocketPace
{
    static final long INTERVAL_NS = TimeUnit.MICROSECONDS.toNanos(100);
    static final long UDP_PEER_INTERVAL_NS = TimeUnit.MICROSECONDS.toNanos(20);
    static final long UDP_PEER_NS = TimeUnit.SECONDS.toNanos(1);
    static final long BUSY_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private long lookedNs;
    private long heardNs;
    private long udpPeerNs;

    /**
     * @param nowNs start of time.
     */
    SocketPace(final long nowNs)
    {
        lookedNs = nowNs - INTERVAL_NS;
        heardNs = nowNs;
        udpPeerNs = nowNs - UDP_PEER_NS;
    }

    /**
     * Is the socket to be looked at in this duty cycle?
     *
     * @param nowNs time.
     * @return true if it is.
     */
    boolean isDue(final long nowNs)
    {
        final long intervalNs = nowNs - udpPeerNs < UDP_PEER_NS ? UDP_PEER_INTERVAL_NS : INTERVAL_NS;
        if (nowNs - heardNs < BUSY_NS || nowNs - lookedNs >= intervalNs)
        {
            lookedNs = nowNs;
            return true;
        }

        return false;
    }

    void onDatagram(final long nowNs)
    {
        heardNs = nowNs;
    }

    /**
     * A datagram was no handshake.
     */
    void onUdpPeer(final long nowNs)
    {
        udpPeerNs = nowNs;
    }
}
