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
 * What an eviction did. Bytes are those of recordings that hold KV streams: frames with headers and padding.
 *
 * @param bytesBefore that were recorded.
 * @param bytesAfter  that are left.
 * @param segments    pieces of recordings that were purged: segments, or what was left of a stopped recording.
 * @param transfers   that the index forgot with them.
 * @param refused     pieces that the archive did not purge, such as those that are being replayed; tried again the next
 *                    time.
 */
public record KvEviction(long bytesBefore, long bytesAfter, int segments, int transfers, int refused)
{
}
