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

import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.aeron.Aeron;
import org.agrona.collections.Int2ObjectHashMap;

/**
 * What an archive told a session of its own accord, by the replay that it is of. It may tell of a replay before the one
 * who asked for it is known to whoever listens.
 */
final class ReplayErrors
{
    private static final Pattern REPLAY_SESSION_ID = Pattern.compile("replaySessionId=(-?\\d+)");

    // Of what came while an answer to another request was waited for.
    private static final Pattern PREFIX = Pattern.compile("^.*correlationId=-?\\d+, error: ");

    private final Int2ObjectHashMap<String> textBySessionId = new Int2ObjectHashMap<>();
    private String textOfAll;

    /**
     * Take what the archive told since the last time.
     */
    void poll(final ArchiveSession session)
    {
        textOfAll = null;
        UnclaimedErrors.drain(session, this::add);
    }

    private void add(final String text)
    {
        final long replayId = replayId(text);
        final String reason = PREFIX.matcher(text).replaceFirst("");
        if (Aeron.NULL_VALUE == replayId)
        {
            textOfAll = reason;
        }
        else
        {
            // The archive's id of a replay has the session id of its publication in its lower half.
            textBySessionId.put((int)replayId, reason);
        }
    }

    /**
     * What is wrong with a replay.
     *
     * @param sessionId of its publication.
     * @return text that names it, else the last one if that names none, or null.
     */
    String of(final int sessionId)
    {
        final String text = textBySessionId.get(sessionId);
        return null == text ? textOfAll : text;
    }

    static boolean isOfReplay(final String text)
    {
        return Aeron.NULL_VALUE != replayId(text);
    }

    private static long replayId(final String text)
    {
        final Matcher matcher = REPLAY_SESSION_ID.matcher(text);
        return matcher.find() ? Long.parseLong(matcher.group(1)) : Aeron.NULL_VALUE;
    }
}
