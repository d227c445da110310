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
package io.millrace.archive;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

import org.agrona.LangUtil;

/**
 * State of a {@link KvReplay}.
 */
public enum KvReplayState
{
    /**
     * Bytes are on their way, or the last of them land.
     */
    RUNNING,

    /**
     * Every byte of the range was consumed, and no transfer of it is in flight any more.
     */
    COMPLETED,

    /**
     * Closed before its end.
     */
    CANCELED,

    /**
     * Its deadline passed.
     */
    TIMEOUT,

    /**
     * Ended by an error.
     */
    FAILED;

    /**
     * Nothing follows this state.
     *
     * @return true from COMPLETED on.
     */
    public boolean isTerminal()
    {
        return RUNNING != this;
    }

    /**
     * Wait for a terminal state.
     *
     * @param future    that completes with it.
     * @param timeoutNs nanoseconds to wait at most.
     * @param current   tells the state when the time is over.
     * @return the state reached.
     */
    static KvReplayState await(
        final CompletableFuture<KvReplayState> future, final long timeoutNs, final Supplier<KvReplayState> current)
    {
        try
        {
            return future.get(timeoutNs, TimeUnit.NANOSECONDS);
        }
        catch (final TimeoutException ex)
        {
            return current.get();
        }
        catch (final InterruptedException | ExecutionException ex)
        {
            LangUtil.rethrowUnchecked(ex);
            return current.get();
        }
    }
}
