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
package io.millrace.bridge.staging;

import java.nio.ByteBuffer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.KvDeviceMeter;

/**
 * Where staging pools get their memory.
 */
public interface SlabSource
{
    /**
     * System property with {@code device}, {@code host} or {@code numa:<node>}.
     */
    String PROP_NAME = "millrace.kv.staging.memory";

    /**
     * Environment variable with the same, read when the property is not set.
     */
    String ENV_NAME = "MILLRACE_STAGING_MEMORY";

    /**
     * Allocate a slab that asynchronous copies of the device can use, page-aligned.
     *
     * @param lengthBytes 1 and up.
     * @param meter       told of steps down.
     * @return direct buffer of at least that capacity.
     */
    ByteBuffer allocate(int lengthBytes, KvDeviceMeter meter);

    /**
     * Free what {@link #allocate} returned.
     *
     * @param slab no copy of which is in flight.
     */
    void free(ByteBuffer slab);

    /**
     * The source that property or environment variable name.
     *
     * @param device whose copies use the slabs.
     * @return {@link DeviceSlabs} when neither is set.
     * @throws IllegalArgumentException that names value, rule and remedy.
     */
    static SlabSource configured(final KvDevice device)
    {
        final String text = configuredName();
        return null == text ? new DeviceSlabs(device) : parse(device, text);
    }

    /**
     * What property or environment variable name.
     *
     * @return null when neither is set.
     */
    static String configuredName()
    {
        final String text = System.getProperty(PROP_NAME, System.getenv(ENV_NAME));
        return null == text || text.isBlank() ? null : text;
    }

    /**
     * The source of a name.
     *
     * @param device whose copies use the slabs.
     * @param text   {@code device}, {@code host} or {@code numa:<node>}.
     * @return the source.
     * @throws IllegalArgumentException that names value, rule and remedy.
     */
    static SlabSource parse(final KvDevice device, final String text)
    {
        final Matcher matcher = Pattern.compile("device|host|numa:(\\d{1,3})").matcher(text.strip());
        if (!matcher.matches())
        {
            throw new IllegalArgumentException(PROP_NAME + "='" + text + "' is not device, host or numa:<node>: use " +
                "one of them here or in " + ENV_NAME);
        }
        return "device".equals(matcher.group()) ? new DeviceSlabs(device) :
            new HostSlabs(device, null == matcher.group(1) ? HostSlabs.ANY_NODE : Integer.parseInt(matcher.group(1)));
    }
}
