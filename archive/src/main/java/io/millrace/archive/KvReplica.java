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

import io.aeron.Aeron;

/**
 * How far a recording is copied to another archive.
 *
 * @param sourceRecordingId of the recording.
 * @param recordingId       of the copy, {@link Aeron#NULL_VALUE} before there is one.
 * @param sourcePosition    up to which the source is recorded, in bytes.
 * @param position          up to which it is copied, in bytes.
 * @param isRunning         true while bytes are on their way, or awaited from an active recording.
 * @param errorText         why it cannot go on or broke off last, or null.
 */
public record KvReplica(
    long sourceRecordingId, long recordingId, long sourcePosition, long position, boolean isRunning, String errorText)
{
    /**
     * Is all copied that the source has.
     *
     * @return true if so.
     */
    public boolean isSynced()
    {
        return Aeron.NULL_VALUE != recordingId && position >= sourcePosition;
    }
}
