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
 * A reliable datagram endpoint on one NIC with its own domain, completion queue and address vector.
 * <p>
 * Data path, {@link #poll}, {@link #readError}, {@link #pollEvents} and {@link #close} belong to one thread, the owner.
 * {@link #insertAddress}, {@link #removeAddress} and {@link #register} may be called by another one. Operations return
 * 0 when accepted or a negative number of {@link FabricErrors}; none of them allocates. A context is the address of a
 * 64-byte slot of {@link FabricContexts} that belongs to the operation until its completion; 0 means that no completion
 * is reported on EFA.
 */
public interface FabricEndpoint extends AutoCloseable
{
    /**
     * NIC it is on.
     *
     * @return the NIC.
     */
    FabricNic nic();

    /**
     * Operations that may be in flight.
     *
     * @return operations.
     */
    int txDepth();

    /**
     * Receives that may be posted.
     *
     * @return receives.
     */
    int rxDepth();

    /**
     * Completions that fit the queue.
     *
     * @return completions.
     */
    int cqDepth();

    /**
     * Longest message for {@link #inject}.
     *
     * @return bytes.
     */
    int injectLength();

    /**
     * Longest message for {@link #send}.
     *
     * @return bytes.
     */
    long maxSendLength();

    /**
     * Longest write, 0 if the NIC has no RMA.
     *
     * @return bytes.
     */
    long maxRmaLength();

    /**
     * Size of the immediate that reaches the peer.
     *
     * @return 4 or 8 bytes.
     */
    int immediateLength();

    /**
     * Whether local buffers must be registered ({@code FI_MR_LOCAL}).
     *
     * @return true if descriptors are needed.
     */
    boolean needsDescriptor();

    /**
     * Whether remote addresses of writes are the target's virtual addresses, else they are offsets in the region.
     *
     * @return true for virtual addresses.
     */
    boolean virtualAddressing();

    /**
     * Whether a write with immediate of a peer takes a posted receive here ({@code FI_RX_CQ_DATA}).
     *
     * @return true if it does.
     */
    boolean writeDataTakesReceive();

    /**
     * Raw address for peers.
     *
     * @return bytes of {@code fi_getname}, a copy.
     */
    byte[] localAddress();

    /**
     * Insert a peer's address. Inserting the same bytes again counts: it takes as many removals.
     *
     * @param rawAddress bytes of the peer's {@link #localAddress()}.
     * @return fi_addr for operations.
     * @throws FabricException with {@code EINVAL} if the address cannot be one of this provider.
     */
    long insertAddress(byte[] rawAddress);

    /**
     * Remove a peer's address, after its operations have completed.
     *
     * @param fiAddr of {@link #insertAddress}.
     */
    void removeAddress(long fiAddr);

    /**
     * Register memory. A kernel call on EFA, never for a data path.
     *
     * @param address first byte.
     * @param length  bytes.
     * @param access  of {@link MemoryRegion}.
     * @return the region, closed with the endpoint if not before.
     */
    MemoryRegion register(long address, long length, int access);

    /**
     * Send a message with an immediate ({@code fi_senddata}).
     *
     * @param address    of the message.
     * @param length     bytes.
     * @param descriptor of its memory.
     * @param immediate  for the peer's completion, no more than {@link #immediateLength()} bytes.
     * @param fiAddr     of the peer.
     * @param context    slot.
     * @return 0 or a negative error number.
     */
    long send(long address, int length, long descriptor, long immediate, long fiAddr, long context);

    /**
     * Whether completions of {@link #send} tell of arrival at the price of a message of the peer
     * ({@code FI_DELIVERY_COMPLETE} of TCP).
     *
     * @return true if each message is answered.
     */
    default boolean isDeliveryAnswered()
    {
        return false;
    }

    /**
     * Send a message with an immediate that the peer need not answer: it completes when the provider has taken it over
     * ({@code fi_sendmsg}).
     *
     * @param address    of the message.
     * @param length     bytes.
     * @param descriptor of its memory.
     * @param immediate  for the peer's completion, no more than {@link #immediateLength()} bytes.
     * @param fiAddr     of the peer.
     * @param context    slot.
     * @return 0 or a negative error number.
     */
    default long sendUnanswered(
        final long address,
        final int length,
        final long descriptor,
        final long immediate,
        final long fiAddr,
        final long context)
    {
        return send(address, length, descriptor, immediate, fiAddr, context);
    }

    /**
     * Send a short message with an immediate, whose buffer may be reused at once and that gives no completion
     * ({@code fi_injectdata}).
     *
     * @param address   of the message.
     * @param length    bytes, at most {@link #injectLength()}.
     * @param immediate for the peer's completion.
     * @param fiAddr    of the peer.
     * @return 0 or a negative error number.
     */
    long inject(long address, int length, long immediate, long fiAddr);

    /**
     * Post a buffer for a message of any peer ({@code fi_recv}).
     *
     * @param address    of the buffer.
     * @param length     bytes.
     * @param descriptor of its memory.
     * @param context    slot.
     * @return 0 or a negative error number.
     */
    long receive(long address, long length, long descriptor, long context);

    /**
     * Write to a peer's memory without telling it ({@code fi_write}).
     *
     * @param address       of the bytes.
     * @param length        bytes.
     * @param descriptor    of their memory.
     * @param fiAddr        of the peer.
     * @param remoteAddress the region's remote base plus an offset.
     * @param key           of the peer's region.
     * @param context       slot.
     * @return 0 or a negative error number.
     */
    long write(
        long address, long length, long descriptor, long fiAddr, long remoteAddress, long key, long context);

    /**
     * Write to a peer's memory and complete there with an immediate ({@code fi_writedata}).
     *
     * @param address       of the bytes.
     * @param length        bytes.
     * @param descriptor    of their memory.
     * @param immediate     for the peer's completion.
     * @param fiAddr        of the peer.
     * @param remoteAddress the region's remote base plus an offset.
     * @param key           of the peer's region.
     * @param context       slot.
     * @return 0 or a negative error number.
     */
    long writeData(
        long address,
        long length,
        long descriptor,
        long immediate,
        long fiAddr,
        long remoteAddress,
        long key,
        long context);

    /**
     * Make progress and read completions ({@code fi_cq_read}).
     *
     * @param batch that is filled from 0.
     * @return completions read, 0 if none, -{@link FabricErrors#EAVAIL} when {@link #readError} must be called before
     * anything else comes, or another negative error number.
     */
    int poll(CompletionBatch batch);

    /**
     * Read one error completion ({@code fi_cq_readerr}).
     *
     * @param error that is filled.
     * @return true if there was one.
     */
    boolean readError(CompletionError error);

    /**
     * Read asynchronous events, which only EFA has. An error event means that the endpoint is unusable.
     *
     * @return events and errors seen, 0 without an event queue.
     */
    int pollEvents();

    /**
     * The last error event.
     *
     * @return text, or null if there was none.
     */
    String eventErrorText();

    /**
     * Close endpoint, regions, address vector, queues, domain and fabric, in this order. Idempotent. Completions of
     * operations in flight are not delivered.
     *
     * @throws FabricException with the first refusal, such as {@code EBUSY}, after the rest has been closed.
     */
    @Override
    void close();
}
