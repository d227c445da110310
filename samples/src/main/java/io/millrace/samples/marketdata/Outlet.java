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
package io.millrace.samples.marketdata;

import io.aeron.Publication;
import io.millrace.codecs.market.EndOfStreamEncoder;
import io.millrace.codecs.market.MessageHeaderEncoder;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.MutableDirectBuffer;

/**
 * A buffer to encode a message into, and the publication that it goes to.
 */
final class Outlet
{
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final EndOfStreamEncoder end = new EndOfStreamEncoder();
    private final MutableDirectBuffer buffer = new ExpandableArrayBuffer(128);
    private final Publication publication;

    Outlet(final Publication publication)
    {
        this.publication = publication;
    }

    MutableDirectBuffer buffer()
    {
        return buffer;
    }

    MessageHeaderEncoder header()
    {
        return header;
    }

    /**
     * Offer what was encoded.
     *
     * @return false when there is no room now.
     * @throws IllegalStateException when the other end is gone.
     */
    boolean offer(final int length)
    {
        final long result = publication.offer(buffer, 0, length);
        if (Publication.CLOSED == result || Publication.NOT_CONNECTED == result ||
            Publication.MAX_POSITION_EXCEEDED == result)
        {
            throw new IllegalStateException("the other end of " + publication.channel() + " is gone: " +
                Publication.errorString(result));
        }
        return result > 0;
    }

    void send(final int length, final StageNode node)
    {
        node.await("room in " + publication.channel(), () -> offer(length));
    }

    void sendEnd(final int stream, final long sequence, final long scheduledNs, final StageNode node)
    {
        end.wrapAndApplyHeader(buffer, 0, header).sequence(sequence).scheduledNs(scheduledNs).stream((short)stream);
        send(MessageHeaderEncoder.ENCODED_LENGTH + end.encodedLength(), node);
    }
}
