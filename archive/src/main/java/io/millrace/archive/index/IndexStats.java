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
 * Figures of an index.
 *
 * @param transfers      that are stored.
 * @param blocks         different ones that are stored.
 * @param fileBytes      of the file.
 * @param liveBytes      of the file that tell what is stored; the rest goes at the next compaction.
 * @param memoryBytes    of its tables, in and outside of the heap.
 * @param discardedBytes of the file that could not be used when it was opened.
 */
public record IndexStats(
    long transfers, long blocks, long fileBytes, long liveBytes, long memoryBytes, long discardedBytes)
{
}
