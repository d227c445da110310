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
package io.millrace.samples.doctor;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonValue;

import java.util.Locale;

/**
 * Result of one check.
 *
 * @param check  what was looked at.
 * @param level  how it is.
 * @param found  what there is.
 * @param remedy what to do, or null.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Finding(String check, Level level, String found, String remedy)
{
    /**
     * How it is.
     */
    public enum Level
    {
        /** As it should be. */
        OK,
        /** For a person to know or to do, where the check cannot tell. */
        NOTE,
        /** Works, but slower or less surely. */
        WARN,
        /** Does not work. */
        FAIL;

        /**
         * Word for people and in JSON.
         *
         * @return the word.
         */
        @JsonValue
        public String word()
        {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static Finding ok(final String check, final String found)
    {
        return new Finding(check, Level.OK, found, null);
    }

    static Finding note(final String check, final String found, final String remedy)
    {
        return new Finding(check, Level.NOTE, found, remedy);
    }

    static Finding warn(final String check, final String found, final String remedy)
    {
        return new Finding(check, Level.WARN, found, remedy);
    }

    static Finding fail(final String check, final String found, final String remedy)
    {
        return new Finding(check, Level.FAIL, found, remedy);
    }
}
