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
 * Why a request to the archive was refused, or a recording or replay ended.
 */
public enum KvArchiveError
{
    /**
     * Nothing is wrong.
     */
    NONE,

    /**
     * The archive has no recording of that id.
     */
    UNKNOWN_RECORDING,

    /**
     * A position or length outside of what is recorded, or one that is not at the start of a frame.
     */
    OUT_OF_RANGE,

    /**
     * Recorded bytes do not match the checksum that was recorded with them.
     */
    CHECKSUM_MISMATCH,

    /**
     * A frame on disk is of a type that no recording has.
     */
    BAD_FRAME,

    /**
     * A segment file is absent or shorter than the catalog says.
     */
    TRUNCATED,

    /**
     * The recording stopped before what was waited for.
     */
    STOPPED,

    /**
     * The time for a wait is over.
     */
    DEADLINE,

    /**
     * No archive answers, or the one that did ended.
     */
    ARCHIVE_GONE,

    /**
     * The archive's disk is full, or below the archive's threshold of free space.
     */
    DISK_FULL,

    /**
     * Somebody asked for it.
     */
    CANCELED,

    /**
     * The archive refused or failed for another reason, which the text tells.
     */
    REFUSED
}
