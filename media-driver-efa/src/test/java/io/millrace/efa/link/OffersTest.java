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

import io.aeron.logbuffer.LogBufferDescriptor;
import io.aeron.protocol.DataHeaderFlyweight;
import io.millrace.codecs.handshake.OfferStatus;
import io.millrace.efa.EfaCounters;
import io.millrace.efa.rail.ScriptedEndpoint;
import io.millrace.efa.term.PlacedImage;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Offers of images over several rails, some of which fail and come back, and answers of peers and of others, on
 * simulated time.
 */
@Timeout(150)
class OffersTest extends SimulatedNetwork
{
    private static final int STREAM_ID = 9;
    private static final int FRAME_LENGTH = 256;
    private static final int TERM_LENGTH = 64 * 1024;
    private static final InetSocketAddress STRANGER = new InetSocketAddress("127.0.0.2", SENDER_PORT);

    private final List<ImageRecord> records = new ArrayList<>();
    private int termOffset;
    private boolean isClosing;
    @TempDir
    private Path directory;

    @AfterEach
    void tearDown()
    {
        isClosing = true;
        sender.conductor.onClose();
        receiver.conductor.onClose();
    }

    @ParameterizedTest
    @CsvSource({ "2, 4", "4, 2", "3, 3" })
    void shouldWriteToTheRegionOfTheRailThatIsWrittenTo(final int ofSender, final int ofReceiver) throws IOException
    {
        link(ofSender, ofReceiver);
        final int paths = Math.max(ofSender, ofReceiver);
        offer(paths, TERM_LENGTH);
        assertOffers(paths);

        write();
        assertThat(arrive()).as("rails of the receiver").hasSize(ofReceiver);
    }

    @ParameterizedTest
    @CsvSource({ "true, 0", "false, 0", "true, 30", "false, 30" })
    void shouldWriteOnARailThatComesBack(final boolean isSender, final int lossPercent) throws IOException
    {
        link(2, 2);
        offer(2, TERM_LENGTH);
        write();
        assertThat(arrive()).hasSize(2);

        final SimulatedNode node = isSender ? sender : receiver;
        final AgentSide side = isSender ? node.conductor.sender() : node.conductor.receiver();
        this.lossPercent = lossPercent;
        node.conductor.onRailFailed(side.railSet(), side.rails().get(0), "test");
        run(600);
        run(5_000);
        assertThat(sender.link.paths().size()).isEqualTo(2);
        this.lossPercent = 0;

        write();
        assertThat(arrive()).as("as writes, on both rails, with keys of regions that are open").hasSize(2);
        assertThat(receiver.counters.railsReopened().get() + sender.counters.railsReopened().get()).isEqualTo(1);
        assertOffers(2);
    }

    @Test
    void shouldBelieveNobodyButTheSenderThatAnOfferHasEnded() throws IOException
    {
        link(1, 1);
        offer(1, TERM_LENGTH);
        final HandshakeMessage.ImageOffer offer = offerSaid();
        for (long epoch = 0; epoch < 100; epoch++)
        {
            tell(sender.address, ended(100, epoch, offer.receiverHandle(), 0));
        }
        assertThat(Math.abs(offer.epoch())).as("nothing that one counts up to").isGreaterThan(1L << 32);

        tell(STRANGER, ended(100, offer.epoch(), offer.receiverHandle(), 0));
        tell(sender.address, ended(101, offer.epoch(), offer.receiverHandle(), 0));
        tell(sender.address, ended(100, offer.epoch(), offer.receiverHandle() + 1, 0));
        assertOffers(1);
        assertThat(receiver.counters.handshakesStale().get()).isEqualTo(3);

        end(STRANGER, new HandshakeMessage.OfferEnd(
            200, offer.epoch(), 100, offer.senderHandle(), offer.receiverHandle()));
        end(receiver.address, new HandshakeMessage.OfferEnd(
            200, offer.epoch(), 101, offer.senderHandle(), offer.receiverHandle()));
        end(receiver.address, new HandshakeMessage.OfferEnd(
            200, offer.epoch(), 100, offer.senderHandle() + 1, offer.receiverHandle()));
        run(10);
        assertThat(sender.counters.handshakesStale().get()).isEqualTo(3);
        write();
        assertThat(arrive()).hasSize(1);
    }

    @Test
    void shouldTakeOffersFromTheAddressThatAnswersOnly() throws IOException
    {
        link(1, 1);
        offer(1, TERM_LENGTH);
        final HandshakeMessage.ImageOffer offer = offerSaid();
        final HandshakeMessage.ImageOffer forged = new HandshakeMessage.ImageOffer(
            200, 100, offer.senderHandle(), offer.receiverHandle(), offer.epoch() + 1, offer.sessionId(), STREAM_ID,
            0, TERM_LENGTH, 0, 64, 0,
            List.of(new HandshakeMessage.ImageOffer.Region(666, 0, offer.regions().get(0).railAddress())));
        receive(new SimulatedNode.Datagram(STRANGER, sender.address, frame(codec.encode(forged))));
        run(10);

        write();
        assertThat(arrive()).as("with the key of the receiver").hasSize(1);
    }

