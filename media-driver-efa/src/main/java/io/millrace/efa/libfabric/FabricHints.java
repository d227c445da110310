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

import static io.millrace.efa.libfabric.FabricFlags.AV_TABLE;
import static io.millrace.efa.libfabric.FabricFlags.DELIVERY_COMPLETE;
import static io.millrace.efa.libfabric.FabricFlags.EP_RDM;
import static io.millrace.efa.libfabric.FabricFlags.MODE_CONTEXT;
import static io.millrace.efa.libfabric.FabricFlags.MODE_CONTEXT2;
import static io.millrace.efa.libfabric.FabricFlags.MODE_RX_CQ_DATA;
import static io.millrace.efa.libfabric.FabricFlags.MR_ALLOCATED;
import static io.millrace.efa.libfabric.FabricFlags.MR_LOCAL;
import static io.millrace.efa.libfabric.FabricFlags.MR_PROV_KEY;
import static io.millrace.efa.libfabric.FabricFlags.MR_VIRT_ADDR;
import static io.millrace.efa.libfabric.FabricFlags.MSG;
import static io.millrace.efa.libfabric.FabricFlags.REMOTE_COMM;
import static io.millrace.efa.libfabric.FabricFlags.RMA;
import static io.millrace.efa.libfabric.FabricFlags.THREAD_DOMAIN;
import static io.millrace.efa.libfabric.FabricFlags.THREAD_SAFE;
import static io.millrace.efa.libfabric.FabricLayout.DOMAIN_AV_TYPE;
import static io.millrace.efa.libfabric.FabricLayout.DOMAIN_MR_MODE;
import static io.millrace.efa.libfabric.FabricLayout.DOMAIN_THREADING;
import static io.millrace.efa.libfabric.FabricLayout.EP_TYPE;
import static io.millrace.efa.libfabric.FabricLayout.FABRIC_NAME;
import static io.millrace.efa.libfabric.FabricLayout.FABRIC_PROV_NAME;
import static io.millrace.efa.libfabric.FabricLayout.INFO_CAPS;
import static io.millrace.efa.libfabric.FabricLayout.INFO_DOMAIN_ATTR;
import static io.millrace.efa.libfabric.FabricLayout.INFO_EP_ATTR;
import static io.millrace.efa.libfabric.FabricLayout.INFO_MODE;
import static io.millrace.efa.libfabric.FabricLayout.INFO_TX_ATTR;
import static io.millrace.efa.libfabric.FabricLayout.TX_OP_FLAGS;

/**
 * What {@code fi_getinfo} is asked for.
 *
 * @param providerName to ask for.
 * @param fabricName   to ask for, null for any.
 * @param caps         the application uses.
 * @param mode         bits the application honours.
 * @param threading    the application keeps to.
 * @param opFlags      of every send and write: what their completion means.
 */
record FabricHints(String providerName, String fabricName, long caps, long mode, int threading, long opFlags)
{
    private static final int EFA_MEMORY_MODE = MR_LOCAL | MR_VIRT_ADDR | MR_ALLOCATED | MR_PROV_KEY;

    /**
     * Hints for a software provider: the operations of two threads may meet in its control plane, and libfabric 1.17
     * serialises nothing under weaker levels.
     */
    static FabricHints software(final String providerName)
    {
        return new FabricHints(providerName, null, MSG | RMA, MODE_CONTEXT | MODE_CONTEXT2, THREAD_SAFE, 0);
    }

    /**
     * The same with completions that tell of arrival, as those of EFA do. TCP's would otherwise tell that bytes are in
     * the kernel's buffer: megabytes that no rail choice sees, and on a link that is down none of them arrives.
     */
    FabricHints withDeliveryComplete()
    {
        return new FabricHints(providerName, fabricName, caps, mode, threading, DELIVERY_COMPLETE);
    }

    /**
     * Hints for EFA.
     *
     * @param direct  fabric efa-direct, else efa.
     * @param rma     ask for RMA, which needs a NIC with both RDMA read and write.
     * @param takesRx accept that writes with immediate take a posted receive; fabric efa refuses this mode.
     * @return hints.
     */
    static FabricHints efa(final boolean direct, final boolean rma, final boolean takesRx)
    {
        // The fabric efa would use shm between processes of one host, with other limits, unless only REMOTE_COMM is
        // asked for. Under DOMAIN without unified progress, control calls of other threads stay safe on efa-direct.
        return new FabricHints(
            "efa",
            direct ? "efa-direct" : "efa",
            MSG | (rma ? RMA : 0) | (direct ? 0 : REMOTE_COMM),
            MODE_CONTEXT | MODE_CONTEXT2 | (takesRx ? MODE_RX_CQ_DATA : 0),
            direct ? THREAD_DOMAIN : THREAD_SAFE,
            0);
    }

    /**
     * Write into a structure from {@code fi_dupinfo(NULL)}.
     *
     * @param info to fill; it owns the strings afterwards.
     */
    void writeTo(final FabricInfo info)
    {
        final long address = info.address();
        RawMemory.putLong(address + INFO_CAPS, caps);
        RawMemory.putLong(address + INFO_MODE, mode);
        RawMemory.putInt(RawMemory.getLong(address + INFO_EP_ATTR) + EP_TYPE, EP_RDM);

        if (0 != opFlags)
        {
            RawMemory.putLong(RawMemory.getLong(address + INFO_TX_ATTR) + TX_OP_FLAGS, opFlags);
        }

        final long domain = RawMemory.getLong(address + INFO_DOMAIN_ATTR);
        RawMemory.putInt(domain + DOMAIN_MR_MODE, EFA_MEMORY_MODE);
        RawMemory.putInt(domain + DOMAIN_THREADING, threading);
        RawMemory.putInt(domain + DOMAIN_AV_TYPE, AV_TABLE);

        // fi_freeinfo frees these strings with libc's free.
        RawMemory.putLong(info.fabricAttr() + FABRIC_PROV_NAME, LibC.INSTANCE.strdup(providerName));
        if (null != fabricName)
        {
            RawMemory.putLong(info.fabricAttr() + FABRIC_NAME, LibC.INSTANCE.strdup(fabricName));
        }
    }
}
