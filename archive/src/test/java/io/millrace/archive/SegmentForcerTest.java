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
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class SegmentForcerTest
{
    private static final int LENGTH = 100;

    @TempDir
    private Path directory;
    private final List<String> opened = new ArrayList<>();

    @Test
    void forcesTheSegmentsBeforeAPosition() throws IOException
    {
        segments("7-0", "7-100", "7-200", "7-300", "71-100");
        final SegmentForcer forcer = forcer();
        assertThat(forcer.force(7, 100, 201)).isEqualTo(200);
        assertThat(opened).containsExactly("7-100.rec", "7-200.rec");
        assertThat(forcer.force(7, 200, Long.MAX_VALUE)).isEqualTo(300);
    }

    @Test
    void goesOnBehindWhatWasPurged() throws IOException
    {
        segments("7-300", "7-600", "71-100");
        Files.createFile(directory.resolve("7-copy.rec"));
        Files.createFile(directory.resolve("7-99999999999999999999.rec"));
        assertThat(forcer().force(7, 0, 650)).isEqualTo(600);
        assertThat(opened).containsExactly("7-300.rec", "7-600.rec");
        assertThat(forcer().force(8, 100, 650)).isEqualTo(100);
    }

    @Test
    void beginsWithTheLastTwoSegmentsOfAFormerRecording() throws IOException
    {
        segments("7-0", "7-100", "7-200", "7-300", "8-0", "x-0", "9-0", "9-100");
        final SegmentForcer forcer = forcer().withFormerRecordings();
        assertThat(forcer.begin(7, 350)).isEqualTo(200);
        assertThat(forcer.begin(7, 150)).as("cut").isZero();
        assertThat(forcer.begin(8, 350)).isZero();
        assertThat(forcer.begin(9, 350)).isZero();
        assertThat(forcer.begin(10, 350)).as("new").isZero();
        forcer.stopped(10, 300);
        assertThat(forcer.begin(10, 350)).as("extended").isEqualTo(300);
    }

    @Test
    void anArchiveMayHaveNoDirectoryYet()
    {
        final SegmentForcer forcer = new SegmentForcer(directory.resolve("none")).withFormerRecordings();
        assertThat(forcer.begin(0, 100)).isZero();
        assertThatThrownBy(() -> forcer.force(0, 0, 100)).isInstanceOf(IOException.class);
    }

    private SegmentForcer forcer()
    {
        return new SegmentForcer(directory, file ->
        {
            final FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
            opened.add(file.getFileName().toString());
            return channel;
        });
    }

    private void segments(final String... names) throws IOException
    {
        for (final String name : names)
        {
            Files.write(directory.resolve(name + ".rec"), new byte[LENGTH]);
        }
    }
}
