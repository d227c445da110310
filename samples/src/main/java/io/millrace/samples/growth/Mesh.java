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
package io.millrace.samples.growth;

import io.aeron.Aeron;
import io.aeron.ChannelUriStringBuilder;
import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.LogBufferDescriptor;
import io.millrace.efa.EfaContext;
import io.millrace.efa.EfaCounters;
import io.millrace.efa.EfaMediaDriver;
import io.millrace.samples.demo.Interruption;
import io.millrace.samples.failure.CommandFailure;
import org.agrona.CloseHelper;
import org.agrona.concurrent.AgentInvoker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One driver that publishes and some that subscribe, with their clients, all run by the thread that calls: so its
 * processor time is the whole cost, whatever else the machine does.
 */
final class Mesh implements AutoCloseable
{
    /**
     * Two packets of 8 192 bytes, which is what a Sender sends of a stream in one duty cycle.
     */
    static final int BURST = 50;

    /**
     * Streams that send in one duty cycle: what they send fits the buffer of a socket, whose stock driver must not
     * lose any of it.
     */
    private static final int BURST_STREAMS = 16;
    private static final int SOCKET_BUFFER_LENGTH = 2 << 20;

    private static final int MESSAGE_LENGTH = 288;
    private static final int MTU_LENGTH = 8192;
    private static final int WINDOW_LENGTH = 128 * 1024;
    private static final int FIRST_STREAM_ID = 3001;
    private static final int FRAGMENT_LIMIT = 256;
    private static final int CLIENT_CYCLES_MASK = 63;
    private static final int CYCLES_PER_LOOK = 64;
    private static final int COUNTERS_LENGTH = 4 << 20;
    private static final long CONNECT_DEADLINE_NS = TimeUnit.SECONDS.toNanos(120);

    private final GrowthOptions options;
    private final Shape shape;
    private final List<AutoCloseable> drivers = new ArrayList<>();
    private final List<Aeron> clients = new ArrayList<>();
    private final List<AgentInvoker> invokers = new ArrayList<>();
    private final List<AgentInvoker> clientInvokers = new ArrayList<>();
    private final List<ExclusivePublication> publications = new ArrayList<>();
    private final List<Subscription> subscriptions = new ArrayList<>();
    private final BufferClaim claim = new BufferClaim();
    private final FragmentHandler counter = (buffer, offset, length, header) -> count();
    private long sent;
    private long received;
    private long cycles;
    private int turn;

    /**
     * What a mesh consists of.
     *
     * @param onRails    or on Aeron's own driver over UDP.
     * @param peers      drivers that subscribe.
     * @param streams    to each of them.
     * @param rails      of each agent.
     * @param termLength of the streams.
     */
    record Shape(boolean onRails, int peers, int streams, int rails, int termLength)
    {
    }

    Mesh(final GrowthOptions options, final Shape shape)
    {
        this.options = options;
        this.shape = shape;
        try
        {
            for (int i = 0; i <= shape.peers(); i++)
            {
                checkNotInterrupted();
                launch(options.directory().resolve("driver-" + i));
                work();
            }
        }
        catch (final RuntimeException ex)
        {
            close();
            throw ex;
        }
    }

