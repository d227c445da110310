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
 * Type ids of the counters of this module, which its clients keep; docs/counters.md has a row for each.
 */
public final class ArchiveCounters
{
    /**
     * Reads of blocks that went on with another archive.
     */
    public static final int FAILOVERS_TYPE_ID = 1210;

    /**
     * Fetches that a read made again, each transfer alone or from an older copy.
     */
    public static final int RETRIES_TYPE_ID = 1211;

    /**
     * Copies of a recording that were begun, or begun again after they had broken off.
     */
    public static final int REPLICATIONS_TYPE_ID = 1212;

    /**
     * Recordings that could not be extended, so that the stream goes to a new one.
     */
    public static final int EXTENSIONS_REFUSED_TYPE_ID = 1213;

    /**
     * Bytes that were read ahead of replays.
     */
    public static final int READ_AHEAD_BYTES_TYPE_ID = 1214;

    /**
     * Ranges whose segment files could not be read ahead.
     */
    public static final int READ_AHEAD_ERRORS_TYPE_ID = 1215;

    /**
     * Position up to which the frames of a running replay were looked at.
     */
    public static final int REPLAY_LIMIT_TYPE_ID = 1216;

    /**
     * Scans of recordings that broke off and were made again.
     */
    public static final int SCANS_AGAIN_TYPE_ID = 1217;

    private ArchiveCounters()
    {
    }
}
