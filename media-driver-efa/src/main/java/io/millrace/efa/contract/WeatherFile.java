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
package io.millrace.efa.contract;

import io.aeron.exceptions.ConfigurationException;
import org.agrona.SystemUtil;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;

/**
 * A properties file whose every key is asked for and checked.
 */
final class WeatherFile
{
    private final String name;
    private final Properties properties;
    private final Set<String> known = new TreeSet<>();

    WeatherFile(final String name, final Properties properties)
    {
        this.name = name;
        this.properties = properties;
    }

    static WeatherFile empty()
    {
        return new WeatherFile("", new Properties());
    }

    static WeatherFile load(final Path path)
    {
        final Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(path, StandardCharsets.UTF_8))
        {
            properties.load(reader);
        }
        catch (final IOException | IllegalArgumentException ex)
        {
            throw new ConfigurationException("weather file " + path + " cannot be read: " + ex +
                ": give the path of a properties file in UTF-8");
        }

        return new WeatherFile("weather file " + path, properties);
    }

    String name()
    {
        return name;
    }

    boolean has(final String key)
    {
        return properties.containsKey(key);
    }

    double rate(final String key, final double defaultValue)
    {
        final String text = text(key);
        if (null == text)
        {
            return defaultValue;
        }

        try
        {
            final double parsed = Double.parseDouble(text);
            if (parsed >= 0 && parsed <= 1)
            {
                return parsed;
            }
        }
        catch (final NumberFormatException ignore)
        {
            // answered below, with the same sentence as a number out of range
        }

        throw refused(key, text, "a probability from 0 to 1 is needed");
    }

    int number(final String key, final int defaultValue, final int min, final int max)
    {
        final String text = text(key);
        return null == text ? defaultValue : number(key, text, min, max);
    }

    int[] numbers(final String key, final int defaultValue)
    {
        final String text = text(key);
        if (null == text)
        {
            return new int[]{ defaultValue };
        }

        final String[] words = text.split(",", -1);
        final int[] numbers = new int[words.length];
        for (int i = 0; i < words.length; i++)
        {
            numbers[i] = number(key, words[i].trim(), 0, Integer.MAX_VALUE);
        }

        return numbers;
    }

    long size(final String key, final long defaultValue, final long min, final long max)
    {
        final String text = text(key);
        if (null == text)
        {
            return defaultValue;
        }

        try
        {
            final long parsed = SystemUtil.parseSize(key, text);
            if (parsed >= min && parsed <= max)
            {
                return parsed;
            }
        }
        catch (final NumberFormatException ignore)
        {
            // answered below, with the same sentence as a size out of range
        }

        throw refused(key, text, "bytes, or with suffix k, m or g, from " + min + " to " + max + " are needed");
    }

    long durationNs(final String key, final long defaultNs)
    {
        final String text = text(key);
        if (null == text)
        {
            return defaultNs;
        }

        try
        {
            final long parsed = SystemUtil.parseDuration(key, text);
            if (parsed >= 0)
            {
                return parsed;
            }
        }
        catch (final NumberFormatException ignore)
        {
            // answered below, with the same sentence as a duration out of range
        }

        throw refused(key, text, "a duration with unit (ns, us, ms, s) is needed");
    }

    void refuseUnknownKeys()
    {
        for (final String key : new TreeSet<>(properties.stringPropertyNames()))
        {
            if (!known.contains(key))
            {
                throw new ConfigurationException(
                    name + ": unknown key '" + key + "', known are " + String.join(", ", known));
            }
        }
    }

    private int number(final String key, final String text, final int min, final int max)
    {
        try
        {
            final int parsed = Integer.parseInt(text);
            if (parsed >= min && parsed <= max)
            {
                return parsed;
            }
        }
        catch (final NumberFormatException ignore)
        {
            // answered below, with the same sentence as a number out of range
        }

        throw refused(key, text, "a whole number from " + min + " to " + max + " is needed");
    }

    private String text(final String key)
    {
        known.add(key);
        final String text = properties.getProperty(key);
        if (null != text && text.isBlank())
        {
            throw refused(key, text, "a value is needed; remove the line for the default");
        }

        return null == text ? null : text.trim();
    }

    private ConfigurationException refused(final String key, final String text, final String rule)
    {
        return new ConfigurationException(name + ": " + key + "=" + text + ": " + rule);
    }
}
