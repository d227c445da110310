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
package io.millrace.efa.link;

import org.agrona.nio.TransportPoller;

/**
 * Aeron's pollers ask every endpoint up to a number of them, and beyond it only those whose socket has something, which
 * would starve rails. The number is a constant of a class of Agrona's, set by a property when that class is loaded.
 */
final class SelectorThreshold
{
    private static final int WANTED = 4096;

    private SelectorThreshold()
    {
    }

    /**
     * Raise the threshold if that class is not loaded yet and nobody else has set the property. What came of it is read
     * back from {@link TransportPoller#ITERATION_THRESHOLD}.
     */
    static void raise()
    {
        if (null == System.getProperty(TransportPoller.ITERATION_THRESHOLD_PROP_NAME))
        {
            System.setProperty(TransportPoller.ITERATION_THRESHOLD_PROP_NAME, Integer.toString(WANTED));
        }
    }
}