    @Test
    void shouldFenceWhatIsWrittenToAfterItWasSaidToHaveEnded() throws IOException
    {
        link(1, 1);
        offer(1, TERM_LENGTH);
        write();
        arrive();
        run(1);
        final HandshakeMessage.ImageOffer offer = offerSaid();
        tell(sender.address, ended(100, offer.epoch(), offer.receiverHandle(), 0));
        run(10);
        assertThat(counter(EfaCounters.FENCED_LOGS_TYPE_ID)).isEqualTo(1);
    }

    @Test
    void shouldCloseWithoutFenceWhenAllWritesHaveArrived() throws IOException
    {
        link(1, 1);
        offer(1, TERM_LENGTH);
        write();
        receiver.conductor.onImageClosed(records.get(0));
        run(300);
        assertThat(counter(EfaCounters.MAPPED_LOGS_TYPE_ID)).as("one has not arrived").isEqualTo(1);

        arrive();
        run(100);
        assertThat(counter(EfaCounters.MAPPED_LOGS_TYPE_ID)).isZero();
        assertThat(counter(EfaCounters.FENCED_LOGS_TYPE_ID)).isZero();
    }

    @Test
    void shouldNotTakeAnOfferThatComesAfterItsEnd() throws IOException
    {
        link(1, 1);
        offer(1, TERM_LENGTH);
        final HandshakeMessage.ImageOffer offer = offerSaid();
        final HandshakeMessage.ImageOffer late = new HandshakeMessage.ImageOffer(
            200, 100, offer.senderHandle(), offer.receiverHandle(), 5, 7, STREAM_ID, 0, TERM_LENGTH, 0, 64, 0,
            offer.regions());
        end(receiver.address, new HandshakeMessage.OfferEnd(
            200, 5, 100, offer.senderHandle(), offer.receiverHandle()));
        run(1);
        final int answers = recorded.size();
        receive(new SimulatedNode.Datagram(receiver.address, sender.address, frame(codec.encode(late))));
        run(10);
        assertThat(recorded.subList(answers, recorded.size()))
            .noneMatch((datagram) -> codec.decode(datagram.frame()) instanceof HandshakeMessage.OfferAck);
    }

    /**
     * What a sender remembers of an offer it forgets, but not that it was.
     */
    @Test
    void shouldNotTakeAnOfferThatIsReplayedLongAfterItsEnd() throws IOException
    {
        link(1, 1);
        offer(1, TERM_LENGTH);
        final SimulatedNode.Datagram replayed = recorded.stream()
            .filter((datagram) -> codec.decode(datagram.frame()) instanceof HandshakeMessage.ImageOffer)
            .findFirst().orElseThrow();
        receiver.conductor.onImageClosed(records.remove(0));
        run(70_000);
        assertThat(sender.link.isUp()).isTrue();
        final int answers = recorded.size();
        receive(replayed);
        run(10);
        assertThat(recorded.subList(answers, recorded.size()))
            .noneMatch((datagram) -> codec.decode(datagram.frame()) instanceof HandshakeMessage.OfferAck);
        assertThat(sender.counters.handshakesStale().get()).isEqualTo(1);

        offer(1, TERM_LENGTH);
        assertOffers(1);
    }

    /**
     * Numbers of fenced images are given out again when nothing can be written to them any more.
     */
    @Test
    void shouldOfferAgainWhenFencedImagesAreGone() throws IOException
    {
        final int termLength = 1 << 28;
        link(1, 1);
        offer(42, termLength);
        assertOffers(42);

        isCut = true;
        records.forEach(receiver.conductor::onImageClosed);
        run(15_000);
        assertThat(counter(EfaCounters.FENCED_LOGS_TYPE_ID)).isEqualTo(42);

        isCut = false;
        run(20_000);
        assertThat(sender.link.isUp()).isTrue();
        offer(1, termLength);
        assertOffers(0);
        assertThat(receiver.errors).anyMatch((error) -> error.contains("the numbers of immediates are used up"));

        run(60_000);
        offer(1, termLength);
        assertOffers(1);
    }

    private void link(final int ofSender, final int ofReceiver)
    {
        sender = node(true, 100, ofSender);
        receiver = node(false, 200, ofReceiver);
        connect();
        run(300);
        assertLinked();
    }

    private SimulatedNode node(final boolean isSender, final long incarnation, final int rails)
    {
        return new SimulatedNode(isSender ? SENDER_PORT : RECEIVER_PORT, isSender, incarnation, HOST, this::clock,
            rails, List.of(), Integer.MAX_VALUE, directory, SimulatedNode.OWN_RAILS);
    }

