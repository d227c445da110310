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
package io.millrace.tests.striping;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.Header;
import io.millrace.efa.EfaContext;
import io.millrace.efa.EfaMediaDriver;
import org.agrona.DirectBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.UnsafeBuffer;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/**
 * One end of a stream on a machine of its own, which is a network namespace here: a driver and a client. The publisher
 * offers as fast as it can until it is told {@code end}; the subscriber checks every byte. Both end with their standard
 * input.
 */
public final class StripingNode
{
    static final int STREAM_ID = 1001;

    private static final long MULTIPLIER = 0x9E37_79B9_7F4A_7C15L;
    private static final long END = -1;

    private volatile boolean isEnding;
    private volatile boolean isOver;
    private long nextSequence;
    private long errors;
    private boolean isComplete;

    private StripingNode()
    {
    }

    /**
     * Run one end.
     *
     * @param args {@code pub} or {@code sub}, and the channel.
     */
    public static void main(final String[] args)
    {
        final StripingNode node = new StripingNode();
        final Thread commands = new Thread(node::readCommands, "commands");
        commands.setDaemon(true);
        commands.start();

        final MediaDriver.Context context = new MediaDriver.Context()
            .threadingMode(ThreadingMode.SHARED)
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true);
        try (EfaMediaDriver driver = EfaMediaDriver.launch(context, new EfaContext());
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName())))
        {
            if ("pub".equals(args[0]))
            {
                node.publish(aeron, args[1]);
            }
            else
            {
                node.subscribe(aeron, args[1]);
            }
        }
    }

    private void readCommands()
    {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII)))
        {
            while ("end".equals(reader.readLine()))
            {
                isEnding = true;
            }
        }
        catch (final IOException ex)
        {
            System.err.println(ex);
        }
        isOver = true;
    }

    private void publish(final Aeron aeron, final String channel)
    {
        final IdleStrategy idle = new BackoffIdleStrategy();
        final BufferClaim claim = new BufferClaim();
        try (ExclusivePublication publication = aeron.addExclusivePublication(channel, STREAM_ID))
        {
            final int length = publication.maxPayloadLength();
            long sequence = 0;
            while (!isEnding && !isOver)
            {
                final long result = publication.tryClaim(length, claim);
                if (result > 0)
                {
                    fill(claim.buffer(), claim.offset(), length, sequence++);
                    claim.commit();
                    idle.reset();
                }
                else
                {
                    idle.idle();
                }
                check(result);
            }

            final UnsafeBuffer end = new UnsafeBuffer(new byte[2 * Long.BYTES]);
            end.putLong(0, END);
            end.putLong(Long.BYTES, sequence);
            while (publication.offer(end) < 0 && !isOver)
            {
                idle.idle();
            }
            System.out.println("sent " + sequence);

            while (!isOver)
            {
                idle.idle();
            }
        }
    }

    private void subscribe(final Aeron aeron, final String channel)
    {
        final IdleStrategy idle = new BackoffIdleStrategy();
        final FragmentHandler handler = new FragmentAssembler(this::onMessage);
        try (Subscription subscription = aeron.addSubscription(
            channel, STREAM_ID, null, (image) -> System.err.println("lost " + image)))
        {
            System.out.println("ready");
            boolean isReported = false;
            while (!isOver)
            {
                idle.idle(subscription.poll(handler, 32));
                if (isComplete && !isReported)
                {
                    isReported = true;
                    System.out.println("received " + nextSequence + " errors " + errors);
                }
            }
        }
    }

    private void onMessage(final DirectBuffer buffer, final int offset, final int length, final Header header)
    {
        final long sequence = buffer.getLong(offset);
        if (END == sequence)
        {
            errors += buffer.getLong(offset + Long.BYTES) == nextSequence ? 0 : 1;
            isComplete = true;
            return;
        }

        errors += sequence == nextSequence++ && isIntact(buffer, offset, length, sequence) ? 0 : 1;
    }

    private static void fill(final MutableDirectBuffer buffer, final int offset, final int length, final long sequence)
    {
        buffer.putLong(offset, sequence);
        final long base = sequence * MULTIPLIER;
        for (int i = Long.BYTES; i + Long.BYTES <= length; i += Long.BYTES)
        {
            buffer.putLong(offset + i, base + i);
        }
    }

    private static boolean isIntact(
        final DirectBuffer buffer, final int offset, final int length, final long sequence)
    {
        final long base = sequence * MULTIPLIER;
        long difference = 0;
        for (int i = Long.BYTES; i + Long.BYTES <= length; i += Long.BYTES)
        {
            difference |= buffer.getLong(offset + i) ^ base + i;
        }
        return 0 == difference;
    }

    private static void check(final long result)
    {
        if (Publication.CLOSED == result || Publication.MAX_POSITION_EXCEEDED == result)
        {
            throw new IllegalStateException("offer: " + Publication.errorString(result));
        }
    }
}
