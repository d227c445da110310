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
package io.millrace.bridge.protocol;

import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import io.millrace.codecs.kv.LayerCommitDecoder;
import io.millrace.codecs.kv.TransferCommitDecoder;

/**
 * Compares what senders say of layers and transfers that they have sent with what has come.
 */
final class CommitReader
{
    private final ReceiverAgent agent;
    private final KvCounters counters;

    CommitReader(final ReceiverAgent agent)
    {
        this.agent = agent;
        this.counters = agent.counters;
    }

    /**
     * A layer has been sent.
     */
    void onLayerCommit(final InboundTransfer transfer, final LayerCommitDecoder message)
    {
        final int layer = message.layer();
        if (layer < transfer.layers && transfer.isCommitted[layer])
        {
            counters.increment(KvCounters.Kind.DUPLICATES);
            return;
        }
        final long received = layer == transfer.currentLayer ? transfer.nextOffset : 0;
        if (layer >= transfer.layers || message.bytes() != transfer.layerBytes() || received != transfer.layerBytes())
        {
            agent.fail(transfer, KvError.COMMIT_MISMATCH, transfer.layerBytes(), received, "commit of layer " + layer +
                " names " + message.bytes() + " bytes, " + received + " arrived, the transfer has " + transfer.layers +
                " layers of " + transfer.layerBytes() + " bytes");
            return;
        }

        final int checksum = (int)transfer.crc.getValue();
        transfer.currentLayer = InboundTransfer.NO_LAYER;
        if (transfer.isChecked && checksum != (int)message.checksum())
        {
            onDamagedLayer(transfer, layer, (int)message.checksum(), checksum);
            return;
        }
        transfer.layerChecksums[layer] = (int)message.checksum();
        transfer.isCommitted[layer] = true;
        agent.land(transfer, layer);
    }

    private void onDamagedLayer(
        final InboundTransfer transfer, final int layer, final int expected, final int actual)
    {
        counters.increment(KvCounters.Kind.CHECKSUM_ERRORS);
        final int attempt = ++transfer.attempts[layer];
        if (attempt > agent.ctx.maxLayerRetries())
        {
            agent.fail(transfer, KvError.CHECKSUM_MISMATCH, expected & 0xFFFF_FFFFL, actual & 0xFFFF_FFFFL,
                "layer " + layer + " has CRC-32C " + Integer.toHexString(actual) + ", its sender counted " +
                Integer.toHexString(expected) + ", asked for again " + (attempt - 1) + " times");
            return;
        }

        transfer.retries++;
        if (transfer.isAnswered)
        {
            counters.increment(KvCounters.Kind.RETRIES);
            agent.writer.resume(transfer, layer, attempt, KvError.CHECKSUM_MISMATCH);
        }
    }

    /**
     * All layers have been sent.
     */
    void onTransferCommit(final InboundTransfer transfer, final TransferCommitDecoder message)
    {
        if (transfer.hasArrived())
        {
            counters.increment(KvCounters.Kind.DUPLICATES);
            return;
        }
        // A stream that is sent as it is may leave out what another receiver had.
        final int fromLayer = transfer.isCommitFrom(message.fromLayer()) ? message.fromLayer() : transfer.fromLayer;
        int committed = 0;
        int damaged = 0;
        for (int layer = 0; layer < transfer.layers; layer++)
        {
            committed += transfer.isCommitted[layer] ? 1 : 0;
            damaged += transfer.isDamaged(layer) ? 1 : 0;
        }
        final long bytes = transfer.layerBytes() * (transfer.layers - fromLayer);
        if (damaged > 0 && !transfer.isCommitRepeated)
        {
            agent.failDamaged(transfer);
            return;
        }
        if (committed + damaged != transfer.layers || message.layers() != transfer.layers ||
            message.bytes() != bytes || message.fromLayer() != fromLayer)
        {
            agent.fail(transfer, KvError.COMMIT_MISMATCH, bytes, message.bytes(), "commit names layers " +
                message.fromLayer() + " to " + message.layers() + " of " + message.bytes() +
                " bytes, the transfer has layers " + fromLayer + " to " + transfer.layers + " of " + bytes +
                ", committed were " + committed);
            return;
        }
        if (damaged > 0)
        {
            // Said before the sender could hear of the damage: the repeats bring a commit of their own.
            counters.increment(KvCounters.Kind.DUPLICATES);
            transfer.isCommitPassedOver = true;
            return;
        }

        final int checksum = Checksums.ofLayers(transfer.crc, transfer.layerChecksums, fromLayer);
        if (transfer.isChecked && checksum != (int)message.checksum())
        {
            counters.increment(KvCounters.Kind.CHECKSUM_ERRORS);
            agent.fail(transfer, KvError.CHECKSUM_MISMATCH, message.checksum(), checksum & 0xFFFF_FFFFL,
                "layers' checksums have CRC-32C " + Integer.toHexString(checksum) + ", the commit names " +
                Integer.toHexString((int)message.checksum()));
        }
        else
        {
            transfer.commit(bytes, checksum);
            agent.complete(transfer);
        }
    }
}
