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

import org.agrona.concurrent.AgentInvoker;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/**
 * CPU of an agent's duty cycles that found work, estimated from every 16th.
 */
final class DutyClock
{
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int SAMPLE_MASK = 15;

    private final AgentInvoker invoker;
    private int cycles;
    private long ns;

    /**
     * Create.
     *
     * @param invoker of the agent.
     */
    DutyClock(final AgentInvoker invoker)
    {
        this.invoker = invoker;
    }

    /**
     * A duty cycle.
     */
    void invoke()
    {
        if (0 != (++cycles & SAMPLE_MASK))
        {
            invoker.invoke();
            return;
        }
        final long startNs = THREADS.getCurrentThreadCpuTime();
        if (invoker.invoke() > 0)
        {
            ns += (THREADS.getCurrentThreadCpuTime() - startNs) * (SAMPLE_MASK + 1);
        }
    }

    /**
     * CPU so far.
     *
     * @return nanoseconds.
     */
    long ns()
    {
        return ns;
    }
}