    private void launch(final Path directory)
    {
        final MediaDriver.Context context = new MediaDriver.Context()
            .aeronDirectoryName(directory.toString())
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true)
            .termBufferSparseFile(true)
            .performStorageChecks(false)
            .counterValuesBufferLength(COUNTERS_LENGTH)
            .clientLivenessTimeoutNs(CONNECT_DEADLINE_NS)
            .publicationUnblockTimeoutNs(2 * CONNECT_DEADLINE_NS)
            .threadingMode(ThreadingMode.INVOKER);
        final MediaDriver driver;
        if (shape.onRails())
        {
            final EfaMediaDriver efaDriver = EfaMediaDriver.launch(
                context, new EfaContext().protocol(options.protocol()).rails(shape.rails()));
            drivers.add(efaDriver);
            driver = efaDriver.mediaDriver();
        }
        else
        {
            driver = MediaDriver.launch(context);
            drivers.add(driver);
        }
        invokers.add(driver.sharedAgentInvoker());
        final Aeron client = Aeron.connect(new Aeron.Context()
            .aeronDirectoryName(directory.toString())
            .useConductorAgentInvoker(true)
            .driverAgentInvoker(driver.sharedAgentInvoker()));
        clients.add(client);
        clientInvokers.add(client.conductorAgentInvoker());
    }

    /**
     * Add publications and subscriptions and wait until all are connected, on rails where there are any.
     *
     * @return time that took, nanoseconds.
     */
    long connect()
    {
        final long startNs = System.nanoTime();
        for (int peer = 1; peer <= shape.peers(); peer++)
        {
            final String channel = channel();
            for (int i = 0; i < shape.streams(); i++)
            {
                subscriptions.add(clients.get(peer).addSubscription(channel, FIRST_STREAM_ID + i));
                publications.add(clients.getFirst().addExclusivePublication(channel, FIRST_STREAM_ID + i));
            }
            work();
        }
        while (!isConnected())
        {
            if (System.nanoTime() - startNs > CONNECT_DEADLINE_NS)
            {
                throw new IllegalStateException(publications.size() + " streams to " + shape.peers() +
                    " peers are not connected, or not on rails, within 120 s");
            }
            work();
        }
        return System.nanoTime() - startNs;
    }

    private boolean isConnected()
    {
        return publications.stream().allMatch(Publication::isConnected) &&
            subscriptions.stream().allMatch(Subscription::isConnected) &&
            (!shape.onRails() || clients.stream().allMatch((client) ->
            links(client) >= (client == clients.getFirst() ? shape.peers() : 1)));
    }

    private static long links(final Aeron client)
    {
        return EfaCounters.sum(client.countersReader(), EfaCounters.LINKS_TYPE_ID);
    }

    private String channel()
    {
        try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)))
        {
            return new ChannelUriStringBuilder()
                .media("udp")
                .endpoint("127.0.0.1:" + socket.getLocalPort())
                .mtu(MTU_LENGTH)
                .termLength(shape.termLength())
                .receiverWindowLength(WINDOW_LENGTH)
                .socketRcvbufLength(SOCKET_BUFFER_LENGTH)
                .socketSndbufLength(SOCKET_BUFFER_LENGTH)
                .build();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    /**
     * One duty cycle of all drivers, and now and then of the clients.
     *
     * @return work done by the drivers.
     */
    int work()
    {
        int work = 0;
        for (int i = 0; i < invokers.size(); i++)
        {
            work += invokers.get(i).invoke();
        }
        if (0 == (++cycles & CLIENT_CYCLES_MASK))
        {
            checkNotInterrupted();
            for (int i = 0; i < clientInvokers.size(); i++)
            {
                clientInvokers.get(i).invoke();
            }
        }
        return work;
    }

    // All is closed by the thread that works, which the end of the process waits for.
    private static void checkNotInterrupted()
    {
        if (Interruption.happened())
        {
            throw CommandFailure.failed("interrupted");
        }
    }

    /**
     * Send on some streams what a duty cycle of the Sender carries, on the next ones at each call, and receive.
     */
    void burst()
    {
        for (int i = Math.min(BURST_STREAMS, publications.size()); i > 0; i--)
        {
            final ExclusivePublication publication = next();
            for (int message = 0; message < BURST && send(publication); message++)
            {
                ++sent;
            }
        }
        drain();
    }

    /**
     * Send until each page of each log was used, so that none is new any more.
     *
     * @param maxNs for at most so long.
     */
    void touch(final long maxNs)
    {
        final long startNs = System.nanoTime();
        final long bytes = (long)publications.size() * LogBufferDescriptor.PARTITION_COUNT * shape.termLength();
        do
        {
            burst();
        }
        while (sent * MESSAGE_LENGTH < bytes && System.nanoTime() - startNs < maxNs);
    }

    /**
     * Send one message on one stream, the next one at each call, and receive.
     */
    void lone()
    {
        if (send(next()))
        {
            ++sent;
        }
        drain();
    }

    /**
     * Receive all that was sent: Aeron's Receiver takes one datagram of an endpoint in a duty cycle, and what waits
     * must not outgrow the socket's buffer.
     */
    private void drain()
    {
        final long startNs = System.nanoTime();
        do
        {
            for (int i = 0; i < CYCLES_PER_LOOK && received < sent; i++)
            {
                work();
                poll();
            }
            if (System.nanoTime() - startNs > CONNECT_DEADLINE_NS)
            {
                throw new IllegalStateException(received + " of " + sent + " messages arrived within 120 s");
            }
        }
        while (received < sent);
    }

    private void poll()
    {
        for (int i = 0; i < subscriptions.size(); i++)
        {
            subscriptions.get(i).poll(counter, FRAGMENT_LIMIT);
        }
    }

    private ExclusivePublication next()
    {
        return publications.get((turn++ & Integer.MAX_VALUE) % publications.size());
    }

    private boolean send(final ExclusivePublication publication)
    {
        final long position = publication.tryClaim(MESSAGE_LENGTH, claim);
        if (position > 0)
        {
            claim.commit();
        }
        else if (Publication.BACK_PRESSURED != position && Publication.ADMIN_ACTION != position)
        {
            throw new IllegalStateException("publication is " + Publication.errorString(position));
        }
        return position > 0;
    }

    private void count()
    {
        ++received;
    }

    long received()
    {
        return received;
    }

    /**
     * Memory that the sending driver has registered, its logs included.
     *
     * @return bytes.
     */
    long registeredBytes()
    {
        final Aeron client = clients.getFirst();
        return shape.onRails() ?
            EfaCounters.sum(client.countersReader(), EfaCounters.REGISTERED_BYTES_TYPE_ID) +
            EfaCounters.sum(client.countersReader(), EfaCounters.LOG_REGISTERED_BYTES_TYPE_ID) : 0;
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(clients);
        CloseHelper.quietCloseAll(drivers);
    }
}
