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

import io.aeron.Aeron;
import io.aeron.AeronCounters;
import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.aeron.Subscription;
import org.agrona.CloseHelper;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Drivers and clients that are stopped for three seconds: what clients see is what they see with Aeron's driver over
 * UDP. The same program runs beside each other on that and on rails. A JVM that collects garbage is such a process: all
 * of its threads that run Java stand still, and none but those drives libfabric.
 */
@Timeout(180)
class PausedDriverTest
{
    private static final long PAUSE_NS = TimeUnit.SECONDS.toNanos(3);
    private static final int MESSAGES = 50;

    @Test
    void shouldEndAsOnUdp()
    {
        final List<Run> runs = new ArrayList<>();
        try
        {
            for (final String protocol : List.of(DriverProcess.STOCK, "shm", "tcp"))
            {
                runs.add(new Run(protocol));
            }
            runs.forEach(Run::connect);

            // patient images outlast the pause of either side
            pause(runs, (run) -> run.far);
            runs.forEach((run) -> run.forward.exchange());
            runs.forEach((run) -> run.back.resume());
            pause(runs, (run) -> run.near);
            runs.forEach((run) -> run.forward.exchange());
            runs.forEach((run) -> run.back.resume());

            for (final Run run : runs)
            {
                assertThat(run.forward.events).as(run.protocol)
                    .containsExactly("image", "disconnected")
                    .containsExactlyElementsOf(runs.get(0).forward.events);
                assertThat(run.back.events).as(run.protocol)
                    .startsWith("image", "image gone", "image");
                run.assertOnRails();
            }
        }
        finally
        {
            CloseHelper.closeAll(runs);
        }
    }

