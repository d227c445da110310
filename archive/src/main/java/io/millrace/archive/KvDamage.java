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
 * A segment of a recording that cannot be read whole. None of its blocks is served.
 *
 * @param recordingId of the recording.
 * @param segmentFile name of the file within the archive's directory.
 * @param position    of the first frame that could not be read.
 * @param error       CHECKSUM_MISMATCH, BAD_FRAME, TRUNCATED, or REFUSED for another reason.
 * @param text        of the archive.
 */
public record KvDamage(long recordingId, String segmentFile, long position, KvArchiveError error, String text)
{
}
