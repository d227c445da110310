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
package io.millrace.samples.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.millrace.efa.EfaConfiguration;
import io.millrace.efa.PropertyNames;
import io.millrace.efa.libfabric.LibFabric;
import io.millrace.samples.stat.Columns;

import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a driver is configured with, and where each value is from: file, {@code -D}, environment or default. A program
 * that sets a value on its context overrides all of them.
 */
final class DriverSettings
{
    private static final String SUFFIX = "_PROP_NAME";
    private static final Pattern WORD = Pattern.compile("_([a-z0-9])");
    private static final String AERON = "aeron.";

    private DriverSettings()
    {
    }

    /**
     * A property.
     *
     * @param name   of it.
     * @param value  as given, or the default; null for none.
     * @param source {@code file F}, {@code -D}, the name of a variable, or {@code default}.
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Setting(String name, String value, String source)
    {
    }

    /**
     * All of Millrace's properties, and those of Aeron that are set.
     *
     * @param fromFiles names that files set, with the last such file.
     */
    static List<Setting> read(final Map<String, String> fromFiles)
    {
        final List<Setting> settings = new ArrayList<>();
        for (final String name : PropertyNames.known())
        {
            settings.add(setting(name, fromFiles));
        }
        for (final String name : new TreeSet<>(System.getProperties().stringPropertyNames()))
        {
            if (name.startsWith(AERON))
            {
                settings.add(setting(name, fromFiles));
            }
        }
        return settings;
    }

    private static Setting setting(final String name, final Map<String, String> fromFiles)
    {
        // Read in any case: a value that is not of its kind is refused as the driver would refuse it.
        final String effective = name.startsWith(AERON) ? null : effectiveValue(name);
        final String property = System.getProperty(name);
        if (null != property)
        {
            return new Setting(name, property, fromFiles.containsKey(name) ? "file " + fromFiles.get(name) : "-D");
        }
        final List<String> variables = new ArrayList<>(List.of(name.toUpperCase(Locale.ROOT).replace('.', '_')));
        if (EfaConfiguration.PROTOCOL_PROP_NAME.equals(name))
        {
            variables.add(EfaConfiguration.PROTOCOL_ENV_NAME);
        }
        for (final String variable : variables)
        {
            final String value = System.getenv(variable);
            if (null != value && !value.isBlank())
            {
                return new Setting(name, value, variable);
            }
        }
        return new Setting(name, effective, "default");
    }

    /**
     * {@link EfaConfiguration} has for each constant {@code X_Y_PROP_NAME} a method {@code xY} or, for durations,
     * {@code xYNs}, which answers the default where nothing is set.
     */
    private static String effectiveValue(final String name)
    {
        if (LibFabric.PATH_PROP_NAME.equals(name))
        {
            return "the usual places";
        }
        final String method = methodName(name);
        for (final String suffix : new String[]{ "", "Ns" })
        {
            try
            {
                final Object value = EfaConfiguration.class.getMethod(method + suffix).invoke(null);
                return null == value || value.toString().isEmpty() ? null :
                    value instanceof final Long nanos && !suffix.isEmpty() ? duration(nanos) :
                    value.toString().toLowerCase(Locale.ROOT);
            }
            catch (final NoSuchMethodException ignore)
            {
                // The other suffix.
            }
            catch (final InvocationTargetException ex)
            {
                throw ex.getCause() instanceof final RuntimeException cause ? cause : new IllegalStateException(ex);
            }
            catch (final IllegalAccessException ex)
            {
                throw new IllegalStateException(name, ex);
            }
        }
        throw new IllegalStateException("no method " + method + " of " + name);
    }

    private static String duration(final long nanos)
    {
        for (final TimeUnit unit : new TimeUnit[]{ TimeUnit.SECONDS, TimeUnit.MILLISECONDS, TimeUnit.MICROSECONDS })
        {
            if (0 == nanos % unit.toNanos(1))
            {
                return nanos / unit.toNanos(1) + (TimeUnit.SECONDS == unit ? "s" :
                    TimeUnit.MILLISECONDS == unit ? "ms" : "us");
            }
        }
        return nanos + "ns";
    }

    private static String methodName(final String name)
    {
        for (final Field field : EfaConfiguration.class.getFields())
        {
            try
            {
                if (field.getName().endsWith(SUFFIX) && name.equals(field.get(null)))
                {
                    final Matcher matcher = WORD.matcher(field.getName().substring(
                        0, field.getName().length() - SUFFIX.length()).toLowerCase(Locale.ROOT));
                    return matcher.replaceAll((match) -> match.group(1).toUpperCase(Locale.ROOT));
                }
            }
            catch (final IllegalAccessException ex)
            {
                throw new IllegalStateException(ex);
            }
        }
        throw new IllegalStateException("no constant of " + name);
    }

    static String table(final List<Setting> settings)
    {
        final Columns columns = new Columns("PROPERTY", "VALUE", "FROM");
        settings.forEach((setting) -> columns.row(
            setting.name(), null == setting.value() ? "-" : setting.value(), setting.source()));
        return String.join("\n", columns.lines()) + "\n";
    }
}