    @Test
    void shouldHoldTheStreamForAClientThatIsStopped()
    {
        final List<ClientRun> runs = new ArrayList<>();
        try
        {
            for (final String protocol : List.of(DriverProcess.STOCK, "shm", "tcp"))
            {
                runs.add(new ClientRun(protocol));
            }
            runs.forEach(ClientRun::connect);

            runs.forEach((run) -> DriverProcess.signal(run.client, "STOP"));
            final long deadlineNs = System.nanoTime() + PAUSE_NS;
            await("held up and paused", () ->
            {
                runs.forEach(ClientRun::offer);
                return System.nanoTime() - deadlineNs > 0 && runs.stream().allMatch((run) -> run.isHeldUp);
            });
            runs.forEach((run) ->
                assertThat(run.publication.isConnected()).as("%s is connected", run.protocol).isTrue());
            runs.forEach((run) -> DriverProcess.signal(run.client, "CONT"));

            for (final ClientRun run : runs)
            {
                await("all taken", run::isTaken, () -> counters(run.farClient));
                assertThat(run.client.isAlive()).as("%s without a gap", run.protocol).isTrue();
                assertThat(sum(run.nearClient, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isEqualTo(run.byUdp);
            }
        }
        finally
        {
            CloseHelper.closeAll(runs);
        }
    }

    private static void pause(final List<Run> runs, final Function<Run, DriverProcess> side)
    {
        runs.forEach((run) -> side.apply(run).signal("STOP"));
        final long deadlineNs = System.nanoTime() + PAUSE_NS;
        runs.forEach((run) -> run.whilePaused(side.apply(run)));
        await("pause", () -> System.nanoTime() - deadlineNs > 0);
        runs.forEach((run) -> side.apply(run).signal("CONT"));
    }

    /**
     * Two drivers, and a subscriber in a process of its own.
     */
    private static final class ClientRun implements AutoCloseable
    {
        private static final int STREAM_ID = 63;

        /**
         * A machine that stands still for longer than the pause ends nothing.
         */
        private static final String[] PATIENCE = {
            "aeron.client.liveness.timeout=60s", "aeron.publication.unblock.timeout=90s",
            "aeron.publication.connection.timeout=60s",
            "aeron.image.liveness.timeout=60s", "millrace.efa.link.timeout=60s" };

        private final String protocol;
        private final DriverProcess near;
        private final DriverProcess far;
        private final UnsafeBuffer message = new UnsafeBuffer(new byte[1_000]);
        private Aeron nearClient;
        private Aeron farClient;
        private Process client;
        private ExclusivePublication publication;
        private long sent;
        private long byUdp;
        private boolean isHeldUp;

        ClientRun(final String protocol)
        {
            this.protocol = protocol;
            near = new DriverProcess(protocol, PATIENCE);
            far = new DriverProcess(protocol, PATIENCE);
        }

        void connect()
        {
            final String channel = TwoDrivers.endpoint();
            nearClient = near.connect();
            farClient = far.connect();
            client = far.client(PausedClientMain.class, channel, Integer.toString(STREAM_ID));
            publication = nearClient.addExclusivePublication(channel + "|term-length=64k", STREAM_ID);
            if (!DriverProcess.STOCK.equals(protocol))
            {
                await(protocol + " link", () -> 1 == sum(nearClient, EfaCounters.LINKS_TYPE_ID),
                    () -> counters(nearClient));
            }
            await("connected", publication::isConnected);
            byUdp = sum(nearClient, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID);
            offer();
            await("taken", this::isTaken, () -> counters(farClient));
        }

        void offer()
        {
            message.putLong(0, sent);
            final long position = publication.offer(message);
            sent += position > 0 ? 1 : 0;
            isHeldUp |= Publication.BACK_PRESSURED == position;
        }

        boolean isTaken()
        {
            return publication.position() == sum(farClient, AeronCounters.DRIVER_SUBSCRIBER_POSITION_TYPE_ID);
        }

        @Override
        public void close()
        {
            if (null != client)
            {
                client.destroyForcibly().onExit().join();
            }
            CloseHelper.quietCloseAll(nearClient, farClient);
            CloseHelper.closeAll(near, far);
        }
    }

    /**
     * Two drivers, a stream to the far one, whose images outlast a pause, and one back, where they do not.
     */
    private static final class Run implements AutoCloseable
    {
        private final String protocol;
        private final DriverProcess near;
        private final DriverProcess far;
        private Aeron nearClient;
        private Aeron farClient;
        private Stream forward;
        private Stream back;

        Run(final String protocol)
        {
            this.protocol = protocol;
            near = new DriverProcess(
                protocol, "aeron.publication.connection.timeout=1s", "aeron.image.liveness.timeout=1s");
            far = new DriverProcess(protocol, "aeron.image.liveness.timeout=10s");
        }

        void connect()
        {
            nearClient = near.connect();
            farClient = far.connect();
            forward = new Stream(nearClient, farClient, 61);
            back = new Stream(farClient, nearClient, 62);
            awaitLinks();
            forward.exchange();
            back.exchange();
        }

        void whilePaused(final DriverProcess paused)
        {
            forward.offer();
            back.offer();
            if (paused == far)
            {
                await("publication of a stopped receiver", () -> !forward.publication.isConnected());
                forward.events.add("disconnected");
                await("image of a stopped sender", () -> back.events.contains("image gone"));
            }
        }

        void awaitLinks()
        {
            if (!DriverProcess.STOCK.equals(protocol))
            {
                await(protocol + " links", () -> 2 == sum(nearClient, EfaCounters.LINKS_TYPE_ID) &&
                    2 == sum(farClient, EfaCounters.LINKS_TYPE_ID), () -> counters(nearClient) + counters(farClient));
            }
        }

        void assertOnRails()
        {
            awaitLinks();
            final long byUdp = sum(nearClient, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID);
            forward.exchange();
            assertThat(sum(nearClient, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).as(protocol).isEqualTo(byUdp);
        }

        @Override
        public void close()
        {
            CloseHelper.quietCloseAll(nearClient, farClient);
            CloseHelper.closeAll(near, far);
        }
    }

    private static final class Stream
    {
        private final Queue<String> events = new ConcurrentLinkedQueue<>();
        private final UnsafeBuffer message = new UnsafeBuffer(new byte[200]);
        private final ExclusivePublication publication;
        private final Subscription subscription;
        private long sent;
        private long received;

        Stream(final Aeron from, final Aeron to, final int streamId)
        {
            final String channel = TwoDrivers.endpoint();
            subscription = to.addSubscription(
                channel, streamId, (image) -> events.add("image"), (image) -> events.add("image gone"));
            publication = from.addExclusivePublication(channel, streamId);
            await("connected", () -> subscription.isConnected() && publication.isConnected());
        }

        /**
         * Offer as much as a stopped driver has room for.
         */
        void offer()
        {
            for (int i = 0; i < MESSAGES; i++)
            {
                message.putLong(0, sent);
                if (publication.offer(message) > 0)
                {
                    sent++;
                }
            }
        }

        /**
         * Send messages, and take them and all that were offered before, in order and without a gap.
         */
        void exchange()
        {
            final long target = sent + MESSAGES;
            await("exchanged", () ->
            {
                message.putLong(0, sent);
                if (sent < target && publication.offer(message) > 0)
                {
                    sent++;
                }
                poll(true);
                return received == target;
            }, () -> received + " of " + target);
        }

        /**
         * Go on with an image that may be a new one, which begins where the sender is.
         */
        void resume()
        {
            final long before = sent;
            await("resumed", () ->
            {
                message.putLong(0, sent);
                if (publication.offer(message) > 0)
                {
                    sent++;
                }
                poll(false);
                return received > before;
            }, () -> received + " of " + sent + " " + events);
            await("drained", () ->
            {
                poll(false);
                return received == sent;
            });
        }

        private void poll(final boolean isComplete)
        {
            subscription.poll((buffer, offset, length, header) ->
            {
                final long number = buffer.getLong(offset);
                if (isComplete ? number != received : number < received)
                {
                    throw new AssertionError("message " + number + " came for " + received);
                }
                received = number + 1;
            }, 20);
        }
    }
}
