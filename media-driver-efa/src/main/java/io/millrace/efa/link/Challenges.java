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

import javax.crypto.Mac;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;

/**
 * What a receiver asks of a sender before it keeps anything of it: a number that only who reads at the claimed address
 * can know, computed and not stored. It holds for one channel, address and incarnation, and until a link of such an
 * address ends, so that a recorded Hello makes no link a second time.
 */
final class Challenges
{
    private static final int BUCKETS = 4096;
    private static final int SECRET_LENGTH = 32;

    private final int[] generations = new int[BUCKETS];
    private final Mac mac;

    Challenges()
    {
        final byte[] secret = new byte[SECRET_LENGTH];
        new SecureRandom().nextBytes(secret);
        mac = HandshakeSeal.mac(secret);
    }

    /**
     * The challenge for a sender.
     *
     * @param key         of the sender.
     * @param incarnation of its driver.
     * @return a number that is not 0.
     */
    long of(final Peering.Key key, final long incarnation)
    {
        final InetSocketAddress address = key.address();
        mac.update(key.channel().description().getBytes(StandardCharsets.UTF_8));
        mac.update(ByteBuffer.allocate(17)
            .put((byte)0)
            .putInt(generations[bucket(key)])
            .putLong(incarnation)
            .putInt(address.getPort())
            .flip());
        mac.update(address.getAddress().getAddress());
        final long challenge = ByteBuffer.wrap(mac.doFinal()).getLong();
        return 0 == challenge ? 1 : challenge;
    }

    /**
     * A link has ended: what was asked before it is not to be used again.
     *
     * @param key of the sender.
     */
    void revoke(final Peering.Key key)
    {
        ++generations[bucket(key)];
    }

    private static int bucket(final Peering.Key key)
    {
        return key.address().hashCode() * 31 + key.channel().description().hashCode() & BUCKETS - 1;
    }
}
