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
package io.millrace.efa.link;

import io.aeron.AeronVersion;
import io.aeron.driver.MediaDriverVersion;
import io.aeron.exceptions.ConfigurationException;

/**
 * Refuses an Aeron of another line than the one that this driver was compiled with: its endpoints and transports are
 * Aeron's internals, which change from one minor version to the next.
 */
final class AeronRelease
{
    private AeronRelease()
    {
    }

    /**
     * Hold the versions that were loaded against the one compiled with.
     *
     * @throws ConfigurationException when they do not go together.
     */
    static void check()
    {
        // The compiler copies constants: read through reflection they are those of the class path.
        check("aeron-driver", MediaDriverVersion.VERSION,
            loaded("io.aeron.driver.MediaDriverVersion", MediaDriverVersion.VERSION));
        check("aeron-client", AeronVersion.VERSION, loaded("io.aeron.AeronVersion", AeronVersion.VERSION));
    }

    static void check(final String artifact, final String compiled, final String loaded)
    {
        if (!line(compiled).equals(line(loaded)))
        {
            throw new ConfigurationException(artifact + " " + loaded + " is on the class path: it must be " +
                line(compiled) + ".x, whose internals this driver uses; put io.aeron:" + artifact + ":" + compiled +
                " there, or a Millrace made for " + line(loaded));
        }
    }

    private static String line(final String version)
    {
        final String[] parts = version.split("\\.", 3);
        return parts.length < 2 ? version : parts[0] + "." + parts[1];
    }

    private static String loaded(final String className, final String compiled)
    {
        try
        {
            return (String)Class.forName(className).getField("VERSION").get(null);
        }
        catch (final NoClassDefFoundError ex)
        {
            // Aeron runs without aeron-annotations, its version classes do not: there is nothing to hold against.
            return compiled;
        }
        catch (final ReflectiveOperationException ex)
        {
            return "of an unknown version";
        }
    }
}
