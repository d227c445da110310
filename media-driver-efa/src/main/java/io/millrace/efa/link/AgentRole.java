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

import io.aeron.driver.Configuration;
import io.aeron.driver.ThreadingMode;
import io.millrace.efa.contract.ContractMode;
import io.millrace.efa.libfabric.FabricProvider;

import java.util.List;

/**
 * Whose rails they are: an agent's own, or on {@code tcp} those of a Sender and a Receiver that take turns on one
 * thread. These share endpoints: one look at a completion queue is for both, and a connection carries both directions,
 * so that what one side sends acknowledges what it received. Elsewhere status messages, which Aeron does not repeat
 * when they are pushed back, would compete with data: for the peer's one queue on {@code shm}, for send slots where
 * they are too long to be injected, as on EFA and under its contract.
 */
enum AgentRole
{
    RECEIVER("rcv", "receiver"),
    SENDER("snd", "sender"),
    SENDER_AND_RECEIVER("snd-rcv", "sender and receiver");

    private final String label;
    private final String text;

    AgentRole(final String label, final String text)
    {
        this.label = label;
        this.text = text;
    }

    /**
     * The roles that have rails in a driver.
     *
     * @param mode     of the driver, or null for the configured default.
     * @param settings of its rails.
     * @return one role or two.
     */
    static List<AgentRole> of(final ThreadingMode mode, final FabricSettings settings)
    {
        final boolean isOneThread =
            ThreadingMode.DEDICATED != (null == mode ? Configuration.threadingMode() : mode);
        return isOneThread && FabricProvider.TCP.word().equals(settings.choice().protocol()) &&
            ContractMode.OFF == settings.context().contract() ?
            List.of(SENDER_AND_RECEIVER) : List.of(RECEIVER, SENDER);
    }

    boolean isSender()
    {
        return RECEIVER != this;
    }

    boolean isReceiver()
    {
        return SENDER != this;
    }

    /**
     * First part of a rail's name in the labels of counters.
     */
    String label()
    {
        return label;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public String toString()
    {
        return text;
    }
}
