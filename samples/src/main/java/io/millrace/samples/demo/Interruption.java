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

import sun.misc.Signal;

/**
 * The user's signal to end. It is told of first and once; what then fails because files and processes are being removed
 * under it is of no interest to anybody.
 */
public final class Interruption
{
    private static final int SIGNAL_STATUS = 128;
    private static volatile boolean happened;

    private Interruption()
    {
    }

    /**
     * From here on a signal says so and ends the process with its status, through the shutdown hooks.
     */
    public static void watch()
    {
        for (final String name : new String[]{ "HUP", "INT", "TERM" })
        {
            Signal.handle(new Signal(name), Interruption::onSignal);
        }
    }

    /**
     * Whether there was such a signal.
     *
     * @return true if the process is ending because of it.
     */
    public static boolean happened()
    {
        return happened;
    }

    private static void onSignal(final Signal signal)
    {
        happened = true;
        // On a terminal the cursor stands at the end of a bar.
        System.err.println((ProgressDisplay.isTerminal() ? "\n" : "") + "millrace: interrupted");
        System.exit(SIGNAL_STATUS + signal.getNumber());
    }
}
