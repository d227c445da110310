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

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

/**
 * Calls through function pointers of the data path. Pointers travel as {@code long}: on LP64 both go in the same
 * registers. Source of the signatures: {@code rdma/fi_endpoint.h}, {@code fi_rma.h}, {@code fi_eq.h}.
 */
final class FabricCalls
{
    // ssize_t (*recv)(ep, buf, len, desc, src_addr, context)
    private static final MethodHandle RECV = handle(6);
    // ssize_t (*senddata)(ep, buf, len, desc, data, dest_addr, context)
    private static final MethodHandle SENDDATA = handle(7);
    // ssize_t (*sendmsg)(ep, msg, flags)
    private static final MethodHandle SENDMSG = handle(3);
    // ssize_t (*injectdata)(ep, buf, len, data, dest_addr)
    private static final MethodHandle INJECTDATA = handle(5);
    // ssize_t (*write)(ep, buf, len, desc, dest_addr, addr, key, context)
    private static final MethodHandle WRITE = handle(8);
    // ssize_t (*writedata)(ep, buf, len, desc, data, dest_addr, addr, key, context)
    private static final MethodHandle WRITEDATA = handle(9);
    // ssize_t (*read)(cq, buf, count) and (*readerr)(cq, buf, flags)
    private static final MethodHandle CQ_READ = handle(3);
    // ssize_t (*read)(eq, event, buf, len, flags)
    private static final MethodHandle EQ_READ = handle(5);

    private FabricCalls()
    {
    }

    private static MethodHandle handle(final int parameters)
    {
        final MemoryLayout[] layouts = new MemoryLayout[parameters];
        Arrays.fill(layouts, JAVA_LONG);
        return Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(JAVA_LONG, layouts));
    }

    private static RuntimeException unexpected(final Throwable throwable)
    {
        if (throwable instanceof final Error error)
        {
            throw error;
        }
        return new IllegalStateException(throwable);
    }

    static long recv(
        final MemorySegment function,
        final long ep,
        final long buffer,
        final long length,
        final long descriptor,
        final long source,
        final long context)
    {
        try
        {
            return (long)RECV.invokeExact(function, ep, buffer, length, descriptor, source, context);
        }
        catch (final Throwable throwable)
        {
            throw unexpected(throwable);
        }
    }

    static long senddata(
        final MemorySegment function,
        final long ep,
        final long buffer,
        final long length,
        final long descriptor,
        final long data,
        final long destination,
        final long context)
    {
        try
        {
            return (long)SENDDATA.invokeExact(function, ep, buffer, length, descriptor, data, destination, context);
        }
        catch (final Throwable throwable)
        {
            throw unexpected(throwable);
        }
    }

    static long sendmsg(final MemorySegment function, final long ep, final long message, final long flags)
    {
        try
        {
            return (long)SENDMSG.invokeExact(function, ep, message, flags);
        }
        catch (final Throwable throwable)
        {
            throw unexpected(throwable);
        }
    }

    static long injectdata(
        final MemorySegment function,
        final long ep,
        final long buffer,
        final long length,
        final long data,
        final long destination)
    {
        try
        {
            return (long)INJECTDATA.invokeExact(function, ep, buffer, length, data, destination);
        }
        catch (final Throwable throwable)
        {
            throw unexpected(throwable);
        }
    }

    static long write(
        final MemorySegment function,
        final long ep,
        final long buffer,
        final long length,
        final long descriptor,
        final long destination,
        final long remoteAddress,
        final long key,
        final long context)
    {
        try
        {
            return (long)WRITE.invokeExact(
                function, ep, buffer, length, descriptor, destination, remoteAddress, key, context);
        }
        catch (final Throwable throwable)
        {
            throw unexpected(throwable);
        }
    }

    static long writedata(
        final MemorySegment function,
        final long ep,
        final long buffer,
        final long length,
        final long descriptor,
        final long data,
        final long destination,
        final long remoteAddress,
        final long key,
        final long context)
    {
        try
        {
            return (long)WRITEDATA.invokeExact(
                function, ep, buffer, length, descriptor, data, destination, remoteAddress, key, context);
        }
        catch (final Throwable throwable)
        {
            throw unexpected(throwable);
        }
    }

    static long cqRead(final MemorySegment function, final long cq, final long buffer, final long countOrFlags)
    {
        try
        {
            return (long)CQ_READ.invokeExact(function, cq, buffer, countOrFlags);
        }
        catch (final Throwable throwable)
        {
            throw unexpected(throwable);
        }
    }

    static long eqRead(
        final MemorySegment function, final long eq, final long event, final long buffer, final long length)
    {
        try
        {
            return (long)EQ_READ.invokeExact(function, eq, event, buffer, length, 0L);
        }
        catch (final Throwable throwable)
        {
            throw unexpected(throwable);
        }
    }
}
