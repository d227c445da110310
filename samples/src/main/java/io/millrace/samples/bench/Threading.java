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

import io.aeron.driver.ThreadingMode;
import io.millrace.samples.failure.CommandFailure;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Which threads of a process spin.
 */
public enum Threading
{
    /** One: the application's thread runs the driver as well. */
    INVOKER(ThreadingMode.INVOKER, 1),
    /** Two: the application's and the driver's. */
    SHARED(ThreadingMode.SHARED, 2),
    /** Three: the application's, sender and receiver; the driver's conductor backs off. */
    DEDICATED(ThreadingMode.DEDICATED, 3);

    private final ThreadingMode mode;
    private final int spinning;

    Threading(final ThreadingMode mode, final int spinning)
    {
        this.mode = mode;
        this.spinning = spinning;
    }

    /**
     * Aeron's name for it.
     *
     * @return mode of the driver.
     */
    ThreadingMode mode()
    {
        return mode;
    }

    /**
     * Threads that spin in each of the two processes.
     *
     * @return threads, each of which takes a core.
     */
    int spinning()
    {
        return spinning;
    }

    /**
     * Find one by its name.
     *
     * @param text of the user.
     * @return the threading.
     * @throws CommandFailure if there is none.
     */
    public static Threading of(final String text)
    {
        return Arrays.stream(values())
            .filter((threading) -> threading.name().equalsIgnoreCase(text))
            .findFirst()
            .orElseThrow(() -> CommandFailure.usage("--threading " + text + ": it must be one of " +
                Arrays.stream(values()).map((value) -> value.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(", "))));
    }
}
