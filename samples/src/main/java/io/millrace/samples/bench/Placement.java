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
package io.millrace.samples.bench;

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;

import java.util.BitSet;
import java.util.concurrent.ThreadFactory;

/**
 * Where threads run.
 */
final class Placement
{
    private static final int MASK_BYTES = 128;
    private static final LibC LIBC = Native.load("c", LibC.class);
    // Of the process, before any thread is bound.
    private static final int[] ALLOWED = allowed();

    /**
     * The system's call.
     */
    public interface LibC extends Library
    {
        /**
         * Bind a thread to cores.
         *
         * @param thread 0 for the caller.
         * @param length of the mask in bytes.
         * @param mask   with a bit for each core.
         * @return 0.
         * @throws LastErrorException if the system refuses.
         */
        int sched_setaffinity(int thread, NativeLong length, byte[] mask) throws LastErrorException;

        /**
         * Cores that a thread may use.
         *
         * @param thread 0 for the caller.
         * @param length of the mask in bytes.
         * @param mask   filled with a bit for each core.
         * @return bytes filled.
         * @throws LastErrorException if the system refuses.
         */
        int sched_getaffinity(int thread, NativeLong length, byte[] mask) throws LastErrorException;
    }

    private Placement()
    {
    }

    /**
     * Bind the calling thread, and those that it starts from here on, to cores.
     *
     * @param cores numbered from 0.
     */
    static void bind(final int... cores)
    {
        final byte[] mask = new byte[MASK_BYTES];
        for (final int core : cores)
        {
            mask[core / Byte.SIZE] |= (byte)(1 << core % Byte.SIZE);
        }
        LIBC.sched_setaffinity(0, new NativeLong(MASK_BYTES), mask);
    }

    /**
     * Let the calling thread run on any core.
     */
    static void release()
    {
        bind(ALLOWED);
    }

    /**
     * Cores that this process may use.
     *
     * @return numbers of cores, ascending.
     */
    static int[] allowed()
    {
        final byte[] mask = new byte[MASK_BYTES];
        LIBC.sched_getaffinity(0, new NativeLong(MASK_BYTES), mask);
        return BitSet.valueOf(mask).stream().toArray();
    }

    /**
     * Threads bound to a core.
     *
     * @param name of the threads.
     * @param core numbered from 0.
     * @return a factory of them.
     */
    static ThreadFactory threads(final String name, final int core)
    {
        return (task) -> Thread.ofPlatform().name(name).daemon().unstarted(() ->
        {
            bind(core);
            task.run();
        });
    }
}
