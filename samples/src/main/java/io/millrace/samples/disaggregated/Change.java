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
package io.millrace.samples.disaggregated;

import io.millrace.bridge.session.KvRole;
import io.millrace.samples.failure.CommandFailure;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An instance that joins or leaves while the trace is replayed.
 *
 * @param seconds after the start of the replay.
 * @param isAdded true when it joins.
 * @param role    of it.
 */
public record Change(double seconds, boolean isAdded, KvRole role)
{
    private static final Pattern FORMAT = Pattern.compile("(\\d{1,6}(?:\\.\\d{1,3})?)s:([+-])(prefill|decode)");

    /**
     * Parse what a user wrote.
     *
     * @param text such as {@code 2s:+decode}.
     * @return the change.
     * @throws CommandFailure that names the rule.
     */
    public static Change parse(final String text)
    {
        final Matcher matcher = FORMAT.matcher(text);
        if (!matcher.matches())
        {
            throw CommandFailure.usage("--change is " + text + ": it must be a time and what joins or leaves then, " +
                "such as 2s:+decode or 4.5s:-prefill");
        }
        return new Change(Double.parseDouble(matcher.group(1)), "+".equals(matcher.group(2)),
            KvRole.valueOf(matcher.group(3).toUpperCase(Locale.ROOT)));
    }

    /**
     * As a user writes it.
     */
    @Override
    public String toString()
    {
        return BigDecimal.valueOf(seconds).stripTrailingZeros().toPlainString() + "s:" + (isAdded ? '+' : '-') +
            role.name().toLowerCase(Locale.ROOT);
    }
}
