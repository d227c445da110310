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
package io.millrace.archive;

import java.nio.file.Path;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.archive.client.PersistentSubscription;
import io.aeron.archive.client.PersistentSubscriptionListener;
import io.aeron.archive.codecs.SourceLocation;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferState;
import org.agrona.collections.LongArrayList;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(120)
class LateJoinTest
{
    private static final int QUOTES = 3_000;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = { "ipc", "udp" })
    void getsHistoryThenTheLiveStreamWithATransferAcrossTheTwo(final String media) throws Exception
    {
        final String channel = channel(media);
        try (Rig rig = new Rig(directory); Rig.Destination target = new Rig.Destination())
        {
            final KvRecording recording = rig.client.record(channel, Rig.STREAM_ID, SourceLocation.LOCAL);
            try (KvSender sender = KvSender.launch(rig.senderContext(channel).unacknowledged(true)))
            {
                rig.send(sender, 1, 2);
                final long id = recording.awaitStart(Rig.LIMIT_NS);
                final KvTransfer across = rig.submit(sender, 3, true);
                across.layerReady(0);
                recording.await(
                    2 * Rig.LAYOUT.totalBytes(Rig.BLOCKS) + Rig.LAYOUT.layerBytes(Rig.BLOCKS), Rig.LIMIT_NS);

                try (KvLateJoin join =
                    KvLateJoin.start(rig.client, id, channel, Rig.STREAM_ID, target.receiverContext()))
                {
                    await(join::isLive);
                    across.layerReady(Rig.LAYOUT.layers() - 1);
                    assertThat(across.await(Rig.LIMIT_NS)).isEqualTo(KvTransferState.COMPLETED);
                    rig.send(sender, 4, 5);
                    await(() -> 5 == target.completed.size());
                    assertThat(join.hasFailed()).isFalse();
                }
                rig.assertSame(target, 1, 2, 3, 4, 5);
                assertThat(target.events)
                    .containsExactlyInAnyOrder("begin 1", "begin 2", "begin 3", "begin 4", "begin 5");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "ipc", "udp" })
    void getsEveryMessageOfAnotherStreamOnceWhileItGoesOn(final String media) throws Exception
    {
        final String channel = channel(media);
        final Listener listener = new Listener();
        final LongArrayList received = new LongArrayList();
        try (Rig rig = new Rig(directory);
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(rig.archive.aeronDirectoryName())))
        {
            final KvRecording recording = rig.client.record(channel, 7, SourceLocation.LOCAL);
            try (ExclusivePublication publication = aeron.addExclusivePublication(channel, 7))
            {
                recording.awaitStart(Rig.LIMIT_NS);
                final Quotes quotes = new Quotes(publication);
                await(() -> quotes.offer() == QUOTES);
                try (PersistentSubscription subscription = KvLateJoin.subscribe(rig.client, recording.recordingId(),
                    PersistentSubscription.FROM_START, channel, 7, listener))
                {
                    // What is published while the replay catches up must be neither lost nor seen twice.
                    await(() ->
                    {
                        poll(subscription, received);
                        return quotes.offer() >= 2 * QUOTES && subscription.isLive();
                    });
                    final int whenLive = quotes.next;
                    await(() -> quotes.offer() > whenLive + 100);
                    await(() ->
                    {
                        poll(subscription, received);
                        return received.size() >= quotes.next;
                    });
                    assertThat(received.size()).isEqualTo(quotes.next);
                    assertThat(subscription.hasFailed()).isFalse();
                }
                assertThat(listener.isJoined).isTrue();
                assertThat(listener.error).isNull();
            }
        }
        for (int i = 0; i < received.size(); i++)
        {
            assertThat(received.getLong(i)).isEqualTo(i);
        }
    }

    @Test
    void refusesARecordingThatIsNotThere()
    {
        try (Rig rig = new Rig(directory); Rig.Destination target = new Rig.Destination())
        {
            assertThatThrownBy(() ->
                KvLateJoin.start(rig.client, 77, Rig.IPC, Rig.STREAM_ID, target.receiverContext()))
                .hasMessageStartingWith("UNKNOWN_RECORDING");
        }
    }

    /**
     * Numbered messages, every 100th of them in fragments.
     */
    private static final class Quotes
    {
        private final UnsafeBuffer message = new UnsafeBuffer(new byte[20_000]);
        private final ExclusivePublication publication;
        private int next;

        Quotes(final ExclusivePublication publication)
        {
            this.publication = publication;
        }

        /**
         * @return messages offered so far.
         */
        int offer()
        {
            message.putLong(0, next);
            next += publication.offer(message, 0, 0 == next % 100 ? message.capacity() : 64) > 0 ? 1 : 0;
            return next;
        }
    }

    private static final class Listener implements PersistentSubscriptionListener
    {
        private boolean isJoined;
        private Exception error;

        public void onLiveJoined()
        {
            isJoined = true;
        }

        public void onLiveLeft()
        {
            isJoined = false;
        }

        public void onError(final Exception ex)
        {
            error = ex;
        }
    }

    private static void poll(final PersistentSubscription subscription, final LongArrayList received)
    {
        subscription.poll((buffer, offset, length, header) -> received.addLong(buffer.getLong(offset)), 20);
    }

    private static String channel(final String media) throws Exception
    {
        return "ipc".equals(media) ? Rig.IPC :
            "aeron:udp?endpoint=localhost:" + Rig.freePort() + "|term-length=1m|mtu=8k|ssc=true";
    }

    private static void await(final BooleanSupplier condition)
    {
        final long startNs = System.nanoTime();
        while (!condition.getAsBoolean())
        {
            assertThat(System.nanoTime() - startNs).isLessThan(2 * Rig.LIMIT_NS);
            LockSupport.parkNanos(10_000);
        }
    }
}
