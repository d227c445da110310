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

import com.sun.jna.Function;
import com.sun.jna.Pointer;

/**
 * Function pointers out of libfabric's operation tables, and JNA calls through those of the control plane.
 */
final class OpsTable
{
    private OpsTable()
    {
    }

    /**
     * Read a function pointer.
     *
     * @param fid         object that has the table.
     * @param tableOffset of the pointer to the table in the object.
     * @param slotOffset  of the function pointer in the table.
     * @param call        name for the error.
     * @return address of the function.
     * @throws FabricException with {@code ENOSYS} if the object has no such function.
     */
    static long slot(final long fid, final int tableOffset, final int slotOffset, final String call)
    {
        final long function = slotOrZero(fid, tableOffset, slotOffset);
        if (0 == function)
        {
            throw new FabricException(call, FabricErrors.ENOSYS, "the provider has no such function");
        }
        return function;
    }

    static long slotOrZero(final long fid, final int tableOffset, final int slotOffset)
    {
        final long table = RawMemory.getLong(fid + tableOffset);
        // The first word is the table's size: what lies behind it belongs to a newer libfabric.
        return 0 == table || RawMemory.getLong(table) < slotOffset + Long.BYTES ?
            0 : RawMemory.getLong(table + slotOffset);
    }

    static int callInt(final long function, final Object... arguments)
    {
        return Function.getFunction(new Pointer(function)).invokeInt(arguments);
    }

    /**
     * Call a control function and fail on a negative result.
     *
     * @param call      name for the error.
     * @param detail    for the error.
     * @param function  address.
     * @param arguments of the call, {@code Long} and {@code Integer}.
     * @return result, not negative.
     */
    static int checked(final String call, final String detail, final long function, final Object... arguments)
    {
        final int result = callInt(function, arguments);
        if (result < 0)
        {
            throw new FabricException(call, result, detail);
        }
        return result;
    }

    static int close(final long fid)
    {
        return callInt(slot(fid, FabricLayout.FID_OPS, FabricLayout.OPS_CLOSE, "fi_close"), fid);
    }
}
