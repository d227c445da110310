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
 * Bits and enumeration values of libfabric that this binding uses. Source: {@code rdma/fabric.h}, {@code fi_domain.h},
 * {@code fi_eq.h}, {@code fi_ext.h}.
 */
public final class FabricFlags
{
    /** Completion or capability of the message interface, {@code FI_MSG}. */
    public static final long MSG = 1L << 1;
    /** Completion or capability of the RMA interface, {@code FI_RMA}. */
    public static final long RMA = 1L << 2;
    /** {@code FI_READ}. */
    public static final long READ = 1L << 8;
    /** {@code FI_WRITE}. */
    public static final long WRITE = 1L << 9;
    /** {@code FI_RECV}. */
    public static final long RECV = 1L << 10;
    /** {@code FI_SEND}, which is also {@code FI_TRANSMIT}. */
    public static final long SEND = 1L << 11;
    /** {@code FI_REMOTE_READ}. */
    public static final long REMOTE_READ = 1L << 12;
    /** {@code FI_REMOTE_WRITE}. */
    public static final long REMOTE_WRITE = 1L << 13;
    /** The completion carries an immediate, {@code FI_REMOTE_CQ_DATA}. */
    public static final long REMOTE_CQ_DATA = 1L << 17;

    /** An operation gives a completion. */
    static final long COMPLETION = 1L << 24;
    /** Completion of a send when the message is at the peer's application. */
    static final long DELIVERY_COMPLETE = 1L << 28;
    static final long REMOTE_COMM = 1L << 52;
    static final long MODE_CONTEXT = 1L << 59;
    static final long MODE_CONTEXT2 = 1L << 52;
    static final long MODE_RX_CQ_DATA = 1L << 56;

    static final int MR_BASIC = 1;
    static final int MR_LOCAL = 1 << 2;
    static final int MR_VIRT_ADDR = 1 << 4;
    static final int MR_ALLOCATED = 1 << 5;
    static final int MR_PROV_KEY = 1 << 6;

    static final int EP_RDM = 3;
    static final int AV_TABLE = 2;
    static final int THREAD_SAFE = 1;
    static final int THREAD_DOMAIN = 3;
    static final int CQ_FORMAT_DATA = 3;
    static final int WAIT_NONE = 0;
    static final int CONTROL_ENABLE = 6;
    static final int ADDR_STR = 9;
    static final int BUS_PCI = 2;

    static final int OPT_ENDPOINT = 0;
    static final int OPT_SHARED_MEMORY_PERMITTED = 11;
    static final int OPT_MAX_MSG_SIZE = 12;
    static final int OPT_MAX_RMA_SIZE = 14;
    static final int OPT_INJECT_MSG_SIZE = 16;
    static final int OPT_EFA_RNR_RETRY = -251265024;

    private FabricFlags()
    {
    }

    /**
     * {@code FI_VERSION(major, minor)}.
     *
     * @param major version.
     * @param minor version.
     * @return the version as libfabric packs it.
     */
    public static int version(final int major, final int minor)
    {
        return major << 16 | minor;
    }
}
