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

import io.millrace.samples.failure.CommandFailure;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Which cores the two processes take.
 */
final class Cores
{
    private static final int PROCESSES = 2;

    private Cores()
    {
    }

    /**
     * Check that there is a core for each thread that spins.
     *
     * @param threading of the drivers.
     * @throws CommandFailure if there is not.
     */
    static void check(final Threading threading)
    {
        final int needed = PROCESSES * threading.spinning();
        final int present = Runtime.getRuntime().availableProcessors();
        if (present < needed)
        {
            throw CommandFailure.usage("--threading " + threading.name().toLowerCase(Locale.ROOT) + " has " +
                needed + " threads that spin, " + threading.spinning() + " in each of two processes: this machine " +
                "gives " + present + " cores, and each needs one; use " +
                (Threading.INVOKER == threading ? "a machine with two" : "--threading invoker") + " or more cores");
        }
    }

    /**
     * Cores of a process.
     *
     * @param threading of its driver.
     * @param isServer  whether it is the second one.
     * @return its own thread's, then those of its driver's.
     */
    static int[] of(final Threading threading, final boolean isServer)
    {
        final int[] allowed = Placement.allowed();
        final int first = isServer ? threading.spinning() : 0;
        return IntStream.range(first, first + threading.spinning()).map((i) -> allowed[i]).toArray();
    }

    /**
     * Core that sends what the client says.
     *
     * @param threading of the drivers.
     * @return number of the core.
     */
    static int ofSender(final Threading threading)
    {
        final int[] cores = of(threading, false);
        return cores[Math.min(1, cores.length - 1)];
    }

    /**
     * Core that takes it for the server.
     *
     * @param threading of the drivers.
     * @return number of the core.
     */
    static int ofReceiver(final Threading threading)
    {
        final int[] cores = of(threading, true);
        return cores[cores.length - 1];
    }

    /**
     * Describe the placement.
     *
     * @param threading of the drivers.
     * @return one sentence.
     */
    static String describe(final Threading threading)
    {
        return "client bound to core " + text(of(threading, false)) + ", server to " + text(of(threading, true)) +
            (Threading.INVOKER == threading ? ", each with one thread that runs application and driver" :
            ", application first, then driver");
    }

    private static String text(final int[] cores)
    {
        return Arrays.toString(cores).replaceAll("[\\[\\]]", "");
    }
}
