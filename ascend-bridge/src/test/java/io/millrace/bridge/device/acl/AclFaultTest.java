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
package io.millrace.bridge.device.acl;

import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;

import com.sun.jna.Pointer;
import io.millrace.bridge.device.CopyDirection;
import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.KvCopyQueue;
import io.millrace.bridge.device.KvDeviceContract;
import io.millrace.bridge.device.KvDeviceMeter;
import org.agrona.BufferUtil;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Copies that the device refuses, half does, fails, or never ends.
 */
@Timeout(150)
class AclFaultTest
{
    private static final int RANGES = 100;
    private static final int LENGTH = RANGES * 128;

    private final KvCopyBatch batch = new KvCopyBatch();
    private final KvCopyBatch next = new KvCopyBatch();
    private StandIn standIn;
    private AclDevice device;
    private KvCopyQueue queue;
    private ByteBuffer staging;
    private long address;
    private int fallbacks;
    private int aborts;
    private int failures;

    private void open(final StandIn.Symbols symbols, final long abortTimeoutMs)
    {
        standIn = StandIn.get(symbols);
        device = new AclDevice(standIn.context(0).drainTimeoutNs(TimeUnit.MILLISECONDS.toNanos(50))
            .maxInFlight(8).abortTimeoutNs(TimeUnit.MILLISECONDS.toNanos(abortTimeoutMs)));
        address = device.allocate(LENGTH);
        staging = device.allocateStaging(LENGTH);
        queue = device.openQueue(new KvDeviceMeter()
        {
            public void onBatchFallback()
            {
                fallbacks++;
            }

            public void onStreamAborted()
            {
                aborts++;
            }

            public void onCopyFailed()
            {
                failures++;
            }
        });
    }

    @AfterEach
    void tearDown()
    {
        standIn.hold(false);
        standIn.stick(false);
        queue.close();
        device.freeStaging(staging);
        device.close();
        assertThat(standIn.count("streams")).isZero();
        assertThat(standIn.count("events")).isZero();
        assertThat(standIn.count("ranges")).isZero();
    }

    private int run(final KvCopyBatch copies)
    {
        fill(copies);
        assertThat(queue.submit(copies)).isTrue();
        return KvDeviceContract.complete(queue, copies);
    }

    private KvCopyBatch fill(final KvCopyBatch copies)
    {
        copies.reset(CopyDirection.DEVICE_TO_HOST);
        for (int i = 0; i < RANGES; i++)
        {
            copies.add(BufferUtil.address(staging) + i * 64, address + i * 128, 64);
        }
        return copies;
    }

    @Test
    void oneCallForABatch()
    {
        open(StandIn.Symbols.NEW, 10_000);
        assertThat(run(batch)).isEqualTo(KvCopyBatch.COMPLETED);
        assertThat(standIn.count("batches")).isEqualTo(1);
        assertThat(standIn.count("singles")).isZero();
        assertThat(fallbacks).isZero();
    }

    @Test
    void copiesOneByOneAfter207000()
    {
        open(StandIn.Symbols.NEW, 10_000);
        standIn.script("aclrtMemcpyBatchAsync", 0, 1, AclError.FEATURE_NOT_SUPPORT);
        assertThat(run(batch)).isEqualTo(KvCopyBatch.COMPLETED);
        assertThat(run(batch)).isEqualTo(KvCopyBatch.COMPLETED);
        assertThat(standIn.count("batches")).isZero();
        assertThat(standIn.count("singles")).isEqualTo(2 * RANGES);
        assertThat(fallbacks).isEqualTo(2);
    }

    @Test
    void copiesOneByOneWithoutTheCall()
    {
        open(StandIn.Symbols.OF_2020, 10_000);
        assertThat(run(batch)).isEqualTo(KvCopyBatch.COMPLETED);
        assertThat(standIn.count("singles")).isEqualTo(RANGES);
        assertThat(fallbacks).isEqualTo(1);
    }

    @Test
    void aBatchThatIsTakenInPartFailsOnlyWhenItsCopiesHaveEnded()
    {
        open(StandIn.Symbols.NEW, 10_000);
        standIn.hold(true);
        standIn.partialBatch(40, 500000);
        queue.submit(fill(batch));
        assertThat(queue.poll(batch)).isEqualTo(KvCopyBatch.PENDING);
        standIn.hold(false);

        assertThat(KvDeviceContract.complete(queue, batch)).isEqualTo(KvCopyBatch.FAILED);
        assertThat(batch.failure()).isEqualTo("aclrtMemcpyBatchAsync on acl:0 returned 500000 INTERNAL_ERROR: " +
            "EE9999: aclrtMemcpyBatchAsync: scripted partial batch (copy 40 of 100)");
        assertThat(failures).isEqualTo(1);
        assertThat(run(next)).as("others go on").isEqualTo(KvCopyBatch.COMPLETED);
    }

