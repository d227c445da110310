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

import org.agrona.DirectBuffer;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * SHA-256 over the bytes of a strategy's orders: two streams of orders are the same if these are.
 */
final class OrderDigest
{
    private final MessageDigest digest;
    private byte[] bytes = new byte[128];
    private long orders;

    OrderDigest()
    {
        try
        {
            digest = MessageDigest.getInstance("SHA-256");
        }
        catch (final NoSuchAlgorithmException ex)
        {
            throw new IllegalStateException(ex);
        }
    }

    void add(final DirectBuffer buffer, final int offset, final int length)
    {
        bytes = bytes.length < length ? new byte[length] : bytes;
        buffer.getBytes(offset, bytes, 0, length);
        digest.update(bytes, 0, length);
        orders++;
    }

    long orders()
    {
        return orders;
    }

    String hex()
    {
        return HexFormat.of().formatHex(digest.digest());
    }
}
