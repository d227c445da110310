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
 * Byte offsets of libfabric's structures on LP64, which are the same from 1.17 to 2.7 and on x86_64 and aarch64: later
 * versions only add fields at the end. Source: the headers {@code rdma/fabric.h}, {@code fi_domain.h},
 * {@code fi_endpoint.h}, {@code fi_eq.h}, {@code fi_rma.h}.
 */
final class FabricLayout
{
    // struct fi_info
    static final int INFO_NEXT = 0;
    static final int INFO_CAPS = 8;
    static final int INFO_MODE = 16;
    static final int INFO_ADDR_FORMAT = 24;
    static final int INFO_SRC_ADDRLEN = 32;
    static final int INFO_SRC_ADDR = 48;
    static final int INFO_TX_ATTR = 72;
    static final int INFO_RX_ATTR = 80;
    static final int INFO_EP_ATTR = 88;
    static final int INFO_DOMAIN_ATTR = 96;
    static final int INFO_FABRIC_ATTR = 104;
    static final int INFO_NIC = 112;
    static final int INFO_SIZE = 120;

    // struct fi_tx_attr, struct fi_rx_attr
    static final int TX_OP_FLAGS = 16;
    static final int TX_INJECT_SIZE = 40;
    static final int TX_SIZE = 48;
    static final int RX_SIZE = 48;

    // struct fi_ep_attr
    static final int EP_TYPE = 0;
    static final int EP_MAX_MSG_SIZE = 16;

    // struct fi_domain_attr
    static final int DOMAIN_NAME = 8;
    static final int DOMAIN_THREADING = 16;
    static final int DOMAIN_AV_TYPE = 32;
    static final int DOMAIN_MR_MODE = 36;
    static final int DOMAIN_MR_KEY_SIZE = 40;
    static final int DOMAIN_CQ_DATA_SIZE = 48;
    static final int DOMAIN_MR_CNT = 176;

    // struct fi_fabric_attr
    static final int FABRIC_NAME = 8;
    static final int FABRIC_PROV_NAME = 16;
    static final int FABRIC_PROV_VERSION = 24;

    // struct fid_nic, fi_device_attr, fi_bus_attr, fi_link_attr
    static final int NIC_DEVICE_ATTR = 24;
    static final int NIC_BUS_ATTR = 32;
    static final int NIC_LINK_ATTR = 40;
    static final int DEVICE_NAME = 0;
    static final int BUS_TYPE = 0;
    static final int BUS_PCI_DOMAIN = 4;
    static final int BUS_PCI_BUS = 6;
    static final int BUS_PCI_DEVICE = 7;
    static final int BUS_PCI_FUNCTION = 8;
    static final int LINK_MTU = 8;
    static final int LINK_SPEED = 16;

    // struct fid and the fids that begin with it
    static final int FID_OPS = 16;
    static final int FABRIC_OPS = 24;
    static final int DOMAIN_OPS = 24;
    static final int DOMAIN_MR_OPS = 32;
    static final int EP_OPS = 24;
    static final int EP_CM = 32;
    static final int EP_MSG = 40;
    static final int EP_RMA = 48;
    static final int CQ_OPS = 24;
    static final int AV_OPS = 24;
    static final int EQ_OPS = 24;
    static final int MR_DESC = 24;
    static final int MR_KEY = 32;

    // operation tables; the first word of each is its size in bytes
    static final int OPS_CLOSE = 8;
    static final int OPS_BIND = 16;
    static final int OPS_CONTROL = 24;
    static final int OPS_FABRIC_DOMAIN = 8;
    static final int OPS_FABRIC_EQ_OPEN = 24;
    static final int OPS_DOMAIN_AV_OPEN = 8;
    static final int OPS_DOMAIN_CQ_OPEN = 16;
    static final int OPS_DOMAIN_ENDPOINT = 24;
    static final int OPS_EP_GETOPT = 16;
    static final int OPS_EP_SETOPT = 24;
    static final int OPS_CM_GETNAME = 16;
    static final int OPS_MSG_RECV = 8;
    static final int OPS_MSG_SENDMSG = 48;
    static final int OPS_MSG_SENDDATA = 64;
    static final int OPS_MSG_INJECTDATA = 72;
    static final int OPS_RMA_WRITE = 32;
    static final int OPS_RMA_WRITEDATA = 64;
    static final int OPS_CQ_READ = 8;
    static final int OPS_CQ_READERR = 24;
    static final int OPS_AV_INSERT = 8;
    static final int OPS_AV_REMOVE = 32;
    static final int OPS_MR_REG = 8;
    static final int OPS_EQ_READ = 8;
    static final int OPS_EQ_READERR = 16;

    // struct fi_cq_attr, fi_av_attr
    static final int CQ_ATTR_SIZE = 0;
    static final int CQ_ATTR_FORMAT = 16;
    static final int CQ_ATTR_WAIT_OBJ = 20;
    static final int AV_ATTR_TYPE = 0;
    static final int AV_ATTR_COUNT = 8;

    // struct fi_msg, then the iovec and the descriptor that it points to
    static final int MSG_IOV = 0;
    static final int MSG_DESC = 8;
    static final int MSG_IOV_COUNT = 16;
    static final int MSG_ADDR = 24;
    static final int MSG_CONTEXT = 32;
    static final int MSG_DATA = 40;
    static final int MSG_SIZE = 48;
    static final int IOV_BASE = MSG_SIZE;
    static final int IOV_LENGTH = MSG_SIZE + 8;
    static final int IOV_DESC = MSG_SIZE + 16;

    // struct fi_cq_data_entry
    static final int CQ_ENTRY_CONTEXT = 0;
    static final int CQ_ENTRY_FLAGS = 8;
    static final int CQ_ENTRY_LENGTH = 16;
    static final int CQ_ENTRY_BUFFER = 24;
    static final int CQ_ENTRY_DATA = 32;
    static final int CQ_ENTRY_SIZE = 40;

    // struct fi_cq_err_entry, 80 bytes in 1.17 and 88 in 2.x
    static final int CQ_ERROR_CONTEXT = 0;
    static final int CQ_ERROR_FLAGS = 8;
    static final int CQ_ERROR_LENGTH = 16;
    static final int CQ_ERROR_DATA = 32;
    static final int CQ_ERROR_OVERFLOW_LENGTH = 48;
    static final int CQ_ERROR_ERRNO = 56;
    static final int CQ_ERROR_PROVIDER_ERRNO = 60;
    static final int CQ_ERROR_SRC_ADDR = 80;
    static final int CQ_ERROR_SIZE = 128;

    // struct fi_eq_err_entry
    static final int EQ_ERROR_ERRNO = 24;
    static final int EQ_ERROR_PROVIDER_ERRNO = 28;

    /** Structures that are handed to libfabric are allocated this large, so that a newer version may read its tail. */
    static final int ATTR_SIZE = 256;

    private FabricLayout()
    {
    }
}
