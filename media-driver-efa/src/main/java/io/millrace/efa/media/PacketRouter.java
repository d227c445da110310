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

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/**
 * Decides, packet by packet, between a rail and the socket.
 */
interface PacketRouter
{
    /**
     * Answer of {@link #route(ByteBuffer, InetSocketAddress)}: the socket has to carry the packet.
     */
    int BY_SOCKET = -1;

    /**
     * Send a packet on a rail if its target has one.
     *
     * @param packet from position to limit.
     * @param target of the packet, null on a connected channel.
     * @return bytes taken, 0 for back-pressure, or {@link #BY_SOCKET}.
     */
    int route(ByteBuffer packet, InetSocketAddress target);
}
