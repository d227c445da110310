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

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

import io.aeron.archive.ArchiveMarkFile;
import io.aeron.archive.codecs.mark.MarkFileHeaderDecoder;
import io.aeron.archive.codecs.mark.MessageHeaderDecoder;
import io.aeron.exceptions.ConfigurationException;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(120)
class PredecessorTest
{
    @TempDir
    private Path directory;

    @Test
    void oneThatEndsWhileItIsWatchedIsNotInTheWay() throws Exception
    {
        final Path file = directory.resolve(ArchiveMarkFile.FILENAME);
        final byte[] alive;
        try (Rig ignore = new Rig(directory))
        {
            alive = Files.readAllBytes(file);
        }
        final byte[] ended = Files.readAllBytes(file);
        write(file, alive);
        final long startMs = System.currentTimeMillis();
        assertThatCode(() -> Predecessor.await(file.toFile(), Rig.LIMIT_NS, () ->
        {
            write(file, ended);
            return startMs;
        })).doesNotThrowAnyException();
    }

    @Test
    void oneThatRenewsItsMarkAfterTheLastLookIsInTheWay() throws Exception
    {
        final Path file = directory.resolve(ArchiveMarkFile.FILENAME);
        final byte[] alive;
        try (Rig ignore = new Rig(directory))
        {
            alive = Files.readAllBytes(file);
        }
        final byte[] renewed = alive.clone();
        final int offset = MessageHeaderDecoder.ENCODED_LENGTH +
            MarkFileHeaderDecoder.activityTimestampEncodingOffset();
        new UnsafeBuffer(renewed).putLong(offset, System.currentTimeMillis() + 1);
        write(file, alive);
        // By this clock the mark is too old to be looked at again.
        assertThatThrownBy(() -> Predecessor.await(file.toFile(), 1, () ->
        {
            write(file, renewed);
            return Long.MAX_VALUE;
        })).isInstanceOf(ConfigurationException.class).hasMessageContaining("in use by process");
        assertThat(Files.readAllBytes(file)).isEqualTo(renewed);
    }

    private static void write(final Path file, final byte[] bytes)
    {
        try
        {
            Files.write(file, bytes, StandardOpenOption.WRITE);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }
}