    /**
     * A conductor that closes waits for its clock.
     */
    private long clock()
    {
        nowNs += isClosing ? TimeUnit.MILLISECONDS.toNanos(1) : 0;
        return nowNs;
    }

    /**
     * Let images come whose sessions have different paths as their home.
     */
    private void offer(final int count, final int termLength) throws IOException
    {
        for (int i = 0; i < count; i++)
        {
            final ImageRecord image = new ImageRecord(
                records.size(), receiver.udpChannel(), records.size(), STREAM_ID, 4096, sender.address);
            createLog(image.registrationId, termLength);
            records.add(image);
            receiver.conductor.onImage(image);
        }

        run(50);
        for (final PlacedImage image : receiver.images)
        {
            image.onStatusMessage(0, 0);
        }
        run(100);
    }

    private void createLog(final long registrationId, final int termLength) throws IOException
    {
        Files.createDirectories(directory.resolve("images"));
        final Path file = directory.resolve("images").resolve(registrationId + ".logbuffer");
        final UnsafeBuffer metaData = new UnsafeBuffer(new byte[LogBufferDescriptor.LOG_META_DATA_LENGTH]);
        LogBufferDescriptor.termLength(metaData, termLength);
        LogBufferDescriptor.mtuLength(metaData, 1408);
        LogBufferDescriptor.reliable(metaData, true);
        try (RandomAccessFile log = new RandomAccessFile(file.toFile(), "rw"))
        {
            final long length = LogBufferDescriptor.computeLogLength(termLength, 4096);
            log.setLength(length);
            log.seek(length - LogBufferDescriptor.LOG_META_DATA_LENGTH);
            log.write(metaData.byteArray());
        }
    }

    /**
     * A frame of each session.
     */
    private void write()
    {
        for (final ImageRecord image : records)
        {
            final ByteBuffer packet = BufferUtil.allocateDirectAligned(FRAME_LENGTH, 32);
            new DataHeaderFlyweight(packet)
                .termOffset(termOffset)
                .sessionId(image.sessionId)
                .streamId(STREAM_ID)
                .termId(0)
                .frameLength(FRAME_LENGTH)
                .version((short)0)
                .flags(DataHeaderFlyweight.BEGIN_AND_END_FLAGS)
                .headerType(DataHeaderFlyweight.HDR_TYPE_DATA);
            assertThat(sender.link.send(packet, null)).isEqualTo(FRAME_LENGTH);
        }
        termOffset += FRAME_LENGTH;
    }

    /**
     * Let all writes arrive.
     *
     * @return addresses of the rails that they went to.
     */
    private Set<String> arrive()
    {
        final Set<String> rails = new TreeSet<>();
        for (final ScriptedEndpoint endpoint : sender.endpoints)
        {
            assertThat(endpoint.sent).as("messages").isEmpty();
            for (final ScriptedEndpoint.Write write : endpoint.writes)
            {
                final ScriptedEndpoint target = receiver.endpoints.stream()
                    .filter((rail) -> Arrays.equals(rail.localAddress(), write.target()))
                    .findFirst().orElseThrow();
                assertThat(target.openKeys).contains(write.key());
                target.arrive(write);
                rails.add(Arrays.toString(write.target()));
            }
            endpoint.writes.clear();
        }
        run(1);
        return rails;
    }

    private HandshakeMessage.ImageOffer offerSaid()
    {
        return recorded.stream()
            .map((datagram) -> codec.decode(datagram.frame()))
            .filter(HandshakeMessage.ImageOffer.class::isInstance)
            .map(HandshakeMessage.ImageOffer.class::cast)
            .findFirst().orElseThrow();
    }

    private static HandshakeMessage.OfferAck ended(
        final long incarnation, final long epoch, final int receiverHandle, final long writes)
    {
        return new HandshakeMessage.OfferAck(
            200, epoch, OfferStatus.ENDED, writes, incarnation, receiverHandle, 0, "");
    }

    private void tell(final InetSocketAddress source, final HandshakeMessage.OfferAck ack)
    {
        receive(new SimulatedNode.Datagram(source, receiver.address, frame(codec.encode(ack))));
        run(1);
    }

    private void end(final InetSocketAddress source, final HandshakeMessage.OfferEnd end)
    {
        receive(new SimulatedNode.Datagram(source, sender.address, frame(codec.encode(end))));
        run(1);
    }

    private void assertOffers(final int count)
    {
        assertThat(counter(EfaCounters.IMAGE_OFFERS_TYPE_ID)).isEqualTo(count);
    }

    private long counter(final int typeId)
    {
        return EfaCounters.sum(receiver.countersManager, typeId);
    }
}
