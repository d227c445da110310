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

import io.aeron.driver.media.UdpChannel;
import io.millrace.efa.term.PlacedImage;
import io.millrace.efa.term.SendLogs;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * A channel endpoint as links, rails and the fabric conductor see it. What arrives, and links that come and go, is
 * told by the agent that owns the endpoint; the rest may be asked by any thread.
 */
public interface RailChannel
{
    /**
     * Is this the side that sends data?
     *
     * @return true for the send side of a channel.
     */
    boolean isSender();

    /**
     * An Aeron packet arrived on a rail.
     *
     * @param link    it belongs to.
     * @param address of the packet in native memory, valid during the call.
     * @param length  of the packet in bytes.
     */
    void onRailPacket(Link link, long address, int length);

    /**
     * A frame was placed into the log of an image by its sender.
     *
     * @param link    it belongs to.
     * @param address of the frame in native memory.
     * @param length  of the frame in bytes, aligned.
     */
    void onPlacedFrame(Link link, long address, int length);

    /**
     * Tell an image which status messages leave for it, from now on.
     *
     * @param image that frames are placed into.
     */
    void attach(PlacedImage image);

    /**
     * Frames are placed into an image no more.
     *
     * @param image to forget.
     */
    void detach(PlacedImage image);

    /**
     * Logs of the channel's publications to send from.
     *
     * @return logs, of the agent; null where nothing is sent from logs.
     */
    SendLogs sendLogs();

    /**
     * The channel as Aeron knows it.
     *
     * @return the channel.
     */
    UdpChannel udpChannel();

    /**
     * Let frames to the link's peer travel on rails as soon as the link is up.
     *
     * @param link to add.
     */
    void attach(Link link);

    /**
     * Send frames to the link's peer by UDP again.
     *
     * @param link to remove.
     */
    void detach(Link link);

    /**
     * Send a handshake frame on the socket.
     *
     * @param frame  from position to limit.
     * @param target address of the peer's socket.
     */
    void sendDatagram(ByteBuffer frame, InetSocketAddress target);

    /**
     * What to answer to a peer that offers rails for this channel.
     *
     * @return why it has none, or null if it has.
     */
    String refusal();

    /**
     * Byes to be sent on the socket when the channel closes, by the address of each linked peer. Kept by the fabric
     * conductor, used by whichever thread closes the endpoint.
     *
     * @return a map for concurrent use.
     */
    Map<InetSocketAddress, ByteBuffer> farewells();

    /**
     * Is the endpoint closed, so that it is not polled any more?
     *
     * @return true when closed.
     */
    boolean isClosed();

    /**
     * The channel, for people.
     *
     * @return the channel's URI.
     */
    String description();

    /**
     * Is falling back to UDP an error of this channel?
     *
     * @return true for {@code fabric=required}.
     */
    boolean fabricRequired();

    /**
     * The peer of a channel with {@code fabric=required} cannot be reached on rails.
     *
     * @param reason for people.
     */
    void onFabricRefused(String reason);
}
