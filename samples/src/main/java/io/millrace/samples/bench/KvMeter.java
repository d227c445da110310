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
package io.millrace.samples.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.bridge.KvContext;
import io.millrace.bridge.KvCounters;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;

/**
 * CPU of one side's stages for each byte that it moves, since a moment.
 */
final class KvMeter
{
    private static final String COPY_THREADS = "kv-copy-";
    private static final double NANOS_PER_MILLI = 1e6;
    private static final double GIGA = 1e9;

    private final AeronNode node;
    private final DutyClock agent;
    private final KvCounters counters;
    private final boolean isAgentCopying;
    private long driverNs;
    private long agentNs;
    private long crcNs;
    private long logCopyNs;
    private long copyNs;
    private long agentCopyNs;
    private long bytes;

    /**
     * Meter from now on.
     *
     * @param node  of this side.
     * @param agent sender or receiver.
     * @param ctx   of it, concluded.
     */
    KvMeter(final AeronNode node, final DutyClock agent, final KvContext<?> ctx)
    {
        this.node = node;
        this.agent = agent;
        counters = ctx.counters();
        // Times of copies by others are not CPU.
        isAgentCopying = null == ctx.staging();
        reset();
    }

    /**
     * Forget what was until now.
     */
    void reset()
    {
        driverNs = node.driverNs();
        agentNs = agent.ns();
        crcNs = counters.get(KvCounters.Kind.CRC_NS);
        logCopyNs = counters.get(KvCounters.Kind.LOG_COPY_NS);
        copyNs = copyThreadsNs();
        agentCopyNs = agentCopyNs();
        bytes = counters.get(KvCounters.Kind.BYTES);
    }

    /**
     * Tell milliseconds of CPU for each GB of each stage. A driver with threads of its own is left out.
     *
     * @param event    to put them into.
     * @param isServer whether this side receives.
     */
    void describe(final ObjectNode event, final boolean isServer)
    {
        final double gigabytes = (counters.get(KvCounters.Kind.BYTES) - bytes) / GIGA;
        final long crc = counters.get(KvCounters.Kind.CRC_NS) - crcNs;
        final long logCopy = counters.get(KvCounters.Kind.LOG_COPY_NS) - logCopyNs;
        final long agentCopy = agentCopyNs() - agentCopyNs;
        final long other = Math.max(0, agent.ns() - agentNs - crc - logCopy - agentCopy);
        if (gigabytes > 0)
        {
            put(event, isServer ? KvStage.H2D : KvStage.D2H, copyThreadsNs() - copyNs + agentCopy,
                gigabytes);
            put(event, isServer ? KvStage.RECEIVE_CRC : KvStage.SEND_CRC, crc, gigabytes);
            put(event, isServer ? KvStage.COPY_OUT : KvStage.CLAIM, logCopy, gigabytes);
            put(event, isServer ? KvStage.RECEIVER : KvStage.SENDER, other, gigabytes);
            if (node.isDriverOnThisThread())
            {
                put(event, isServer ? KvStage.RECEIVE : KvStage.SEND, node.driverNs() - driverNs, gigabytes);
            }
        }
    }

    private static void put(final ObjectNode event, final KvStage stage, final long ns, final double gigabytes)
    {
        event.put(stage.key(), ns / NANOS_PER_MILLI / gigabytes);
    }

    private long agentCopyNs()
    {
        return isAgentCopying ? counters.get(KvCounters.Kind.D2H_NS) + counters.get(KvCounters.Kind.H2D_NS) : 0;
    }

    private static long copyThreadsNs()
    {
        final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long sum = 0;
        for (final ThreadInfo info : threads.getThreadInfo(threads.getAllThreadIds()))
        {
            if (null != info && info.getThreadName().startsWith(COPY_THREADS))
            {
                sum += Math.max(0, threads.getThreadCpuTime(info.getThreadId()));
            }
        }
        return sum;
    }
}
