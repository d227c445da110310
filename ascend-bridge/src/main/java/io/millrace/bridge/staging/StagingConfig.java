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

import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.millrace.bridge.device.KvDevice;

/**
 * Size of a staging pool.
 *
 * @param slots     in the pool, 2 to 4096.
 * @param slotBytes of each slot, 1 MiB to 1024 MiB.
 */
public record StagingConfig(int slots, int slotBytes)
{
    /**
     * Environment variable with {@code <slots>:<MiB>}.
     */
    public static final String ENV_NAME = "MILLRACE_STAGING";

    /**
     * System property with {@code <slots>:<MiB>}, goes before the environment variable.
     */
    public static final String PROP_NAME = "millrace.kv.staging";

    /**
     * Size unless told otherwise.
     */
    public static final String DEFAULT = "8:1";

    private static final int MAX_SLOTS = 4096;
    private static final int MAX_MIB = 1024;
    private static final int MIB_SHIFT = 20;
    private static final Pattern FORMAT = Pattern.compile("(\\d{1,6}):(\\d{1,6})");

    /**
     * Parse {@code <slots>:<MiB>}.
     *
     * @param text such as {@code 8:1}.
     * @return the size.
     * @throws IllegalArgumentException that names value, rule and remedy.
     */
    public static StagingConfig parse(final String text)
    {
        final Matcher matcher = FORMAT.matcher(null == text ? "" : text);
        final int slots = matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
        final int mib = matcher.matches() ? Integer.parseInt(matcher.group(2)) : 0;
        if (slots < 2 || slots > MAX_SLOTS || mib < 1 || mib > MAX_MIB)
        {
            throw new IllegalArgumentException(ENV_NAME + "='" + text + "' is not <slots>:<MiB> with 2 to " +
                MAX_SLOTS + " slots of 1 to " + MAX_MIB + " MiB: set it to something like " + DEFAULT);
        }

        return new StagingConfig(slots, mib << MIB_SHIFT);
    }

    /**
     * What a person set: the system property, else the environment variable.
     *
     * @return the size, null when neither is set.
     * @throws IllegalArgumentException that names value, rule and remedy.
     */
    public static StagingConfig fromEnvironment()
    {
        final String text = System.getProperty(PROP_NAME, System.getenv(ENV_NAME));
        return null == text ? null : parse(text);
    }

    /**
     * What a device needs: nothing when the processor reaches its memory and nobody chose size or memory of staging.
     *
     * @param device whose copies would use the pool.
     * @param slabs  memory that was chosen, null when none was.
     * @return the size, null to copy without staging.
     * @throws IllegalArgumentException that names value, rule and remedy.
     */
    public static StagingConfig of(final KvDevice device, final SlabSource slabs)
    {
        final StagingConfig wanted = fromEnvironment();
        final boolean isStaged = null != slabs || null != SlabSource.configuredName() || !device.isHostAccessible();
        return null == wanted && isStaged ? parse(DEFAULT) : wanted;
    }

    /**
     * Bytes of the whole pool.
     *
     * @return bytes.
     */
    public long totalBytes()
    {
        return (long)slots * slotBytes;
    }
}
