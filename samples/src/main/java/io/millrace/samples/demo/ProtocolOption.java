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
package io.millrace.samples.demo;

import io.aeron.exceptions.ConfigurationException;
import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.samples.failure.CommandFailure;

/**
 * The option {@code --protocol}.
 */
public final class ProtocolOption
{
    private ProtocolOption()
    {
    }

    /**
     * What the drivers of a run will choose.
     *
     * @param protocol that the user named, or null for what is configured.
     * @return the choice.
     * @throws CommandFailure if this machine does not have it.
     */
    public static ProtocolChoice choose(final String protocol)
    {
        try
        {
            return ProtocolChoice.select(null == protocol ? new EfaContext() : new EfaContext().protocol(protocol));
        }
        catch (final ConfigurationException ex)
        {
            final String message = CommandFailure.withoutCategory(ex);
            throw CommandFailure.usage(null == protocol ? message : "--protocol " + protocol + ": " + message);
        }
    }
}
