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

import java.lang.foreign.Arena;
import java.util.function.Supplier;

/**
 * Keeps the JVM's signal handlers. Providers install their own when they are loaded (psm), initialised or open their
 * first endpoint (shm: SIGSEGV, SIGBUS, SIGTERM, SIGINT). The JVM uses SIGSEGV for implicit null checks and safepoints,
 * so that psm's handler would end the process and shm's would remove the files of living endpoints.
 */
final class SignalGuard
{
    private static final int LAST_SIGNAL = 31;
    private static final int SIGKILL = 9;
    private static final int SIGSTOP = 19;
    private static final int ACTION_SIZE = 256;
    private static final int DL_INFO_SIZE = 64;

    private SignalGuard()
    {
    }

    /**
     * Run and put back every handler that was replaced meanwhile by something other than the JVM itself.
     *
     * @param action to run.
     * @param <T>    of the result.
     * @return its result.
     */
    static <T> T guarded(final Supplier<T> action)
    {
        // One at a time, else one guard would take for the JVM's what the other's action has installed.
        synchronized (SignalGuard.class)
        {
            try (Arena arena = Arena.ofConfined())
            {
                final long before = arena.allocate((LAST_SIGNAL + 1) * ACTION_SIZE, ACTION_SIZE).address();
                final long now = arena.allocate(ACTION_SIZE, ACTION_SIZE).address();
                final long dlInfo = arena.allocate(DL_INFO_SIZE, Long.BYTES).address();
                for (int signal = 1; signal <= LAST_SIGNAL; signal++)
                {
                    LibC.INSTANCE.sigaction(signal, 0, before + (long)signal * ACTION_SIZE);
                }
                try
                {
                    return action.get();
                }
                finally
                {
                    for (int signal = 1; signal <= LAST_SIGNAL; signal++)
                    {
                        restore(signal, before + (long)signal * ACTION_SIZE, now, dlInfo);
                    }
                }
            }
        }
    }

    private static void restore(final int signal, final long before, final long now, final long dlInfo)
    {
        if (SIGKILL == signal || SIGSTOP == signal || 0 != LibC.INSTANCE.sigaction(signal, 0, now))
        {
            return;
        }

        // sa_handler is the first member of struct sigaction.
        final long handler = RawMemory.getLong(now);
        if (RawMemory.getLong(before) != handler && !isOfJvm(handler, dlInfo))
        {
            LibC.INSTANCE.sigaction(signal, before, 0);
        }
    }

    private static boolean isOfJvm(final long handler, final long dlInfo)
    {
        if (0 == LibC.INSTANCE.dladdr(handler, dlInfo))
        {
            return false;
        }
        final String file = RawMemory.getString(RawMemory.getLong(dlInfo));
        return null != file && (file.endsWith("/libjvm.so") || file.endsWith("/libjsig.so"));
    }
}
