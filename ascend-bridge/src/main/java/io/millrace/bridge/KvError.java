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
package io.millrace.bridge;

import io.millrace.codecs.kv.Reason;

/**
 * Why a transfer was refused or ended. All but {@link #QUEUE_FULL} travel between sender and receiver.
 */
public enum KvError
{
    /**
     * Nothing is wrong.
     */
    NONE(Reason.OK),

    /**
     * No protocol version in common.
     */
    VERSION_MISMATCH(Reason.VERSION_MISMATCH),

    /**
     * Unknown schema or message, or one that is shorter than it says.
     */
    BAD_MESSAGE(Reason.BAD_MESSAGE),

    /**
     * Layout out of range or not adding up.
     */
    BAD_LAYOUT(Reason.BAD_LAYOUT),

    /**
     * Destination blocks refused, too few, or not found in time.
     */
    NO_BLOCKS(Reason.NO_BLOCKS),

    /**
     * No transfer of that id is in flight.
     */
    UNKNOWN_TRANSFER(Reason.UNKNOWN_TRANSFER),

    /**
     * The id is in flight with other contents.
     */
    DUPLICATE_TRANSFER(Reason.DUPLICATE_TRANSFER),

    /**
     * Layer, block or byte range past the end.
     */
    OUT_OF_RANGE(Reason.OUT_OF_RANGE),

    /**
     * A gap in a layer, or a layer before its predecessor ended.
     */
    OUT_OF_ORDER(Reason.OUT_OF_ORDER),

    /**
     * A commit's counts are not what arrived.
     */
    COMMIT_MISMATCH(Reason.COMMIT_MISMATCH),

    /**
     * Still damaged after the last allowed repeat.
     */
    CHECKSUM_MISMATCH(Reason.CHECKSUM_MISMATCH),

    /**
     * The transfer's time is over.
     */
    DEADLINE(Reason.DEADLINE),

    /**
     * The other side's image or subscription ended.
     */
    PEER_GONE(Reason.PEER_GONE),

    /**
     * Somebody asked for it.
     */
    CANCELED(Reason.CANCELED),

    /**
     * A device copy failed or timed out.
     */
    DEVICE_ERROR(Reason.DEVICE_ERROR),

    /**
     * The receiver has as many transfers in flight as it allows.
     */
    OVERLOADED(Reason.OVERLOADED),

    /**
     * The agent that handled the transfer was closed.
     */
    SHUTDOWN(Reason.SHUTDOWN),

    /**
     * The sender's queue has no room: the transfer was not taken.
     */
    QUEUE_FULL(Reason.OVERLOADED);

    private static final KvError[] BY_REASON = new KvError[SHUTDOWN.ordinal() + 1];

    static
    {
        for (int i = 0; i < BY_REASON.length; i++)
        {
            final KvError error = values()[i];
            BY_REASON[error.reason.value()] = error;
        }
    }

    private final Reason reason;

    KvError(final Reason reason)
    {
        this.reason = reason;
    }

    /**
     * The value on the wire.
     *
     * @return of the schema.
     */
    public Reason reason()
    {
        return reason;
    }

    /**
     * The error of a value on the wire.
     *
     * @param value raw, {@link #BAD_MESSAGE} stands for values of newer versions.
     * @return the error.
     */
    public static KvError ofWireValue(final int value)
    {
        return value >= 0 && value < BY_REASON.length ? BY_REASON[value] : BAD_MESSAGE;
    }

    /**
     * The state in which this error leaves a transfer.
     *
     * @return a terminal state.
     */
    public KvTransferState terminalState()
    {
        return switch (this)
        {
            case NONE -> KvTransferState.COMPLETED;
            case CANCELED -> KvTransferState.CANCELED;
            case DEADLINE -> KvTransferState.TIMEOUT;
            default -> KvTransferState.FAILED;
        };
    }
}
