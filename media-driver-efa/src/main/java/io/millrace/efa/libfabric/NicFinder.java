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
package io.millrace.efa.libfabric;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Asks libfabric for the NICs of a provider.
 */
final class NicFinder
{
    private static final Comparator<FabricNic> BY_REACH = Comparator
        .comparing(FabricNic::loopback)
        .thenComparing((nic) -> !nic.ipv4());

    private final FabricApi api;
    private final int apiVersion;
    private final Sysfs sysfs = new Sysfs(Path.of("/sys"));

    NicFinder(final FabricApi api, final int apiVersion)
    {
        this.api = api;
        this.apiVersion = apiVersion;
    }

    List<FabricNic> find(final FabricProvider provider)
    {
        for (final FabricProvider.Candidate candidate : provider.candidates())
        {
            for (final FabricHints hints : hintsFor(provider, candidate))
            {
                final List<FabricNic> nics = query(provider, candidate, hints);
                if (!nics.isEmpty())
                {
                    return List.copyOf(onePerDomain(provider, nics));
                }
            }
        }
        return List.of();
    }

    /**
     * In falling order of worth. EFA: with RMA, with RMA that takes receives, without RMA. TCP: completions that tell
     * of arrival, which some version might not have, then others.
     */
    static List<FabricHints> hintsFor(final FabricProvider provider, final FabricProvider.Candidate candidate)
    {
        if (FabricProvider.TCP == provider)
        {
            final FabricHints software = FabricHints.software(candidate.providerName());
            return List.of(software.withDeliveryComplete(), software);
        }
        if (FabricProvider.EFA != provider)
        {
            return List.of(FabricHints.software(candidate.providerName()));
        }
        if (!"efa-direct".equals(candidate.fabricName()))
        {
            return List.of(FabricHints.efa(false, true, false));
        }
        return List.of(
            FabricHints.efa(true, true, false),
            FabricHints.efa(true, true, true),
            FabricHints.efa(true, false, false));
    }

    private List<FabricNic> query(
        final FabricProvider provider, final FabricProvider.Candidate candidate, final FabricHints hints)
    {
        final FabricInfo hintsInfo = new FabricInfo(api.fi_dupinfo(0));
        try (Arena arena = Arena.ofConfined())
        {
            hints.writeTo(hintsInfo);
            final long out = arena.allocate(Long.BYTES, Long.BYTES).address();
            final int result = api.fi_getinfo(apiVersion, null, null, 0, hintsInfo.address(), out);
            if (isAbsence(result))
            {
                return List.of();
            }
            if (result < 0)
            {
                throw new FabricException("fi_getinfo", result, "asking for provider " + hints.providerName());
            }

            final FabricInfo first = new FabricInfo(RawMemory.getLong(out));
            try
            {
                return select(provider, candidate, first);
            }
            finally
            {
                api.fi_freeinfo(first.address());
            }
        }
        finally
        {
            api.fi_freeinfo(hintsInfo.address());
        }
    }

    private static boolean isAbsence(final int result)
    {
        return -FabricErrors.ENODATA == result || -FabricErrors.ENOSYS == result ||
            -FabricErrors.ENODEV == result || -FabricErrors.ENOENT == result;
    }

    private List<FabricNic> select(
        final FabricProvider provider, final FabricProvider.Candidate candidate, final FabricInfo first)
    {
        final List<FabricNic> nics = new ArrayList<>();
        for (FabricInfo info = first; null != info; info = info.next())
        {
            final boolean isCandidate = candidate.providerName().equals(info.providerName()) &&
                (null == candidate.fabricName() || candidate.fabricName().equals(info.fabricName()));
            if (isCandidate)
            {
                final FabricInfo copy = new FabricInfo(api.fi_dupinfo(info.address()));
                nics.add(new FabricNic(provider, copy, sysfs).owned(api));
            }
        }
        return nics;
    }

    /** An interface with several addresses is one NIC: IPv4 before IPv6, and link-local addresses last. */
    private static List<FabricNic> onePerDomain(final FabricProvider provider, final List<FabricNic> nics)
    {
        final Map<String, FabricNic> byDomain = new LinkedHashMap<>();
        for (final FabricNic nic : nics)
        {
            byDomain.merge(nic.domainName(), nic, NicFinder::preferred);
        }

        final List<FabricNic> result = new ArrayList<>(byDomain.values());
        if (FabricProvider.TCP == provider)
        {
            result.sort(BY_REACH);
        }
        return result;
    }

    private static FabricNic preferred(final FabricNic current, final FabricNic other)
    {
        final boolean replaces = current.ipv4() ? false : other.ipv4() || current.linkLocal() && !other.linkLocal();
        return replaces ? other : current;
    }
}
