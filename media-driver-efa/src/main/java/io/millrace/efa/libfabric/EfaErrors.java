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

import org.agrona.collections.Int2ObjectHashMap;

/**
 * Meaning of EFA's {@code prov_errno} in an error completion, and the error number the provider maps it to. Source:
 * {@code prov/efa/src/efa_errno.h} and {@code efa_io_comp_status}.
 */
public enum EfaErrors
{
    /** Local queue pair was destroyed. */
    FLUSHED(1, FabricErrors.ECANCELED, "flushed, the local queue pair was destroyed"),
    /** Local queue pair internal error. */
    LOCAL_QP_INTERNAL(2, FabricErrors.EINVAL, "internal error of the local queue pair"),
    /** Local operation invalid. */
    LOCAL_INVALID_OP(3, FabricErrors.EINVAL, "operation is not valid on the local queue pair"),
    /** Local address handle invalid. */
    LOCAL_INVALID_AH(4, FabricErrors.EINVAL, "local address handle is not valid"),
    /** Local memory key invalid. */
    LOCAL_INVALID_LKEY(5, FabricErrors.EINVAL, "local memory region does not cover the buffer or lacks the access"),
    /** Local length wrong. */
    LOCAL_BAD_LENGTH(6, FabricErrors.EMSGSIZE, "message is longer than the device sends"),
    /** Remote memory key invalid. */
    REMOTE_BAD_ADDRESS(7, FabricErrors.EINVAL, "remote memory region, key, access or address is not valid"),
    /** Remote reset. */
    REMOTE_ABORT(8, FabricErrors.ECONNABORTED, "connection was reset by the remote peer"),
    /** Remote queue pair gone. */
    REMOTE_BAD_DEST_QPN(9, FabricErrors.ENOTCONN, "remote queue pair does not exist, the peer's endpoint is gone"),
    /** Receiver not ready. */
    REMOTE_RNR(10, FabricErrors.ENORX, "receiver not ready, the peer has no receive buffer posted"),
    /** Remote buffer too small. */
    REMOTE_BAD_LENGTH(11, FabricErrors.EMSGSIZE, "remote receive buffer is shorter than the message"),
    /** Remote status bad. */
    REMOTE_BAD_STATUS(12, FabricErrors.EREMOTEIO, "unexpected status from the responder"),
    /** Remote does not answer any more. */
    LOCAL_UNRESPONSIVE_REMOTE(13, FabricErrors.ECONNABORTED, "remote peer became unresponsive"),
    /** Remote does not know us. */
    REMOTE_UNKNOWN_PEER(14, FabricErrors.ENOTCONN, "peer has not inserted this endpoint's address, RMA is refused"),
    /** Remote never answered. */
    LOCAL_UNREACHABLE_REMOTE(15, FabricErrors.EHOSTUNREACH,
        "peer never answered: the security group must allow all traffic to itself, in one subnet"),
    /** Unsolicited write differs. */
    REMOTE_FEATURE_MISMATCH(18, FabricErrors.EINVAL, "peers differ in unsolicited write receive (FI_RX_CQ_DATA)"),
    /** Provider is out of memory. */
    OUT_OF_MEMORY(4105, FabricErrors.ENOMEM, "provider is out of memory"),
    /** Receiver is silent after a handshake. */
    ESTABLISHED_RECV_UNRESP(4124, FabricErrors.ECONNABORTED, "receiver is unresponsive after the handshake"),
    /** Receiver is silent before a handshake. */
    UNESTABLISHED_RECV_UNRESP(4126, FabricErrors.ECONNABORTED, "receiver is unresponsive, no handshake was made"),
    /** Peer gave up. */
    PEER_ABORTED(4127, FabricErrors.ECONNABORTED, "peer aborted the operation");

    private static final int FIRST_SOFTWARE_ERROR = 4096;
    private static final int LAST_SOFTWARE_ERROR = 4127;
    private static final Int2ObjectHashMap<EfaErrors> BY_NUMBER = new Int2ObjectHashMap<>();

    static
    {
        for (final EfaErrors error : values())
        {
            BY_NUMBER.put(error.number, error);
        }
    }

    private final int number;
    private final int errno;
    private final String text;

    EfaErrors(final int number, final int errno, final String text)
    {
        this.number = number;
        this.errno = errno;
        this.text = text;
    }

    /**
     * {@code prov_errno} of the completion.
     *
     * @return number.
     */
    public int number()
    {
        return number;
    }

    /**
     * Error number the provider reports with it.
     *
     * @return positive errno of {@link FabricErrors}.
     */
    public int errno()
    {
        return errno;
    }

    /**
     * What it means.
     *
     * @return text.
     */
    public String text()
    {
        return text;
    }

    /**
     * Find by number.
     *
     * @param providerErrno of a completion.
     * @return the entry, or null for a number that is not known by name.
     */
    public static EfaErrors of(final int providerErrno)
    {
        return BY_NUMBER.get(providerErrno);
    }

    /**
     * Text for any number.
     *
     * @param providerErrno of a completion.
     * @return text with the number in it.
     */
    public static String text(final int providerErrno)
    {
        final EfaErrors error = of(providerErrno);
        if (null != error)
        {
            return "EFA status " + providerErrno + ": " + error.text;
        }
        return providerErrno >= FIRST_SOFTWARE_ERROR && providerErrno <= LAST_SOFTWARE_ERROR ?
            "EFA provider error " + providerErrno : "unknown EFA status " + providerErrno;
    }

    /**
     * Error number for any number.
     *
     * @param providerErrno of a completion.
     * @return positive errno, {@link FabricErrors#EOTHER} where the number is not known by name.
     */
    public static int errno(final int providerErrno)
    {
        final EfaErrors error = of(providerErrno);
        return null != error ? error.errno : FabricErrors.EOTHER;
    }
}
