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
package io.millrace.samples.demo;

import io.millrace.samples.failure.CommandFailure;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * What is checked about the machine before anything starts.
 */
class MachineTest
{
    private static final int MORE_RAILS_THAN_MEMORY = 1_000_000;

    @TempDir
    private Path directory;

    @Test
    void removesTheDirectoryOfARunThatWasKilledAndKeepsThatOfOneThatLives() throws IOException
    {
        final Path killed = Files.createDirectories(directory.resolve("millrace-bench-17/prefill"));
        Files.createFile(killed.resolve("cnc.dat"));
        Files.createFile(killed.getParent().resolve("lock"));
        final Path starting = Files.createDirectory(directory.resolve("millrace-demo-18"));

        try (WorkDirectory living = WorkDirectory.create(WorkDirectory.Owner.DEMO, directory))
        {
            assertThat(killed.getParent()).doesNotExist();
            assertThat(starting).exists();
            try (WorkDirectory second = WorkDirectory.create(WorkDirectory.Owner.DEMO, directory))
            {
                assertThat(living.path()).exists();
                assertThat(second.path()).exists().isNotEqualTo(living.path());
            }
        }
        assertThat(directory).isDirectoryNotContaining((path) -> !path.equals(starting));
    }

    @Test
    void anotherProcessSeesTheLockOfEachOfTwoDirectories() throws Exception
    {
        try (WorkDirectory first = WorkDirectory.create(WorkDirectory.Owner.DEMO, directory);
            WorkDirectory second = WorkDirectory.create(WorkDirectory.Owner.DEMO, directory))
        {
            for (final WorkDirectory held : List.of(first, second))
            {
                final Process other = new ProcessBuilder(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-cp", System.getProperty("java.class.path"),
                    TryLock.class.getName(), held.path().resolve("lock").toString()).inheritIO().start();
                assertThat(other.waitFor(30, TimeUnit.SECONDS)).isTrue();
                assertThat(other.exitValue()).isEqualTo(TryLock.REFUSED);
            }
        }
    }

    @Test
    void removesAnUnfinishedDirectoryOnceItIsOld() throws IOException
    {
        final Path old = Files.createDirectory(directory.resolve("unfinished-millrace-demo-1"));
        final Path young = Files.createDirectory(directory.resolve("unfinished-millrace-demo-2"));
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
        WorkDirectory.create(WorkDirectory.Owner.DEMO, directory).close();
        assertThat(directory).isDirectoryContaining((path) -> path.equals(young));
        assertThat(old).doesNotExist();
    }

    /**
     * Another process that wants a lock.
     */
    static final class TryLock
    {
        static final int REFUSED = 17;

        private TryLock()
        {
        }

        /**
         * Try it.
         *
         * @param args the lock file.
         */
        public static void main(final String[] args) throws IOException
        {
            try (FileChannel channel = FileChannel.open(Path.of(args[0]), StandardOpenOption.WRITE))
            {
                System.exit(null == channel.tryLock() ? REFUSED : 0);
            }
        }
    }

    @Test
    void refusesADirectoryThatCannotBeWritten()
    {
        // Not even root creates files in /proc.
        assertThatThrownBy(() -> WorkDirectory.create(WorkDirectory.Owner.DEMO, Path.of("/proc")))
            .isInstanceOf(CommandFailure.class)
            .hasMessageContaining("/proc cannot be written")
            .hasMessageContaining("--dir");
    }

    @Test
    void refusesADirectoryThatIsNotThere()
    {
        assertThatThrownBy(() -> WorkDirectory.create(WorkDirectory.Owner.DEMO, directory.resolve("absent")))
            .isInstanceOf(CommandFailure.class)
            .hasMessageContaining("absent does not exist");
    }

    @Test
    void choosesTermBuffersThatFit()
    {
        assertThat(StorageCheck.termLength(directory, 0, false))
            .isBetween(StorageCheck.MIN_TERM_LENGTH, StorageCheck.MAX_TERM_LENGTH);
    }

    @Test
    void namesFreeAndNeededSpaceWhenNothingFits()
    {
        assertThatThrownBy(() -> StorageCheck.termLength(Path.of("/dev/shm"), MORE_RAILS_THAN_MEMORY, false))
            .isInstanceOf(CommandFailure.class)
            .hasMessageMatching("/dev/shm has \\d+ MiB free: the demonstration needs 72\\d+ MiB there; make room.*");
    }

    @Test
    void refusesARequestLargerThanMemory()
    {
        assertThatThrownBy(() -> MachineCheck.memory(1L << 47, Integer.MAX_VALUE, 100_000_000))
            .isInstanceOf(CommandFailure.class)
            .hasMessageContaining("100000000 tokens")
            .hasMessageContaining("--model");
        MachineCheck.memory(1 << 20, 1, 128);
    }
}
