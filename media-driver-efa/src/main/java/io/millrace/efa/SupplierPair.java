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

import io.millrace.efa.link.FabricDriver;

/**
 * Brings together the two suppliers that a stock media driver makes, one after the other on one thread, while it
 * concludes its context. One that is left alone, as the other side of its driver has another supplier, is not
 * paired with that of a later driver.
 */
final class SupplierPair
{
    private static final ThreadLocal<FabricDriver> UNPAIRED_SEND = new ThreadLocal<>();
    private static final ThreadLocal<FabricDriver> UNPAIRED_RECEIVE = new ThreadLocal<>();

    private SupplierPair()
    {
    }

    static FabricDriver forSend()
    {
        return pair(UNPAIRED_RECEIVE, UNPAIRED_SEND);
    }

    static FabricDriver forReceive()
    {
        return pair(UNPAIRED_SEND, UNPAIRED_RECEIVE);
    }

    private static FabricDriver pair(final ThreadLocal<FabricDriver> others, final ThreadLocal<FabricDriver> own)
    {
        final FabricDriver other = others.get();
        others.remove();
        if (null != other && !other.isStarted())
        {
            return other;
        }

        final FabricDriver fabric = new FabricDriver(new EfaContext());
        fabric.tryNamedRails();
        own.set(fabric);
        return fabric;
    }
}
