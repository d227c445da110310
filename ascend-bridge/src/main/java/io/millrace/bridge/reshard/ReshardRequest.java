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
package io.millrace.bridge.reshard;

import java.util.HashMap;
import java.util.Map;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvInboundTransfer;
import io.millrace.bridge.KvTransferInfo;

/**
 * A request whose transfers come from several source ranks. Guarded by its receiver.
 */
final class ReshardRequest
{
    /**
     * A source rank's transfer. A sender that was restarted goes on with it under an id of its own.
     */
    static final class Source
    {
        boolean isGranted;
        KvInboundTransfer transfer;
        private long transferId;
        private boolean isEnded;

        /**
         * Until one has blocks, the transfer that asked last is the rank's.
         */
        boolean isOf(final long newTransferId)
        {
            if (!isGranted && !isEnded)
            {
                transferId = newTransferId;
            }
            return transferId() == newTransferId;
        }

        private long transferId()
        {
            return null == transfer ? transferId : transfer.info().transferId();
        }
    }

    final int tpSize;
    final int tokenCount;
    final int sourceRanks;
    final long deadlineNs;

    /**
     * Source ranks whose part of a layer landed.
     */
    final int[] landed;
    KvBlocks blocks;

    /**
     * Transfers that have blocks.
     */
    int open;
    int ended;
    boolean isFailed;
    private final Map<Integer, Source> sources = new HashMap<>();

    ReshardRequest(final KvTransferInfo info, final int sourceRanks, final long deadlineNs)
    {
        this.tpSize = info.tpSize();
        this.tokenCount = info.tokenCount();
        this.sourceRanks = sourceRanks;
        this.deadlineNs = deadlineNs;
        this.landed = new int[info.layout().layers()];
        source(info.tpRank()).transferId = info.transferId();
    }

    Source source(final int tpRank)
    {
        return sources.computeIfAbsent(tpRank, ignored -> new Source());
    }

    /**
     * Source ranks whose transfer began.
     */
    int begun()
    {
        return sources.size();
    }

    /**
     * A transfer ended.
     *
     * @return false when it is none of this request's.
     */
    boolean end(final long transferId)
    {
        for (final Source source : sources.values())
        {
            if (source.transferId() == transferId)
            {
                source.isEnded = true;
                return true;
            }
        }
        return false;
    }

    void cancel()
    {
        sources.values().stream().filter(source -> null != source.transfer)
            .forEach(source -> source.transfer.cancel());
    }
}
