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
package io.millrace.efa.rail;

import java.util.Arrays;

/**
 * Identity of a remote rail: its raw libfabric address and the incarnation of the driver behind it, as a restarted
 * process may come back under the same address.
 *
 * @param incarnation random number of the driver's start.
 * @param address     raw libfabric address.
 */
record AddressKey(long incarnation, byte[] address)
{
    /**
     * {@inheritDoc}
     */
    @Override
    public boolean equals(final Object other)
    {
        return other instanceof AddressKey that &&
            incarnation == that.incarnation && Arrays.equals(address, that.address);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public int hashCode()
    {
        return 31 * Long.hashCode(incarnation) + Arrays.hashCode(address);
    }
}
