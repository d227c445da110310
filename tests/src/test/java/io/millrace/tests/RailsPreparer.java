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
package io.millrace.tests;

import io.aeron.driver.MediaDriver;
import io.millrace.efa.EfaContext;
import io.millrace.efa.EfaMediaDriver;

import java.util.function.UnaryOperator;

/**
 * Puts the drivers of the bridge's own tests on rails, see {@link BridgeOnRailsTest}.
 */
public final class RailsPreparer implements UnaryOperator<MediaDriver.Context>
{
    static final String PROTOCOL_PROPERTY = "millrace.test.protocol";

    /**
     * {@inheritDoc}
     */
    public MediaDriver.Context apply(final MediaDriver.Context ctx)
    {
        return EfaMediaDriver.install(ctx, new EfaContext().protocol(System.getProperty(PROTOCOL_PROPERTY)));
    }
}
