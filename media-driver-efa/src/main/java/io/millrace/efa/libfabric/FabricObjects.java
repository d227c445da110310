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
package io.millrace.efa.libfabric;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The libfabric objects of one endpoint, closed in the reverse order of their opening.
 */
final class FabricObjects
{
    private record Named(String name, long fid)
    {
    }

    private final Deque<Named> open = new ArrayDeque<>();

    /**
     * Keep an object that was opened.
     *
     * @param name for errors.
     * @param fid  of it.
     * @return the fid.
     */
    long push(final String name, final long fid)
    {
        open.push(new Named(name, fid));
        return fid;
    }

    /**
     * Close the object opened last.
     *
     * @return null, or what went wrong.
     */
    FabricException closeLast()
    {
        final Named last = open.pop();
        final int result = OpsTable.close(last.fid);
        return result >= 0 ? null : new FabricException("fi_close", result, "closing the " + last.name);
    }

    /**
     * Close all that is left, also after a failure.
     *
     * @param earlier failure or null.
     * @return the first failure with later ones suppressed, or null.
     */
    FabricException closeAll(final FabricException earlier)
    {
        FabricException first = earlier;
        while (!open.isEmpty())
        {
            final FabricException failure = closeLast();
            if (null == first)
            {
                first = failure;
            }
            else if (null != failure)
            {
                first.addSuppressed(failure);
            }
        }
        return first;
    }
}