    @ParameterizedTest
    @EnumSource(StandIn.Symbols.class)
    void aSingleCopyThatIsRefusedFailsItsBatchOnly(final StandIn.Symbols symbols)
    {
        open(symbols, 10_000);
        standIn.script("aclrtMemcpyBatchAsync", 0, 1, AclError.FEATURE_NOT_SUPPORT);
        standIn.script("aclrtMemcpyAsync", 7, 1, 507002);
        assertThat(run(batch)).isEqualTo(KvCopyBatch.FAILED);
        assertThat(batch.failure()).contains("507002 STREAM_TASK_FULL").contains("(copy 7 of 100)");
        assertThat(run(batch)).isEqualTo(KvCopyBatch.COMPLETED);
    }

    @ParameterizedTest
    @EnumSource(StandIn.Symbols.class)
    void aCopyThatFailsOnTheDeviceCostsItsStreamNotTheQueue(final StandIn.Symbols symbols)
    {
        open(symbols, 10_000);
        standIn.hold(true);
        standIn.taskError(0, 507013);
        queue.submit(fill(batch));
        queue.submit(fill(next));
        standIn.hold(false);

        assertThat(KvDeviceContract.complete(queue, batch)).isEqualTo(KvCopyBatch.FAILED);
        assertThat(batch.failure()).contains("507013 SYS_DMA");
        assertThat(KvDeviceContract.complete(queue, next)).isEqualTo(KvCopyBatch.FAILED);
        assertThat(run(batch)).as("on a new stream").isEqualTo(KvCopyBatch.COMPLETED);
    }

    @Test
    void copiesThatNeverBeginAreAborted()
    {
        open(StandIn.Symbols.NEW, 50);
        standIn.hold(true);
        queue.submit(fill(batch));
        assertThat(KvDeviceContract.complete(queue, batch)).isEqualTo(KvCopyBatch.FAILED);
        assertThat(batch.failure()).contains("have not ended within 50000000 ns");
        assertThat(aborts).isEqualTo(1);
        standIn.hold(false);
        assertThat(run(batch)).isEqualTo(KvCopyBatch.COMPLETED);
    }

    @ParameterizedTest
    @EnumSource(StandIn.Symbols.class)
    void copiesThatCannotBeAbortedStayPending(final StandIn.Symbols symbols)
    {
        open(symbols, 20);
        standIn.stick(true);
        queue.submit(fill(batch));
        // The queue looks at its timeout when it is polled: a copy that has not begun by then could be aborted.
        while (0 == standIn.count("stuck"))
        {
            Thread.onSpinWait();
        }
        // Begun and stuck: nobody knows when the device writes. The slot must stay quarantined.
        final long startNs = System.nanoTime();
        while (System.nanoTime() - startNs < TimeUnit.MILLISECONDS.toNanos(200))
        {
            assertThat(queue.poll(batch)).isEqualTo(KvCopyBatch.PENDING);
        }
        fill(next);
        assertThat(queue.submit(next)).isTrue();
        assertThat(next.status()).as("no copies behind stuck ones").isEqualTo(KvCopyBatch.FAILED);
        assertThatThrownBy(() -> device.free(address)).hasMessageContaining("is in use");

        standIn.stick(false);
        final int end = KvDeviceContract.complete(queue, batch);
        assertThat(end).isIn(KvCopyBatch.FAILED, KvCopyBatch.COMPLETED);
        // Where the machine stands still for longer than the timeout, the copy is given up, and the next one tried.
        final long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        int status = run(next);
        while (KvCopyBatch.COMPLETED != status && System.nanoTime() - deadlineNs < 0)
        {
            status = run(next);
        }
        assertThat(status).isEqualTo(KvCopyBatch.COMPLETED);
    }

    @Test
    void aFullQueueRefusesAndTakesAgain()
    {
        open(StandIn.Symbols.NEW, 10_000);
        final KvCopyBatch[] batches = new KvCopyBatch[8];
        standIn.hold(true);
        for (int i = 0; i < batches.length; i++)
        {
            batches[i] = new KvCopyBatch();
            assertThat(queue.submit(fill(batches[i]))).isTrue();
        }
        assertThat(queue.submit(fill(batch))).isFalse();
        assertThat(batch.status()).isEqualTo(KvCopyBatch.IDLE);
        standIn.hold(false);
        for (final KvCopyBatch taken : batches)
        {
            assertThat(KvDeviceContract.complete(queue, taken)).isEqualTo(KvCopyBatch.COMPLETED);
        }
        assertThat(run(batch)).isEqualTo(KvCopyBatch.COMPLETED);
    }

