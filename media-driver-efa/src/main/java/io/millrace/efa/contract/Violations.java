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

import org.agrona.ErrorHandler;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Counts and reports broken rules.
 */
final class Violations
{
    private final boolean isStrict;
    private final Tally tally;
    private final AtomicLongArray countByRule = new AtomicLongArray(ContractRule.values().length);
    private volatile ErrorHandler errorHandler;

    Violations(final boolean isStrict, final Tally tally)
    {
        this.isStrict = isStrict;
        this.tally = tally;
    }

    void errorHandler(final ErrorHandler errorHandler)
    {
        this.errorHandler = errorHandler;
    }

    boolean isStrict()
    {
        return isStrict;
    }

    long count(final ContractRule rule)
    {
        return countByRule.get(rule.ordinal());
    }

    /**
     * Count and report; one that comes again and again is reported less and less often.
     *
     * @return what is to be thrown in strict mode.
     */
    ContractViolationException report(final ContractRule rule, final String detail)
    {
        final long count = countByRule.incrementAndGet(rule.ordinal());
        final ContractViolationException violation = new ContractViolationException(rule, detail);
        final ErrorHandler handler = errorHandler;
        if (null != handler && 1 == Long.bitCount(count))
        {
            handler.onError(violation);
        }

        // Last, so that who sees the count finds the report.
        tally.increment();
        return violation;
    }

    /**
     * Count and report, and throw in strict mode.
     */
    void broken(final ContractRule rule, final String detail)
    {
        final ContractViolationException violation = report(rule, detail);
        if (isStrict)
        {
            throw violation;
        }
    }
}
