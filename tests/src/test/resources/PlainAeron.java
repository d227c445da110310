import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.FragmentAssembler;
import org.agrona.concurrent.UnsafeBuffer;

import java.nio.ByteBuffer;

/**
 * A program written against plain Aeron: publishes numbered messages, or receives and checks them.
 * <pre>PlainAeron publish|subscribe AERON_DIR CHANNEL COUNT</pre>
 */
public final class PlainAeron
{
    private static final int STREAM_ID = 10;
    private static final int MAX_LENGTH = 20_000;
    private static final long DEADLINE_MS = 30_000;

    public static void main(final String[] args) throws Exception
    {
        final int count = Integer.parseInt(args[3]);
        final long deadlineMs = System.currentTimeMillis() + DEADLINE_MS;
        try (Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(args[1])))
        {
            if ("publish".equals(args[0]))
            {
                publish(aeron, args[2], count, deadlineMs);
            }
            else
            {
                subscribe(aeron, args[2], count, deadlineMs);
            }
        }
    }

    private static void publish(final Aeron aeron, final String channel, final int count, final long deadlineMs)
        throws Exception
    {
        final UnsafeBuffer buffer = new UnsafeBuffer(ByteBuffer.allocateDirect(MAX_LENGTH));
        try (ExclusivePublication publication = aeron.addExclusivePublication(channel, STREAM_ID))
        {
            for (int i = 0; i < count; i++)
            {
                final int length = length(i);
                buffer.putInt(0, i);
                for (int j = 4; j < length; j++)
                {
                    buffer.putByte(j, (byte)(i + j));
                }
                while (publication.offer(buffer, 0, length) < 0)
                {
                    check(deadlineMs);
                    Thread.onSpinWait();
                }
            }
            // Until the subscriber has all of it and leaves.
            while (publication.isConnected())
            {
                check(deadlineMs);
                Thread.yield();
            }
        }
        System.out.println("published " + count);
    }

    private static void subscribe(final Aeron aeron, final String channel, final int count, final long deadlineMs)
        throws Exception
    {
        final int[] next = { 0 };
        final FragmentHandler handler = new FragmentAssembler((buffer, offset, length, header) ->
        {
            final int i = next[0]++;
            boolean same = length(i) == length && buffer.getInt(offset) == i;
            for (int j = 4; same && j < length; j++)
            {
                same = buffer.getByte(offset + j) == (byte)(i + j);
            }
            if (!same)
            {
                throw new IllegalStateException("message " + i + " is not what was published");
            }
        });
        try (Subscription subscription = aeron.addSubscription(channel, STREAM_ID))
        {
            while (next[0] < count)
            {
                if (0 == subscription.poll(handler, 10))
                {
                    check(deadlineMs);
                    Thread.yield();
                }
            }
        }
        System.out.println("received " + next[0]);
    }

    private static int length(final int i)
    {
        return 4 + (int)(i * 7919L % (MAX_LENGTH - 4));
    }

    private static void check(final long deadlineMs)
    {
        if (System.currentTimeMillis() > deadlineMs)
        {
            throw new IllegalStateException("deadline passed");
        }
    }
}
