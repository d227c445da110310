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

/**
 * A {@code struct fid_mr}.
 */
final class NativeRegion implements MemoryRegion
{
    private final MemoryRegions owner;
    private final long fid;
    private final long address;
    private final long length;
    private final long remoteBase;
    private final long descriptor;
    private final long key;

    NativeRegion(
        final MemoryRegions owner, final long fid, final long address, final long length, final boolean virtual)
    {
        this.owner = owner;
        this.fid = fid;
        this.address = address;
        this.length = length;
        remoteBase = virtual ? address : 0;
        descriptor = RawMemory.getLong(fid + FabricLayout.MR_DESC);
        key = RawMemory.getLong(fid + FabricLayout.MR_KEY);
    }

    long fid()
    {
        return fid;
    }

    @Override
    public long descriptor()
    {
        return descriptor;
    }

    @Override
    public long key()
    {
        return key;
    }

    @Override
    public long address()
    {
        return address;
    }

    @Override
    public long length()
    {
        return length;
    }

    @Override
    public long remoteBase()
    {
        return remoteBase;
    }

    @Override
    public void close()
    {
        owner.deregister(this);
    }
}
