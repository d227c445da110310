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

import org.agrona.concurrent.status.AtomicCounter;

import java.util.concurrent.atomic.AtomicLong;

/**
 * A count that is kept before its counter is there, as rails may be opened before the media driver starts, and after it
 * is gone, as endpoints may be closed later.
 */
final class Tally
{
    private final AtomicLong total = new AtomicLong();
    private volatile AtomicCounter counter;

    void increment()
    {
        total.incrementAndGet();
        final AtomicCounter shown = counter;
        if (null != shown)
        {
            shown.increment();
        }
    }

    long get()
    {
        return total.get();
    }

    void show(final AtomicCounter counter)
    {
        counter.setRelease(total.get());
        this.counter = counter;
    }

    void hide()
    {
        counter = null;
    }
}
