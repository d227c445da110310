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
package io.millrace.tests;

import com.fasterxml.jackson.databind.JsonNode;
import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.millrace.archive.KvArchive;
import io.millrace.archive.KvRecordingInfo;
import io.millrace.archive.MillraceArchive;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * {@code ./millrace archive record --resume} as a command: a stream that goes on where its recording stopped goes on in
 * the same recording.
 */
@Timeout(300)
class ArchiveResumeCommandTest
{
    private static final String CHANNEL = "aeron:ipc?term-length=64k";
    private static final int STREAM_ID = 17;
    private static final int MESSAGES = 20;
    private static final int MESSAGE_BYTES = 1000;

    @TempDir
    private Path directory;

    @Test
    void goesOnInTheNewestRecordingOfTheStream() throws IOException
    {
        try (MillraceArchive archive = MillraceArchive.launch(
            Rails.driverContext(), Rails.archiveContext(directory.resolve("archive")));
            KvArchive client = KvArchive.connect(archive.clientContext()))
        {
            final JsonNode first = record(client, CHANNEL);
            assertThat(first.get("recordingId").asLong()).isZero();
            final long position = first.get("stopPosition").asLong();
            assertThat(position).isGreaterThan(MESSAGES * MESSAGE_BYTES);

            final JsonNode second = record(client, client.find(0).continuation());
            assertThat(second.get("recordingId").asLong()).isZero();
            assertThat(second.get("startPosition").asLong()).isZero();
            assertThat(second.get("stopPosition").asLong()).isEqualTo(2 * position);

            // A stream that begins anew is another recording.
            final JsonNode third = record(client, CHANNEL);
            assertThat(third.get("recordingId").asLong()).isEqualTo(1);
            assertThat(third.get("stopPosition").asLong()).isEqualTo(position);
            assertThat(client.list(0, 10)).hasSize(2);
        }
    }

    private JsonNode record(final KvArchive client, final String publishTo) throws IOException
    {
        final Aeron aeron = client.context().aeron();
        try (Tool tool = Tool.start(directory, Map.of(), "archive", "record", CHANNEL, Integer.toString(STREAM_ID),
            "--resume", "--json", "--dir", aeron.context().aeronDirectoryName());
            ExclusivePublication publication = aeron.addExclusivePublication(publishTo, STREAM_ID))
        {
            tool.awaitTrue("a recording", () -> client.list(0, 10).stream().anyMatch(KvRecordingInfo::isActive));
            final UnsafeBuffer message = new UnsafeBuffer(new byte[MESSAGE_BYTES]);
            for (int i = 0; i < MESSAGES; i++)
            {
                tool.awaitTrue("room", () -> publication.offer(message) > 0);
            }
            publication.close();
            assertThat(tool.awaitStatus()).as(tool::toString).isZero();
            return tool.json();
        }
    }
}
