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

import io.millrace.efa.libfabric.LibFabric;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * All properties of the driver, and what is nearest to one that nobody knows.
 */
public final class PropertyNames
{
    private static final String CONSTANT_SUFFIX = "_PROP_NAME";
    private static final List<String> PREFIXES = List.of("millrace.efa.", "millrace.libfabric.");

    /**
     * Names of other parts of Millrace differ by more from each of these, or end otherwise.
     */
    private static final String COMMON_PREFIX = "millrace.";
    private static final int MISSPELT = 2;
    private static final int PREFIX_LEFT_OUT = 4;
    private static final String ENVIRONMENT_PREFIX = "MILLRACE_EFA_";

    private PropertyNames()
    {
    }

    /**
     * Names of the properties.
     *
     * @return sorted names.
     */
    public static SortedSet<String> known()
    {
        final SortedSet<String> names = new TreeSet<>();
        names.add(LibFabric.PATH_PROP_NAME);
        for (final Field field : EfaConfiguration.class.getFields())
        {
            if (field.getName().endsWith(CONSTANT_SUFFIX))
            {
                try
                {
                    names.add((String)field.get(null));
                }
                catch (final IllegalAccessException ex)
                {
                    throw new IllegalStateException(ex);
                }
            }
        }
        return names;
    }

    /**
     * Say what is set and not known, such as a name that was misspelt.
     *
     * @param properties  names that are set.
     * @param environment names that are set.
     * @return a sentence for each unknown one, with the nearest that is known.
     */
    public static List<String> unknown(final Collection<String> properties, final Collection<String> environment)
    {
        final SortedSet<String> known = known();
        final SortedSet<String> variables = new TreeSet<>();
        known.forEach((name) -> variables.add(PropertySource.environmentName(name)));

        final List<String> warnings = new ArrayList<>();
        for (final String name : new TreeSet<>(properties))
        {
            if (!known.contains(name) && isMeantFor(name.toLowerCase(Locale.ROOT), known))
            {
                warnings.add("property " + name + " is not known and has no effect: did you mean " +
                    nearest(name, known) + "?");
            }
        }
        for (final String name : new TreeSet<>(environment))
        {
            if (name.startsWith(ENVIRONMENT_PREFIX) && !variables.contains(name))
            {
                warnings.add("environment variable " + name + " is not known and has no effect: did you mean " +
                    nearest(name, variables) + "?");
            }
        }
        return warnings;
    }

    private static boolean isMeantFor(final String name, final Collection<String> known)
    {
        if (PREFIXES.stream().anyMatch(name::startsWith))
        {
            return true;
        }

        final String nearest = nearest(name, known);
        final int allowed = lastSegment(name).equals(lastSegment(nearest)) ? PREFIX_LEFT_OUT : MISSPELT;
        return name.startsWith(COMMON_PREFIX) && distance(name, nearest) <= allowed;
    }

    private static String lastSegment(final String name)
    {
        return name.substring(name.lastIndexOf('.') + 1);
    }

    private static String nearest(final String name, final Collection<String> candidates)
    {
        String nearest = null;
        int least = Integer.MAX_VALUE;
        for (final String candidate : candidates)
        {
            final int distance = distance(name, candidate);
            if (distance < least)
            {
                least = distance;
                nearest = candidate;
            }
        }
        return nearest;
    }

    /**
     * Insertions, deletions and substitutions that make one text the other.
     */
    private static int distance(final String one, final String other)
    {
        int[] previous = new int[other.length() + 1];
        for (int j = 0; j < previous.length; j++)
        {
            previous[j] = j;
        }
        for (int i = 1; i <= one.length(); i++)
        {
            final int[] row = new int[previous.length];
            row[0] = i;
            for (int j = 1; j < row.length; j++)
            {
                final int substitution = one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j - 1], previous[j]) + 1, previous[j - 1] + substitution);
            }
            previous = row;
        }
        return previous[other.length()];
    }
}
