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

import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import org.agrona.concurrent.UnsafeBuffer;

import static io.millrace.efa.TwoDrivers.await;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Messages of given lengths whose every byte says which message it belongs to and where, from one publication to any
 * number of subscriptions.
 */
final class PatternedTraffic
{
    private static final int FRAGMENT_LIMIT = 8;

    private final UnsafeBuffer message;
    private final int[] lengths;
    private final Subscription[] subscriptions;
    private final FragmentAssembler[] handlers;
    private final long[] received;
    private final byte[][] pattern;
    private long sent;

    PatternedTraffic(final int[] lengths, final Subscription... subscriptions)
    {
        this.lengths = lengths;
        this.subscriptions = subscriptions;
        int longest = 0;
        for (final int length : lengths)
        {
            longest = Math.max(longest, length);
        }
        pattern = new byte[2][longest + 256];
        for (int i = 0; i < longest + 256; i++)
        {
            pattern[0][i] = (byte)(i * 31 + (i >>> 8) * 7);
        }
        message = new UnsafeBuffer(new byte[longest]);
        received = new long[subscriptions.length];
        handlers = new FragmentAssembler[subscriptions.length];
        for (int i = 0; i < subscriptions.length; i++)
        {
            final int index = i;
            handlers[i] = new FragmentAssembler((buffer, offset, length, header) ->
            {
                final long number = received[index]++;
                assertThat(length).isEqualTo(lengthOf(number));
                buffer.getBytes(offset, pattern[1], 0, length);
                final int shift = (int)(number & 255);
                final int mismatch = java.util.Arrays.mismatch(
                    pattern[0], shift, shift + length, pattern[1], 0, length);
                if (mismatch >= 0)
                {
                    throw new AssertionError(
                        "message " + number + " of " + length + " bytes differs at " + mismatch);
                }
            });
        }
    }

    /**
     * Send messages and take them.
     */
    void exchange(final ExclusivePublication publication, final int messages)
    {
        final long target = sent + messages;
        while (sent < target)
        {
            offer(publication);
        }

        await("received", () ->
        {
            poll();
            return isComplete();
        }, () -> java.util.Arrays.toString(received) + " of " + sent);
    }

    void offer(final ExclusivePublication publication)
    {
        final int length = lengthOf(sent);
        message.putBytes(0, pattern[0], (int)(sent & 255), length);
        await("offer", () ->
        {
            poll();
            return publication.offer(message, 0, length) > 0;
        }, () -> java.util.Arrays.toString(received) + " of " + sent);
        sent++;
    }

    void poll()
    {
        for (int i = 0; i < subscriptions.length; i++)
        {
            subscriptions[i].poll(handlers[i], FRAGMENT_LIMIT);
        }
    }

    boolean isComplete()
    {
        for (final long count : received)
        {
            if (count < sent)
            {
                return false;
            }
        }

        return true;
    }

    private int lengthOf(final long number)
    {
        return lengths[(int)(number % lengths.length)];
    }
}
