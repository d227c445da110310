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

import java.net.InetSocketAddress;

/**
 * An image as the driver's conductor makes it.
 */
public final class ImageRecord
{
    final long registrationId;
    final UdpChannel channel;
    final int sessionId;
    final int streamId;
    final int windowLength;
    final InetSocketAddress source;
    private volatile boolean hasRailWindow;

    /**
     * Take note of an image.
     *
     * @param registrationId of the image, which names its log.
     * @param channel        of the endpoint.
     * @param sessionId      of the stream.
     * @param streamId       of the stream.
     * @param windowLength   most bytes that the sender may be ahead.
     * @param source         address of the sender's socket.
     */
    public ImageRecord(
        final long registrationId,
        final UdpChannel channel,
        final int sessionId,
        final int streamId,
        final int windowLength,
        final InetSocketAddress source)
    {
        this.registrationId = registrationId;
        this.channel = channel;
        this.sessionId = sessionId;
        this.streamId = streamId;
        this.windowLength = windowLength;
        this.source = source;
    }

    /**
     * May the window be as long as rails need it? Flow control of a group takes a receiver in only when its window is
     * about as long as those of others, which may be on UDP.
     *
     * @return true when its sender is linked, and sends to nobody else.
     */
    public boolean hasRailWindow()
    {
        return hasRailWindow;
    }

    void hasRailWindow(final boolean hasRailWindow)
    {
        this.hasRailWindow = hasRailWindow;
    }
}
