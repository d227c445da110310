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

import io.aeron.archive.client.ArchiveException;

/**
 * Turns the archive's codes and texts into errors with a remedy. The archive has no code for damage on disk, only text.
 */
final class ArchiveErrors
{
    private ArchiveErrors()
    {
    }

    static KvArchiveException of(final String what, final ArchiveException ex)
    {
        return exception(switch (ex.errorCode())
        {
            case ArchiveException.UNKNOWN_RECORDING -> KvArchiveError.UNKNOWN_RECORDING;
            case ArchiveException.INVALID_POSITION, ArchiveException.EMPTY_RECORDING -> KvArchiveError.OUT_OF_RANGE;
            case ArchiveException.STORAGE_SPACE -> KvArchiveError.DISK_FULL;
            default -> ofText(ex.getMessage());
        }, what + ": " + ex.getMessage(), ex);
    }

    static KvArchiveError ofText(final String text)
    {
        if (text.contains("checksum mismatch"))
        {
            return KvArchiveError.CHECKSUM_MISMATCH;
        }
        if (text.contains("unexpected end of recording") || text.contains("segment not found") ||
            text.contains("segment file not created"))
        {
            return KvArchiveError.TRUNCATED;
        }
        if (text.contains("No space left on device") || text.contains("low storage threshold"))
        {
            return KvArchiveError.DISK_FULL;
        }
        return text.contains("not connected") ? KvArchiveError.ARCHIVE_GONE : KvArchiveError.REFUSED;
    }

    static KvArchiveException exception(final KvArchiveError error, final String text, final Throwable cause)
    {
        return new KvArchiveException(error, withRemedy(error, text), cause);
    }

    static String withRemedy(final KvArchiveError error, final String text)
    {
        return text + switch (error)
        {
            case UNKNOWN_RECORDING -> ": use an id that ./millrace archive ls lists";
            case OUT_OF_RANGE -> ": use positions at frame starts between the recording's start and its position";
            case CHECKSUM_MISMATCH ->
                ": restore the segment file from a copy, or replay around the damage; nothing of it was served";
            case BAD_FRAME -> ", no frame as it was recorded, and an archive hangs at it: restore the segment " +
                "file from a copy, or purge up to the next one";
            case TRUNCATED -> ": restore the segment file from a copy, or replay a range before or after it";
            case DISK_FULL -> ": make room on the archive's disk, such as by ./millrace archive purge, then record " +
                "again; what was recorded stays";
            case ARCHIVE_GONE -> ": start the archive again, then connect again";
            default -> "";
        };
    }
}
