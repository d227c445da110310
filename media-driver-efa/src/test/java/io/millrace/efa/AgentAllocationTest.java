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

import com.sun.management.HotSpotDiagnosticMXBean;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.logbuffer.FragmentHandler;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedStackTrace;
import jdk.jfr.consumer.RecordingFile;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * What Millrace allocates on agent threads, told from what Aeron does there: its pollers make an iterator a duty cycle
 * wherever the compiler does not take it away. A sample is a thread-local allocation buffer of
 * {@link #TLAB_LENGTH} bytes that began to be filled, with the stack of the allocation.
 */
@Timeout(120)
class AgentAllocationTest
{
    private static final int STREAM_ID = 5;
    private static final int TLAB_LENGTH = 2048;
    private static final int WINDOWS_LIMIT = 5;

    /**
     * Keepalive Hellos of half a second and datagrams are allowed some objects: what must not be is a cost of messages,
     * of which a window has thousands. 16 bytes for each of the fewest would be 39 samples.
     */
    private static final int SAMPLES_LIMIT = 8;

    @TempDir
    private Path directory;

    @BeforeAll
    static void beforeAll()
    {
        final HotSpotDiagnosticMXBean vm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        assertThat(vm.getVMOption("TLABSize").getValue())
            .as("run with -XX:TLABSize=" + TLAB_LENGTH + " -XX:MinTLABSize=" + TLAB_LENGTH + " -XX:-ResizeTLAB")
            .isEqualTo(Integer.toString(TLAB_LENGTH));
    }

    @ParameterizedTest
    @CsvSource({
        "shm, 64, 1000000, 8192",
        "shm, 8000, 40000, 8192",
        "shm, 60000, 5000, 65504",
        "tcp, 64, 100000, 8192",
        "tcp, 8000, 20000, 8192",
        "tcp, 60000, 5000, 65504" })
    void shouldAllocateNothingForAMessage(
        final String protocol, final int messageLength, final int messages, final int mtuLength) throws IOException
    {
        final String channel = TwoDrivers.endpoint() + "|mtu=" + mtuLength;
        final UnsafeBuffer message = new UnsafeBuffer(new byte[messageLength]);
        final long[] received = new long[1];
        final FragmentHandler handler = (buffer, offset, length, header) -> received[0]++;

        try (TwoDrivers drivers = TwoDrivers.onRails(protocol);
            Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
            ExclusivePublication publication = drivers.publisher.addExclusivePublication(channel, STREAM_ID))
        {
            await("links up", () -> 1 == sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID) &&
                1 == sum(drivers.subscriber, EfaCounters.LINKS_TYPE_ID) && publication.isConnected());
            exchange(publication, subscription, message, handler, received, messages / 4);

            // Classes and method handles are made at a first use, which may come late: a resend, a full queue.
            List<RecordedStackTrace> samples = null;
            for (int i = 0; i < WINDOWS_LIMIT && (null == samples || samples.size() > SAMPLES_LIMIT); i++)
            {
                try (Recording recording = new Recording())
                {
                    recording.enable("jdk.ObjectAllocationInNewTLAB").withStackTrace();
                    recording.enable("jdk.ObjectAllocationOutsideTLAB").withStackTrace();
                    recording.start();
                    exchange(publication, subscription, message, handler, received, messages);
                    recording.stop();
                    samples = ofMillrace(recording);
                }
            }

            assertThat(samples).hasSizeLessThanOrEqualTo(SAMPLES_LIMIT);
            assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isZero();
        }
    }

    private List<RecordedStackTrace> ofMillrace(final Recording recording) throws IOException
    {
        final Path file = directory.resolve("allocations.jfr");
        recording.dump(file);
        return RecordingFile.readAllEvents(file).stream()
            .filter((event) -> null != event.getThread() && null != event.getThread().getJavaName() &&
                event.getThread().getJavaName().contains("sender"))
            .map(RecordedEvent::getStackTrace)
            .filter((stack) -> null != stack && stack.getFrames().stream().anyMatch(
                (frame) -> frame.getMethod().getType().getName().startsWith("io.millrace.")))
            .toList();
    }

    private static void exchange(
        final ExclusivePublication publication,
        final Subscription subscription,
        final UnsafeBuffer message,
        final FragmentHandler handler,
        final long[] received,
        final int messages)
    {
        final long target = received[0] + messages;
        int sent = 0;
        while (sent < messages)
        {
            if (publication.offer(message) > 0)
            {
                sent++;
            }
            subscription.poll(handler, 20);
        }

        await("received", () ->
        {
            subscription.poll(handler, 20);
            return received[0] >= target;
        });
    }
}
