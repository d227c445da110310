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
package io.millrace.archive;

/**
 * What a {@link KvBlockReader} did. Blocks are named by their index in the list of hashes.
 *
 * @param landed    blocks that are in device memory, checked, in rising order.
 * @param missing   blocks that no archive has, to be computed.
 * @param failed    blocks that an archive has and that could not be had in time, to be computed like those missing.
 * @param bytes     that landed.
 * @param bytesRead of recordings that were asked for, in all fetches: whole transfers.
 * @param replays   that were asked for, in all fetches.
 * @param retries   fetches that were made again, each transfer alone or from an older copy.
 * @param failovers archives that were left for the next one.
 * @param errorText what went wrong last, or null.
 */
public record KvRead(int[] landed, int[] missing, int[] failed, long bytes, long bytesRead, int replays, int retries,
    int failovers, String errorText)
{
}
