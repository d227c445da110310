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

import io.aeron.protocol.HeaderFlyweight;
import org.agrona.LangUtil;
import org.agrona.concurrent.UnsafeBuffer;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

import static io.aeron.protocol.HeaderFlyweight.FLAGS_FIELD_OFFSET;
import static io.aeron.protocol.HeaderFlyweight.FRAME_LENGTH_FIELD_OFFSET;

/**
 * Seals handshake frames with pre-shared keys: a trailer with the side of the author and HMAC-SHA-256 over all before
 * the HMAC, whatever the message. Without a key frames have no trailer. That a sealed message is not used again is up
 * to its incarnations, handles and sequence. Fabric conductor only.
 */
final class HandshakeSeal
{
    /**
     * What a frame's seal is worth.
     */
    enum Verdict
    {
        /** As it has to be. */
        SOUND(""),
        /** This driver has a key and the author has none. */
        UNSEALED("a key is needed here"),
        /** The author has a key and this driver has none. */
        SEALED("no key is known here"),
        /** Sealed with another key, by the wrong side, or changed on its way. */
        WRONG("another key is needed here");

        private final String remedyOfPeer;

        Verdict(final String remedyOfPeer)
        {
            this.remedyOfPeer = remedyOfPeer;
        }

        String remedyOfPeer()
        {
            return remedyOfPeer;
        }
    }

    static final int MAC_LENGTH = 32;
    static final int TRAILER_LENGTH = 8 + MAC_LENGTH;
    static final int SEALED_FLAG = 0x01;
    private static final byte HMAC_SHA_256 = 1;
    private static final byte SENDER = 1;
    private static final byte RECEIVER = 2;

    private final List<Mac> macs = new ArrayList<>();

    /**
     * Make a seal.
     *
     * @param keys the first to seal with, all to check with, none for frames without a seal.
     */
    HandshakeSeal(final List<byte[]> keys)
    {
        for (final byte[] key : keys)
        {
            macs.add(mac(key));
        }
    }

    static Mac mac(final byte[] key)
    {
        try
        {
            final Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac;
        }
        catch (final GeneralSecurityException ex)
        {
            LangUtil.rethrowUnchecked(ex);
            return null;
        }
    }

    /**
     * Seal a frame if there is a key.
     *
     * @param frame      from position to limit, backed by an array.
     * @param fromSender true when this is the side that sends data.
     * @return the frame to send.
     */
    ByteBuffer seal(final ByteBuffer frame, final boolean fromSender)
    {
        if (macs.isEmpty())
        {
            return frame;
        }

        final int length = frame.remaining();
        final byte[] sealed = new byte[length + TRAILER_LENGTH];
        frame.get(sealed, 0, length);
        final UnsafeBuffer buffer = new UnsafeBuffer(sealed);
        buffer.putInt(FRAME_LENGTH_FIELD_OFFSET, sealed.length);
        buffer.putByte(FLAGS_FIELD_OFFSET, (byte)SEALED_FLAG);
        buffer.putByte(length, fromSender ? SENDER : RECEIVER);
        buffer.putByte(length + 1, HMAC_SHA_256);

        final Mac mac = macs.get(0);
        mac.update(sealed, 0, sealed.length - MAC_LENGTH);
        System.arraycopy(mac.doFinal(), 0, sealed, sealed.length - MAC_LENGTH, MAC_LENGTH);

        return ByteBuffer.wrap(sealed);
    }

    /**
     * Judge a frame that arrived.
     *
     * @param frame      as it arrived.
     * @param fromSender true when the side that sends data should be its author.
     * @return the verdict.
     */
    Verdict check(final byte[] frame, final boolean fromSender)
    {
        if (!isSealed(frame))
        {
            return macs.isEmpty() ? Verdict.SOUND : Verdict.UNSEALED;
        }

        if (macs.isEmpty())
        {
            return Verdict.SEALED;
        }

        final int macOffset = frame.length - MAC_LENGTH;
        final int trailerOffset = frame.length - TRAILER_LENGTH;
        if (trailerOffset < HeaderFlyweight.MIN_HEADER_LENGTH ||
            frame[trailerOffset] != (fromSender ? SENDER : RECEIVER) || frame[trailerOffset + 1] != HMAC_SHA_256)
        {
            return Verdict.WRONG;
        }

        final byte[] claimed = Arrays.copyOfRange(frame, macOffset, frame.length);
        for (final Mac mac : macs)
        {
            mac.update(frame, 0, macOffset);
            if (MessageDigest.isEqual(claimed, mac.doFinal()))
            {
                return Verdict.SOUND;
            }
        }

        return Verdict.WRONG;
    }

    /**
     * The frame without its trailer.
     *
     * @param frame as it arrived.
     * @return the frame as it was before it was sealed.
     */
    static byte[] body(final byte[] frame)
    {
        final UnsafeBuffer buffer = new UnsafeBuffer(frame);
        if (!isSealed(frame) || frame.length < HeaderFlyweight.MIN_HEADER_LENGTH + TRAILER_LENGTH ||
            frame.length != buffer.getInt(FRAME_LENGTH_FIELD_OFFSET))
        {
            return frame;
        }

        final byte[] body = Arrays.copyOf(frame, frame.length - TRAILER_LENGTH);
        buffer.wrap(body);
        buffer.putInt(FRAME_LENGTH_FIELD_OFFSET, body.length);
        buffer.putByte(FLAGS_FIELD_OFFSET, (byte)0);
        return body;
    }

    private static boolean isSealed(final byte[] frame)
    {
        return frame.length > FLAGS_FIELD_OFFSET && 0 != (frame[FLAGS_FIELD_OFFSET] & SEALED_FLAG);
    }
}
