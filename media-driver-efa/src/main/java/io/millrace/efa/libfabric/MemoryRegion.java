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
 * Memory registered with one endpoint's domain. Close it only after every operation on it has completed and before the
 * memory is unmapped: EFA does not guard against either.
 */
public interface MemoryRegion extends AutoCloseable
{
    /** Access for buffers of messages. */
    int ACCESS_MESSAGE = (int)(FabricFlags.SEND | FabricFlags.RECV);
    /** Access for the local side of writes, and messages. */
    int ACCESS_WRITE_SOURCE = (int)(FabricFlags.SEND | FabricFlags.WRITE);
    /** Access for memory that peers write to. */
    int ACCESS_WRITE_TARGET = (int)FabricFlags.REMOTE_WRITE;

    /**
     * Descriptor to hand to operations that use this memory locally.
     *
     * @return {@code fi_mr_desc}.
     */
    long descriptor();

    /**
     * Key for peers.
     *
     * @return {@code fi_mr_key}.
     */
    long key();

    /**
     * First byte, in this process.
     *
     * @return address.
     */
    long address();

    /**
     * Size.
     *
     * @return bytes.
     */
    long length();

    /**
     * What peers add their offset to: the address with virtual addressing, 0 where the provider counts from the start
     * of the region.
     *
     * @return base for {@code remoteAddress} of writes.
     */
    long remoteBase();

    /**
     * Deregister. Idempotent.
     *
     * @throws FabricException if the provider refuses, such as with {@code EBUSY}.
     */
    @Override
    void close();
}
