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
package io.millrace.archive.index;

/**
 * A committed KV transfer in a recording.
 *
 * @param recordingId of the recording.
 * @param position    of the frame of its TransferBegin, in bytes of the stream.
 * @param length      bytes up to and with the frame of its TransferCommit; frames of other transfers may lie between.
 * @param transferId  of the stream.
 * @param scope       within which block hashes name the same contents, see {@link #scopeOf}.
 * @param timeMs      epoch milliseconds at which it was indexed.
 * @param layers      of each of its blocks: 0 to layers - 1 of the pipeline stage that its scope names.
 * @param blockBytes  of one block in one layer.
 * @param blockCount  blocks of the transfer.
 * @param checksum    CRC-32C of its TransferCommit, 0 when the sender computed none.
 */
public record StoredTransfer(
    long recordingId,
    long position,
    long length,
    long transferId,
    long scope,
    long timeMs,
    int layers,
    int blockBytes,
    int blockCount,
    int checksum)
{
    private static final long FNV_OFFSET_BASIS = 0xCBF29CE484222325L;
    private static final long FNV_PRIME = 0x100000001B3L;

    /**
     * Scope of block hashes: the 64-bit FNV-1a hash of a text that names model, cache layout and rank.
     *
     * @param text such as that of {@code KvScope}.
     * @return the scope.
     */
    public static long scopeOf(final String text)
    {
        long hash = FNV_OFFSET_BASIS;
        for (int i = 0; i < text.length(); i++)
        {
            hash = (hash ^ text.charAt(i)) * FNV_PRIME;
        }
        return hash;
    }

    /**
     * Where it ends.
     *
     * @return position after the frame of its TransferCommit.
     */
    public long endPosition()
    {
        return position + length;
    }

    boolean overlaps(final long from, final long to)
    {
        return position < to && endPosition() > from;
    }
}
