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
package io.millrace.efa.libfabric;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Layout of {@code FI_ADDR_EFA}, 32 bytes in host order: GID, queue pair number, padding, qkey, reserved. Source:
 * {@code struct efa_ep_addr}.
 */
final class EfaAddress
{
    static final int LENGTH = 32;

    private static final int GID_LENGTH = 16;
    private static final int QPN_OFFSET = 16;
    private static final int QKEY_OFFSET = 20;

    private EfaAddress()
    {
    }

    static boolean isEfaAddress(final byte[] address)
    {
        return LENGTH == address.length;
    }

    static String text(final byte[] address)
    {
        try
        {
            final ByteBuffer buffer = ByteBuffer.wrap(address).order(ByteOrder.nativeOrder());
            final InetAddress gid = InetAddress.getByAddress(Arrays.copyOf(address, GID_LENGTH));
            return "[" + gid.getHostAddress() + "]:" + (buffer.getShort(QPN_OFFSET) & 0xFFFF) + ":" +
                Integer.toUnsignedString(buffer.getInt(QKEY_OFFSET));
        }
        catch (final UnknownHostException ex)
        {
            throw new IllegalStateException(ex);
        }
    }
}
