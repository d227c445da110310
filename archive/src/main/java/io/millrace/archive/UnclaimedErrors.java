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

import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.function.Consumer;

import io.aeron.archive.client.ArchiveException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Errors of a session that came while the answer to another request was waited for: whoever replays asks for them.
 */
final class UnclaimedErrors
{
    static final int MAX = 64;

    private static final Logger LOGGER = LoggerFactory.getLogger(ArchiveSession.class);

    private final Queue<String> texts = new ArrayBlockingQueue<>(MAX);

    /**
     * Keep an error, and log what is of no replay, or too much to keep.
     */
    void add(final Throwable error)
    {
        final boolean isOfArchive = error instanceof ArchiveException && null != error.getMessage();
        final String text = isOfArchive ? error.getMessage() : String.valueOf(error);
        if (!texts.offer(text) || !ReplayErrors.isOfReplay(text))
        {
            LOGGER.warn("archive session: {}", text, isOfArchive ? null : error);
        }
    }

    /**
     * Take the oldest.
     *
     * @return its text, or null.
     */
    String poll()
    {
        return texts.poll();
    }

    /**
     * Take what the archive told a session of its own accord, the oldest first, and no more than is kept: a session
     * that is not connected says so each time that it is asked.
     */
    static void drain(final ArchiveSession session, final Consumer<String> consumer)
    {
        for (int i = 0; i < MAX; i++)
        {
            final String text = session.pollError();
            if (null == text)
            {
                return;
            }
            consumer.accept(text);
        }
    }
}
