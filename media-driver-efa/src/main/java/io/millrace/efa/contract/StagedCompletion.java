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

import io.millrace.efa.libfabric.FabricProvider;

/**
 * A completion between the provider and its user. Reusable.
 */
final class StagedCompletion
{
    private FabricProvider provider;
    private long context;
    private long flags;
    private long length;
    private long data;
    private int errno;
    private int providerErrno;
    private long duePoll;
    private long dueNs;

    void set(final long context, final long flags, final long length, final long data)
    {
        setError(null, context, flags, length, 0, 0);
        this.data = data;
    }

    void setError(
        final FabricProvider provider,
        final long context,
        final long flags,
        final long length,
        final int errno,
        final int providerErrno)
    {
        this.provider = provider;
        this.context = context;
        this.flags = flags;
        this.length = length;
        this.errno = errno;
        this.providerErrno = providerErrno;
        data = 0;
    }

    void due(final long poll, final long nowNs)
    {
        duePoll = poll;
        dueNs = nowNs;
    }

    boolean isDue(final long poll, final long nowNs)
    {
        return poll >= duePoll && nowNs - dueNs >= 0;
    }

    boolean isError()
    {
        return 0 != errno;
    }

    FabricProvider provider()
    {
        return provider;
    }

    long context()
    {
        return context;
    }

    long flags()
    {
        return flags;
    }

    long length()
    {
        return length;
    }

    long data()
    {
        return data;
    }

    int errno()
    {
        return errno;
    }

    int providerErrno()
    {
        return providerErrno;
    }
}
