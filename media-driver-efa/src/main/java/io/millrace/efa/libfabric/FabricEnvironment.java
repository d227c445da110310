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

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Environment variables that decide about the life of the process: set before libfabric is loaded, or refused.
 */
final class FabricEnvironment
{
    /** EFA's provider calls abort() if one of these is set at all. */
    private static final List<String> ABORTS_IF_SET =
        List.of("FI_EFA_MTU_SIZE", "FI_EFA_TX_IOV_LIMIT", "FI_EFA_RX_IOV_LIMIT");
    private static final String INTERFACES = "FI_EFA_IFACE";
    private static final String CREDITS = "FI_EFA_TX_MIN_CREDITS";

    private FabricEnvironment()
    {
    }

    /** System.setenv does not exist and ProcessBuilder's map reaches children only, so libc it is. */
    static void prepare()
    {
        // psm's backtrace handler for SIGSEGV ends a JVM at its first implicit null check.
        LibC.INSTANCE.setenv("IPATH_NO_BACKTRACE", "1", 1);
        // Without it every GPU library of the machine is probed.
        LibC.INSTANCE.setenv("FI_HMEM", "system", 0);
    }

    /**
     * Find a setting for which libfabric 2 ends the process while it initialises.
     *
     * @param environment to look into.
     * @return one sentence, or null if there is none.
     */
    static String hazard(final UnaryOperator<String> environment)
    {
        for (final String name : ABORTS_IF_SET)
        {
            if (null != environment.apply(name))
            {
                return "libfabric ends the process when the environment variable " + name + " is set: unset it";
            }
        }
        if ("".equals(environment.apply(INTERFACES)))
        {
            return "libfabric ends the process when the environment variable " + INTERFACES +
                " is empty: unset it or name devices";
        }
        final String credits = environment.apply(CREDITS);
        return null == credits || isPositive(credits) ? null :
            "libfabric ends the process when the environment variable " + CREDITS + " is '" + credits +
            "': unset it or make it positive";
    }

    private static boolean isPositive(final String text)
    {
        try
        {
            return Integer.decode(text.trim()) > 0;
        }
        catch (final NumberFormatException ex)
        {
            return false;
        }
    }
}
