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

import static io.millrace.efa.libfabric.FabricLayout.CQ_ERROR_CONTEXT;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ERROR_DATA;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ERROR_ERRNO;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ERROR_FLAGS;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ERROR_LENGTH;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ERROR_OVERFLOW_LENGTH;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ERROR_PROVIDER_ERRNO;

/**
 * An error completion. Reusable.
 */
public final class CompletionError
{
    private FabricProvider provider;
    private long context;
    private long flags;
    private long length;
    private long overflowLength;
    private long data;
    private int errno;
    private int providerErrno;

    void read(final FabricProvider provider, final long entry)
    {
        this.provider = provider;
        context = RawMemory.getLong(entry + CQ_ERROR_CONTEXT);
        flags = RawMemory.getLong(entry + CQ_ERROR_FLAGS);
        length = RawMemory.getLong(entry + CQ_ERROR_LENGTH);
        data = RawMemory.getLong(entry + CQ_ERROR_DATA);
        overflowLength = RawMemory.getLong(entry + CQ_ERROR_OVERFLOW_LENGTH);
        // Some providers report the number negated.
        errno = Math.abs(RawMemory.getInt(entry + CQ_ERROR_ERRNO));
        providerErrno = RawMemory.getInt(entry + CQ_ERROR_PROVIDER_ERRNO);
    }

    /**
     * Fill, for what stands between a provider and its user.
     *
     * @param provider      whose {@code prov_errno} it is.
     * @param context       of the operation.
     * @param flags         of {@link FabricFlags}.
     * @param length        bytes.
     * @param errno         of {@link FabricErrors}, positive.
     * @param providerErrno of the provider.
     */
    public void set(
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
        overflowLength = 0;
    }

    /**
     * Context of the operation that failed.
     *
     * @return context, may be 0.
     */
    public long context()
    {
        return context;
    }

    /**
     * Flags of {@link FabricFlags}.
     *
     * @return flags.
     */
    public long flags()
    {
        return flags;
    }

    /**
     * Bytes that were carried.
     *
     * @return bytes.
     */
    public long length()
    {
        return length;
    }

    /**
     * Bytes that did not fit the receive buffer.
     *
     * @return bytes.
     */
    public long overflowLength()
    {
        return overflowLength;
    }

    /**
     * Immediate.
     *
     * @return immediate, valid if the flags say so.
     */
    public long data()
    {
        return data;
    }

    /**
     * Error number.
     *
     * @return positive, see {@link FabricErrors}.
     */
    public int errno()
    {
        return errno;
    }

    /**
     * Provider's own number, see {@link EfaErrors} for EFA's.
     *
     * @return number.
     */
    public int providerErrno()
    {
        return providerErrno;
    }

    /**
     * What happened. Allocates.
     *
     * @return text.
     */
    public String text()
    {
        final String text = FabricErrors.text(errno) + " (" + errno + ")";
        return FabricProvider.EFA == provider ?
            text + ", " + EfaErrors.text(providerErrno) : text + ", provider error " + providerErrno;
    }

    @Override
    public String toString()
    {
        return text();
    }
}