    @Test
    void aLostDeviceFailsAllThatFollows()
    {
        open(StandIn.Symbols.NEW, 10_000);
        standIn.taskError(0, 507010);
        assertThat(run(batch)).isEqualTo(KvCopyBatch.FAILED);
        assertThat(run(batch)).isEqualTo(KvCopyBatch.FAILED);
        assertThat(batch.failure()).contains("acl:0 is lost").contains("507010 LOST_HEARTBEAT").contains("restart");
    }

    @Test
    void anEventThatCannotBeRecordedCostsItsStream()
    {
        open(StandIn.Symbols.NEW, 10_000);
        standIn.script("aclrtRecordEvent", 0, 1, 207007);
        assertThat(run(batch)).isEqualTo(KvCopyBatch.FAILED);
        assertThat(batch.failure()).contains("aclrtRecordEvent").contains("207007 NO_EVENT_RESOURCE");
        assertThat(aborts).isEqualTo(1);
        assertThat(run(batch)).isEqualTo(KvCopyBatch.COMPLETED);
    }

    @Test
    void aStreamThatCannotBeDestroyedEitherLeavesTheNextBatchesApart()
    {
        open(StandIn.Symbols.NEW, 10_000);
        standIn.script("aclrtRecordEvent", 0, 1, 207007);
        standIn.script("aclrtDestroyStream", 0, 1, 207007);
        assertThat(run(batch)).isEqualTo(KvCopyBatch.FAILED);
        assertThat(batch.failure()).contains("aclrtRecordEvent").contains("207007 NO_EVENT_RESOURCE");

        standIn.hold(true);
        queue.submit(fill(batch));
        queue.submit(fill(next));
        assertThat(next.attachment()).isNotSameAs(batch.attachment());
        standIn.hold(false);
        assertThat(KvDeviceContract.complete(queue, batch)).as(batch.failure()).isEqualTo(KvCopyBatch.COMPLETED);
        assertThat(KvDeviceContract.complete(queue, next)).isEqualTo(KvCopyBatch.COMPLETED);
    }

    @Test
    void aQueueThatCannotGiveItsHandlesBackIsClosedAllTheSame()
    {
        open(StandIn.Symbols.NEW, 10_000);
        assertThat(run(batch)).isEqualTo(KvCopyBatch.COMPLETED);
        standIn.script("aclrtDestroyStream", 0, 1, 507899);
        standIn.script("aclrtDestroyEvent", 0, 1, 507898);
        assertThatThrownBy(queue::close).isInstanceOf(AclException.class).hasMessageContaining("aclrtDestroyStream")
            .satisfies(ex -> assertThat(ex.getSuppressed()[0]).hasMessageContaining("aclrtDestroyEvent"));
        device.freeStaging(staging);
        device.close();
        staging = (device = new AclDevice(standIn.context(0))).allocateStaging(LENGTH);
    }

    @Test
    void aDeviceThatCannotFreeIsClosedAllTheSame()
    {
        open(StandIn.Symbols.NEW, 10_000);
        final long before = standIn.count("ranges");
        final AclDevice failing = new AclDevice(standIn.context(1));
        final long[] addresses = {failing.allocate(LENGTH), failing.allocate(LENGTH)};
        standIn.script("aclrtFree", 0, 1, 507899);
        assertThatThrownBy(failing::close).isInstanceOf(AclException.class).hasMessageContaining("aclrtFree");
        assertThatThrownBy(failing::openQueue).hasMessageContaining("is closed");
        failing.close();

        assertThat(standIn.count("ranges")).as("the other is free").isEqualTo(before + 1);
        standIn.call("aclrtSetDevice", 1);
        for (final long each : addresses)
        {
            standIn.call("aclrtFree", new Pointer(each));
        }
        assertThat(standIn.count("ranges")).isEqualTo(before);
    }

    @Test
    void memoryThatCannotBeRegisteredIsGivenBack()
    {
        open(StandIn.Symbols.NEW, 10_000);
        final String key = device.exportMemory(address, LENGTH);
        final long before = standIn.count("ranges");
        try (AclDevice full = new AclDevice(standIn.context(1)))
        {
            full.registry().add(1, Long.MAX_VALUE - 1);
            assertThatThrownBy(() -> full.allocate(LENGTH)).hasMessageContaining("overlaps");
            assertThatThrownBy(() -> full.importMemory(key, LENGTH)).hasMessageContaining("overlaps");
            assertThat(standIn.count("ranges")).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @EnumSource(StandIn.Symbols.class)
    void closeWaitsForSlowCopies(final StandIn.Symbols symbols)
    {
        open(symbols, 10_000);
        standIn.delay(20_000);
        queue.submit(fill(batch));
        queue.close();
        assertThat(batch.status()).isEqualTo(KvCopyBatch.COMPLETED);
    }
}
