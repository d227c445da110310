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

/**
 * What a TransferBegin told.
 *
 * @param transferId of the stream.
 * @param requestId  of the serving system.
 * @param modelTag   may be empty.
 * @param layout     of the source's cache.
 * @param blockCount of the request.
 * @param tokenCount that are valid.
 * @param totalBytes of all layers.
 * @param tpRank     tensor-parallel rank of the source.
 * @param tpSize     tensor-parallel size of the source.
 * @param ppRank     pipeline-parallel rank of the source.
 * @param ppSize     pipeline-parallel size of the source.
 * @param sessionId  of the Aeron image.
 * @param attempt    0, then one more after each break of the stream.
 * @param policy     of the sender for the case that the transfer fails.
 */
public record KvTransferInfo(
    long transferId,
    long requestId,
    String modelTag,
    KvLayout layout,
    int blockCount,
    int tokenCount,
    long totalBytes,
    int tpRank,
    int tpSize,
    int ppRank,
    int ppSize,
    int sessionId,
    int attempt,
    KvFailurePolicy policy)
{
}
