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
package io.millrace.efa.contract;

/**
 * What happens when a rule of EFA is broken.
 */
public enum ContractMode
{
    /** Nothing is checked. */
    OFF("off"),
    /** Each violation is counted and reported; the operation ends as on EFA, or is refused where EFA would crash. */
    LENIENT("lenient"),
    /** As lenient, and the operation throws. */
    STRICT("strict");

    private final String word;

    ContractMode(final String word)
    {
        this.word = word;
    }

    /**
     * Word in the configuration.
     *
     * @return {@code off | lenient | strict}.
     */
    public String word()
    {
        return word;
    }

    /**
     * Mode of a word.
     *
     * @param word exactly as {@link #word()}.
     * @return the mode, or null for any other word.
     */
    public static ContractMode of(final String word)
    {
        for (final ContractMode mode : values())
        {
            if (mode.word.equals(word))
            {
                return mode;
            }
        }

        return null;
    }
}
