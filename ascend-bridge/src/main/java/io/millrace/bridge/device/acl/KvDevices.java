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
package io.millrace.bridge.device.acl;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.device.KvDevice;

/**
 * Opens the device that a property or the environment names.
 */
public final class KvDevices
{
    /**
     * System property with {@code host[:id]} or {@code acl[:id]}, goes before the environment variable.
     */
    public static final String PROP_NAME = "millrace.bridge.device";

    /**
     * Environment variable with {@code host[:id]} or {@code acl[:id]}.
     */
    public static final String ENV_NAME = "MILLRACE_DEVICE";

    private static final Pattern FORMAT = Pattern.compile("(host|acl)(?::(\\d{1,4}))?");

    private KvDevices()
    {
    }

    /**
     * What the property or the environment names.
     *
     * @return null when neither is set.
     */
    public static String configured()
    {
        final String text = System.getProperty(PROP_NAME, System.getenv(ENV_NAME));
        return null == text || text.isBlank() ? null : text;
    }

    /**
     * Open a device.
     *
     * @param name such as {@code host}, {@code acl} or {@code acl:3}; the id is 0 unless it is given.
     * @return the device, to be closed by the caller.
     * @throws IllegalArgumentException when the name is wrong or the device is not there.
     * @throws IllegalStateException    when libascendcl is not there or cannot be used.
     */
    public static KvDevice open(final String name)
    {
        final Matcher matcher = FORMAT.matcher(null == name ? "" : name.strip());
        if (!matcher.matches())
        {
            throw new IllegalArgumentException(PROP_NAME + "='" + name + "' is not a device: use host, host:<id>, " +
                "acl or acl:<id> here or in " + ENV_NAME);
        }
        final int id = null == matcher.group(2) ? 0 : Integer.parseInt(matcher.group(2));
        return "acl".equals(matcher.group(1)) ?
            new AclDevice(new AclDevice.Context().deviceId(id)) : new HostDevice(id, 1);
    }
}
