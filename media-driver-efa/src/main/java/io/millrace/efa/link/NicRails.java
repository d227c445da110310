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

import io.millrace.efa.EfaContext;
import io.millrace.efa.contract.EfaContract;
import io.millrace.efa.libfabric.EndpointOptions;
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.LibFabric;
import io.millrace.efa.libfabric.ShmSweeper;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailCounters;
import org.agrona.CloseHelper;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * Opens rails on the NICs of the chosen protocol. Those of a protocol asked for by name are opened before the driver
 * starts, so that a failure is an error at start.
 */
final class NicRails implements RailOpener, AutoCloseable
{
    /**
     * Longest packet: Aeron's largest MTU, rounded up to whole cache lines.
     */
    static final int DATA_SLOT_LENGTH = 64 * 1024;

    /**
     * Longest control frame, an error frame with its text, rounded up.
     */
    static final int CONTROL_SLOT_LENGTH = 2 * 1024;

    private final FabricSettings settings;
    private final EfaContract contract;
    private final List<Rail> prepared = new ArrayList<>();
    private final Map<Rail, RailCounters> open = new IdentityHashMap<>();
    private Map<AgentRole, List<RailCounters>> railCounters;
    private FabricCounters counters;
    private long openTimeNs;

    NicRails(final FabricSettings settings)
    {
        this.settings = settings;
        final EfaContext context = settings.context();
        contract = new EfaContract(context.contract(), context.contractWeatherFile(), context.contractSeed());
    }

    /**
     * What the endpoints are held to.
     *
     * @return the contract, which may be off.
     */
    EfaContract contract()
    {
        return contract;
    }

    /**
     * Open all rails ahead of {@link #open}. Nothing is left open when this throws.
     *
     * @param roles whose rails.
     */
    void prepare(final List<AgentRole> roles)
    {
        sweep();
        try
        {
            for (int i = 0; i < rails(); i++)
            {
                for (final AgentRole role : roles)
                {
                    prepared.add(newRail(role, i));
                }
            }
        }
        catch (final RuntimeException ex)
        {
            close();
            throw ex;
        }
    }

    /**
     * Give the counters, which only the media driver's conductor can allocate.
     *
     * @param railCounters of each role's rails.
     * @param counters     of all rails.
     */
    void counters(final Map<AgentRole, List<RailCounters>> railCounters, final FabricCounters counters)
    {
        this.railCounters = railCounters;
        this.counters = counters;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public int rails()
    {
        return settings.choice().rails();
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public Rail open(final RailSet railSet, final AgentRole role, final int index)
    {
        final Rail rail;
        if (prepared.isEmpty())
        {
            sweep();
            rail = newRail(role, index);
        }
        else
        {
            rail = prepared.remove(0);
        }

        final RailCounters ofRail = railCounters.get(role).get(index);
        rail.attach(ofRail, railSet);
        ofRail.isOpen(true);
        open.put(rail, ofRail);
        counters.registeredBytes().getAndAddRelease(rail.registeredBytes());
        counters.railOpenTime().getAndAddRelease(openTimeNs);
        openTimeNs = 0;
        return rail;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void close(final Rail rail)
    {
        final long startNs = System.nanoTime();
        open.remove(rail).isOpen(false);
        counters.registeredBytes().getAndAddRelease(-rail.registeredBytes());
        CloseHelper.quietClose(rail);
        counters.railCloseTime().getAndAddRelease(System.nanoTime() - startNs);
    }

    /**
     * Close what was prepared and never opened, and the contract with the driver's counters.
     */
    @Override
    public void close()
    {
        CloseHelper.quietCloseAll(prepared);
        prepared.clear();
        contract.close();
    }

    private void sweep()
    {
        if (settings.choice().isHostLocal())
        {
            ShmSweeper.sweep();
        }
    }

    private Rail newRail(final AgentRole role, final int index)
    {
        final long startNs = System.nanoTime();
        final int slots = settings.context().railSlots();
        final FabricEndpoint endpoint = contract.apply(LibFabric.load().open(
            settings.choice().nics().get(index),
            EndpointOptions.ofRail(slots, role.isReceiver() ? TermSettings.writesToExpect(settings.context()) : 0)));
        final Rail rail = new Rail(index, endpoint, slots, sendSlotLength(role), receiveSlotLength(role));
        openTimeNs += System.nanoTime() - startNs;
        return rail;
    }

    static int sendSlotLength(final AgentRole role)
    {
        return role.isSender() ? DATA_SLOT_LENGTH : CONTROL_SLOT_LENGTH;
    }

    static int receiveSlotLength(final AgentRole role)
    {
        return role.isReceiver() ? DATA_SLOT_LENGTH : CONTROL_SLOT_LENGTH;
    }
}
