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
import org.agrona.SystemUtil;

import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/**
 * Reads values of properties: the property itself, else its environment variable, else the default. A variable that is
 * empty counts as not set, a property that is empty does not.
 *
 * @param properties  by name, null for what is not set.
 * @param environment by name, null for what is not set.
 */
record PropertySource(UnaryOperator<String> properties, UnaryOperator<String> environment)
{
    /**
     * This process.
     */
    static final PropertySource SYSTEM = new PropertySource(System::getProperty, System::getenv);

    /**
     * Name of the environment variable beside a property.
     *
     * @param property such as {@code millrace.efa.rails}.
     * @return such as {@code MILLRACE_EFA_RAILS}.
     */
    static String environmentName(final String property)
    {
        return property.toUpperCase(Locale.ROOT).replace('.', '_');
    }

    String text(final String name, final String defaultValue)
    {
        final String property = properties.apply(name);
        if (null != property)
        {
            return property.trim();
        }

        final String variable = environment.apply(environmentName(name));
        return null == variable || variable.isBlank() ? defaultValue : variable.trim();
    }

    boolean flag(final String name, final boolean defaultValue)
    {
        final String text = text(name, Boolean.toString(defaultValue)).toLowerCase(Locale.ROOT);
        if (!"true".equals(text) && !"false".equals(text))
        {
            throw wrong(name, text, "true or false", Boolean.toString(defaultValue));
        }

        return "true".equals(text);
    }

    long number(final String name, final long defaultValue, final long min, final long max)
    {
        final String text = text(name, null);
        if (null == text)
        {
            return defaultValue;
        }

        final String rule = "a whole number from " + min + " to " + max;
        try
        {
            return inRange(name, text, Long.parseLong(text), min, max, rule, defaultValue);
        }
        catch (final NumberFormatException ex)
        {
            throw wrong(name, text, rule, Long.toString(defaultValue));
        }
    }

    long sizeBytes(final String name, final long defaultBytes, final long minBytes, final long maxBytes)
    {
        final String text = text(name, null);
        if (null == text)
        {
            return defaultBytes;
        }

        final String rule = "a size in bytes from " + minBytes + " to " + maxBytes + ", with k, m or g if you like";
        try
        {
            return inRange(name, text, SystemUtil.parseSize(name, text), minBytes, maxBytes, rule, defaultBytes);
        }
        catch (final IllegalArgumentException ex)
        {
            throw wrong(name, text, rule, Long.toString(defaultBytes));
        }
    }

    long durationNs(final String name, final long defaultNs, final long minNs)
    {
        final String text = text(name, null);
        if (null == text)
        {
            return defaultNs;
        }

        final String rule = "a duration with unit (ns, us, ms, s) of at least " + duration(minNs);
        try
        {
            final long parsed = SystemUtil.parseDuration(name, text);
            if (parsed >= minNs)
            {
                return parsed;
            }
        }
        catch (final IllegalArgumentException ignore)
        {
            // answered below, with the same sentence as a duration out of range
        }
        throw wrong(name, text, rule, duration(defaultNs));
    }

    /**
     * Check a number that a program set, where {@link #number} checks one that a property set.
     */
    static long checked(final String name, final long value, final long min, final long max)
    {
        if (value < min || value > max)
        {
            throw new ConfigurationException(name + "=" + value + ", set on the context: a whole number from " + min +
                " to " + max + " is needed; set such a number");
        }
        return value;
    }

    static int checked(final String name, final int value, final int min, final int max)
    {
        return (int)checked(name, (long)value, min, max);
    }

    /**
     * Check a duration that a program set.
     */
    static long checkedNs(final String name, final long valueNs, final long minNs)
    {
        if (valueNs < minNs)
        {
            throw new ConfigurationException(name + "=" + valueNs + "ns, set on the context: at least " +
                duration(minNs) + " are needed; set a longer duration");
        }
        return valueNs;
    }

    static String duration(final long nanos)
    {
        for (final TimeUnit unit : new TimeUnit[]{ TimeUnit.SECONDS, TimeUnit.MILLISECONDS, TimeUnit.MICROSECONDS })
        {
            if (0 != nanos && 0 == nanos % unit.toNanos(1))
            {
                return nanos / unit.toNanos(1) + (TimeUnit.SECONDS == unit ? "s" :
                    TimeUnit.MILLISECONDS == unit ? "ms" : "us");
            }
        }
        return nanos + "ns";
    }

    private static long inRange(
        final String name,
        final String text,
        final long value,
        final long min,
        final long max,
        final String rule,
        final long defaultValue)
    {
        if (value < min || value > max)
        {
            throw wrong(name, text, rule, Long.toString(defaultValue));
        }
        return value;
    }

    private static ConfigurationException wrong(
        final String name, final String text, final String rule, final String defaultValue)
    {
        return new ConfigurationException(name + "=" + text + ": " + rule + " is needed; correct the property or the " +
            "variable " + environmentName(name) + ", or remove it for the default " + defaultValue);
    }
}
