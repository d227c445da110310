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

import io.aeron.exceptions.ConfigurationException;
import io.millrace.efa.contract.ContractMode;
import io.millrace.efa.libfabric.FabricNic;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.LibFabric;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The protocol that a driver uses, and why.
 *
 * @param protocol   {@code efa | tcp | shm | udp}.
 * @param provider   libfabric's provider such as {@code efa}, {@code net} or {@code shm}, or {@code udp}.
 * @param wireName   provider and fabric that peers must share, or {@code udp}.
 * @param reason     why this one, a clause for people.
 * @param isNamed    true when the protocol was asked for by name, false for {@code auto}.
 * @param isFallback true when {@code auto} ended at UDP for want of something better.
 * @param nics       a NIC for each rail, none on UDP.
 */
public record ProtocolChoice(
    String protocol,
    String provider,
    String wireName,
    String reason,
    boolean isNamed,
    boolean isFallback,
    List<FabricNic> nics)
{
    private static final String UDP = "udp";
    private static final String AUTO = "auto";

    /**
     * Providers in the order in which {@code auto} tries them. {@code tcp} comes last: it is there to check the fabric
     * path across hosts without EFA, and no faster than UDP.
     */
    private static final List<FabricProvider> AUTO_ORDER =
        List.of(FabricProvider.EFA, FabricProvider.SHM, FabricProvider.TCP);

    /**
     * Number of rails of each agent.
     *
     * @return rails, 0 on UDP.
     */
    public int rails()
    {
        return nics.size();
    }

    /**
     * Does this choice carry frames on rails?
     *
     * @return false on UDP.
     */
    public boolean isFabric()
    {
        return !nics.isEmpty();
    }

    /**
     * Does the provider join processes of one host only?
     *
     * @return true for shared memory.
     */
    public boolean isHostLocal()
    {
        return FabricProvider.SHM.word().equals(protocol);
    }

    /**
     * Choose by what the context asks for and what the machine has.
     *
     * @param context concluded here.
     * @return the choice.
     * @throws ConfigurationException for an unknown word, a protocol or libfabric that is named but absent, or NICs
     *                                that do not exist.
     */
    public static ProtocolChoice select(final EfaContext context)
    {
        final ProtocolChoice choice = choose(context.conclude());
        return ContractMode.OFF == context.contract() ? choice : new ProtocolChoice(
            choice.protocol, choice.provider, choice.wireName, choice.reason + "; " + contractText(context, choice),
            choice.isNamed, choice.isFallback, choice.nics);
    }

    private static String contractText(final EfaContext context, final ProtocolChoice choice)
    {
        final String file = context.contractWeatherFile();
        return "EFA contract " + context.contract().word() + (choice.isFabric() ?
            ", weather " + (file.isEmpty() ? "calm" : file) + ", seed " + context.contractSeed() :
            " has no rails to judge");
    }

    private static ProtocolChoice choose(final EfaContext context)
    {
        final String word = context.protocol().trim().toLowerCase(Locale.ROOT);
        if (UDP.equals(word))
        {
            return udp("asked for by name", false);
        }

        if (AUTO.equals(word))
        {
            return selectAuto(context);
        }

        for (final FabricProvider provider : FabricProvider.values())
        {
            if (provider.word().equals(word))
            {
                return selectNamed(provider, context);
            }
        }

        throw new ConfigurationException("unknown protocol '" + context.protocol() + "': " +
            EfaConfiguration.PROTOCOL_PROP_NAME + " or " + EfaConfiguration.PROTOCOL_ENV_NAME +
            " is one of auto, efa, tcp, shm, udp");
    }

    private static ProtocolChoice selectAuto(final EfaContext context)
    {
        if (!LibFabric.isAvailable() && LibFabric.isNamed())
        {
            throw new ConfigurationException(
                "protocol 'auto' is to use a libfabric that is named, but " + LibFabric.unavailabilityCause() +
                "; or use protocol udp");
        }

        if (!LibFabric.isAvailable())
        {
            return udp("auto, but " + LibFabric.unavailabilityCause(), true);
        }

        final NicList nicList = new NicList(context.nics());
        final List<String> absent = new ArrayList<>();
        final List<String> others = new ArrayList<>();
        for (final FabricProvider provider : AUTO_ORDER)
        {
            final List<FabricNic> nics = LibFabric.load().nics(provider);
            if (nics.isEmpty())
            {
                absent.add(provider.word());
            }
            else if (nicList.meansOthers(nics))
            {
                others.add(provider.word() + " " + NicList.namesOf(nics));
            }
            else
            {
                final String reason = "auto: best of what is here" + (absent.isEmpty() ? "" : "; " +
                    String.join(", ", absent) + (1 == absent.size() ? " is absent" : " are absent")) +
                    (others.isEmpty() ? "" : "; without a NIC that " + EfaConfiguration.NICS_PROP_NAME + " names: " +
                    others);
                return of(provider, nics, reason, false, context);
            }
        }

        if (!others.isEmpty())
        {
            throw new ConfigurationException(EfaConfiguration.NICS_PROP_NAME + "=" + context.nics() +
                " names no NIC that is there; present: " + others);
        }

        return udp("auto, but libfabric " + LibFabric.load().versionText() + " has none of " + absent, true);
    }

    private static ProtocolChoice selectNamed(final FabricProvider provider, final EfaContext context)
    {
        if (!LibFabric.isAvailable())
        {
            throw new ConfigurationException("protocol '" + provider.word() + "' is named but " +
                LibFabric.unavailabilityCause() + "; or use protocol auto or udp");
        }

        final List<FabricNic> nics = LibFabric.load().nics(provider);
        if (nics.isEmpty())
        {
            final String present = Arrays.stream(FabricProvider.values())
                .filter((p) -> !LibFabric.load().nics(p).isEmpty())
                .map(FabricProvider::word)
                .collect(Collectors.joining(", "));
            throw new ConfigurationException("protocol '" + provider.word() + "' is named but " +
                LibFabric.load().absenceCause(provider) + "; present: " + present +
                ", udp; use one of these or auto");
        }

        return of(provider, nics, "asked for by name", true, context);
    }

    private static ProtocolChoice of(
        final FabricProvider provider,
        final List<FabricNic> present,
        final String reason,
        final boolean isNamed,
        final EfaContext context)
    {
        final List<FabricNic> allowed = new NicList(context.nics()).select(present);
        final boolean isHardware = FabricProvider.EFA == provider;
        final int rails = 0 != context.rails() ? context.rails() : isHardware ? allowed.size() : 1;
        if (isHardware && rails > allowed.size())
        {
            throw new ConfigurationException(EfaConfiguration.RAILS_PROP_NAME + "=" + rails + " but only " +
                allowed.size() + " NICs are there: a rail is a NIC, use at most " + allowed.size());
        }

        final List<FabricNic> nics = new ArrayList<>();
        for (int i = 0; i < rails; i++)
        {
            nics.add(allowed.get(i % allowed.size()));
        }

        final FabricNic first = nics.get(0);
        return new ProtocolChoice(
            provider.word(), first.providerName(), first.wireName(), reason, isNamed, false, List.copyOf(nics));
    }

    private static ProtocolChoice udp(final String reason, final boolean isFallback)
    {
        return new ProtocolChoice(UDP, UDP, UDP, reason, !isFallback, isFallback, List.of());
    }
}
