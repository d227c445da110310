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
package io.millrace.samples.bench;

import java.nio.file.Path;

/**
 * What the user asked of a pass of a trace through an archive.
 *
 * @param trace             file of requests with {@code hash_ids}.
 * @param share             of its requests, over 0 to 1.
 * @param model             such as 1x1x16.
 * @param tokensPerBlock    of one of its ids.
 * @param isStock           whether the drivers are Aeron's own instead of Millrace's.
 * @param protocol          word for Millrace's drivers, or null for their default.
 * @param capacityBytes     of recordings.
 * @param segmentBytes      of a segment file, the unit of eviction.
 * @param recordingBytes    from which on another recording is begun.
 * @param blocksPerTransfer at most.
 * @param directory         for the drivers' files, or null for shared memory.
 * @param archiveDirectory  for what is recorded.
 */
public record TracePassOptions(
    Path trace,
    double share,
    String model,
    int tokensPerBlock,
    boolean isStock,
    String protocol,
    long capacityBytes,
    int segmentBytes,
    long recordingBytes,
    int blocksPerTransfer,
    Path directory,
    Path archiveDirectory)
{
}
