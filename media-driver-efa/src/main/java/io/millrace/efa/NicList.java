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
import io.millrace.efa.libfabric.FabricNic;

import java.util.ArrayList;
import java.util.List;

/**
 * The NICs that may be used: a comma separated list of device or domain names, in the order of the rails. A name after
 * {@code !} is one that may not be used; of those alone, all others may. There are no patterns: a list that is read in
 * a year says what it says today.
 */
final class NicList
{
    private static final char DENY = '!';

    private final List<String> allowed = new ArrayList<>();
    private final List<String> denied = new ArrayList<>();

    /**
     * Read a list.
     *
     * @param names as in the property, empty for all NICs.
     * @throws ConfigurationException for an empty name, a pattern, or a name given twice.
     */
    NicList(final String names)
    {
        if (names.isBlank())
        {
            return;
        }

        for (final String entry : names.split(",", -1))
        {
            final String trimmed = entry.trim();
            final boolean isDenied = !trimmed.isEmpty() && DENY == trimmed.charAt(0);
            final String name = isDenied ? trimmed.substring(1).trim() : trimmed;
            if (name.isEmpty() || name.chars().anyMatch((c) -> "*?[]!".indexOf(c) >= 0))
            {
                throw new ConfigurationException(EfaConfiguration.NICS_PROP_NAME + "=" + names + ": '" + trimmed +
                    "' is no name of a NIC; names are separated by commas, '!' before one forbids it, and there are" +
                    " no patterns");
            }
            if (allowed.contains(name) || denied.contains(name))
            {
                throw new ConfigurationException(
                    EfaConfiguration.NICS_PROP_NAME + "=" + names + " has '" + name + "' twice: leave one");
            }
            (isDenied ? denied : allowed).add(name);
        }
    }

    /**
     * Does the list ask for NICs by name, and none of them is there?
     *
     * @param present NICs of a provider.
     * @return true when this provider cannot be meant.
     */
    boolean meansOthers(final List<FabricNic> present)
    {
        return !allowed.isEmpty() && allowed.stream().noneMatch((name) -> isThere(present, name));
    }

    /**
     * Select NICs.
     *
     * @param present NICs of a provider, at least one.
     * @return those that may be used, at least one. Without names, loopback only where there is nothing else.
     * @throws ConfigurationException for a name that is not there, or when none is left. It lists what is there.
     */
    List<FabricNic> select(final List<FabricNic> present)
    {
        final List<FabricNic> selected = new ArrayList<>();
        for (final String name : allowed)
        {
            checkPresent(present, name);
            present.stream().filter((nic) -> isNamed(nic, name)).forEach(selected::add);
        }

        if (allowed.isEmpty())
        {
            final List<FabricNic> routable = present.stream().filter((nic) -> !nic.loopback()).toList();
            selected.addAll(routable.isEmpty() ? present : routable);
        }

        for (final String name : denied)
        {
            checkPresent(present, name);
            selected.removeIf((nic) -> isNamed(nic, name));
        }

        if (selected.isEmpty())
        {
            throw new ConfigurationException(EfaConfiguration.NICS_PROP_NAME + " forbids all NICs; present: " +
                namesOf(present) + ". Allow one, or use protocol udp");
        }
        return selected;
    }

    private static void checkPresent(final List<FabricNic> present, final String name)
    {
        if (!isThere(present, name))
        {
            throw new ConfigurationException(EfaConfiguration.NICS_PROP_NAME + " names '" + name +
                "' which is not there; present: " + namesOf(present));
        }
    }

    private static boolean isThere(final List<FabricNic> present, final String name)
    {
        return present.stream().anyMatch((nic) -> isNamed(nic, name));
    }

    private static boolean isNamed(final FabricNic nic, final String name)
    {
        return name.equals(nic.domainName()) || name.equals(nic.deviceName());
    }

    /**
     * Names of NICs for people.
     *
     * @param present NICs.
     * @return names of their domains.
     */
    static List<String> namesOf(final List<FabricNic> present)
    {
        return present.stream().map(FabricNic::domainName).distinct().toList();
    }
}
