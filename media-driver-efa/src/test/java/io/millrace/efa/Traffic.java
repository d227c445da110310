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
package io.millrace.efa;

import io.aeron.Publication;
import io.aeron.Subscription;
import org.agrona.concurrent.UnsafeBuffer;

import static io.millrace.efa.TwoDrivers.await;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Numbered messages from a publication to a subscription.
 */
final class Traffic
{
    private static final int MESSAGE_LENGTH = 200;

    private Traffic()
    {
    }

    /**
     * Send messages and check that each arrives once and in order.
     */
    static void exchange(final Publication publication, final Subscription subscription, final int messages)
    {
        await("connected", () -> publication.isConnected() && subscription.isConnected());
        final UnsafeBuffer message = new UnsafeBuffer(new byte[MESSAGE_LENGTH]);
        final long[] received = new long[1];
        for (long sent = 0; sent < messages; sent++)
        {
            message.putLong(0, sent);
            await("offer", () ->
            {
                poll(subscription, received);
                return publication.offer(message) > 0;
            });
        }

        await("received", () ->
        {
            poll(subscription, received);
            return messages == received[0];
        }, () -> received[0] + " of " + messages);
    }

    private static void poll(final Subscription subscription, final long[] received)
    {
        subscription.poll(
            (buffer, offset, length, header) ->
            {
                assertThat(length).isEqualTo(MESSAGE_LENGTH);
                assertThat(buffer.getLong(offset)).isEqualTo(received[0]++);
            },
            20);
    }
}
