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
import org.agrona.CloseHelper;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * Holds everything that a run puts into the file system. When the process is told to end, its children are ended first
 * and the directory is removed then. The run keeps a lock in it as long as it lives; a directory whose lock is free
 * belonged to a run that was killed, and the next run removes it.
 */
public final class WorkDirectory implements AutoCloseable
{
    /**
     * Commands whose runs have one: it is named after its command.
     */
    public enum Owner
    {
        /** {@code bench}. */
        BENCH,
        /** {@code demo}. */
        DEMO,
        /** {@code sample disaggregated-prefill}. */
        DISAGGREGATED_PREFILL,
        /** {@code sample embedded-service}. */
        EMBEDDED_SERVICE,
        /** {@code sample market-data}. */
        MARKET_DATA,
        /** {@code archive trace}. */
        TRACE;

        String prefix()
        {
            return "millrace-" + name().toLowerCase(Locale.ROOT).replace('_', '-') + "-";
        }
    }

    // Not found by its prefix: another run would take a directory whose lock is not held yet for an abandoned one.
    private static final String UNFINISHED = "unfinished-";
    private static final long REMOVE_DEADLINE_NS = TimeUnit.SECONDS.toNanos(5);
    private static final long REMOVE_INTERVAL_MS = 20;
    // A thread of this process that made something just before sees that its directory is gone by then.
    private static final long ENDING_INTERVAL_MS = 200;
    // To look at a lock of this process releases it: POSIX locks go when any of the process's descriptors is closed.
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();
    private static final long UNFINISHED_MAX_AGE_MS = TimeUnit.HOURS.toMillis(1);
    private static final String LOCK = "lock";
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    private final Thread hook = new Thread(this::closeAtEnd, "remove-directory");
    private Path path;
    private FileChannel lockChannel;
    private boolean isClosed;

    private WorkDirectory()
    {
    }

    /**
     * Create one.
     *
     * @param owner  of the run.
     * @param parent given by the user, or null for shared memory where there is any.
     * @return the directory.
     * @throws CommandFailure if the parent cannot be written.
     */
    public static WorkDirectory create(final Owner owner, final Path parent)
    {
        final Path base = null != parent ? parent : Files.isDirectory(SHARED_MEMORY) ?
            SHARED_MEMORY : Path.of(System.getProperty("java.io.tmpdir"));
        if (!Files.isDirectory(base))
        {
            throw CommandFailure.usage(
                "directory " + base + (Files.exists(base) ? " is a file" : " does not exist") +
                ": it must be a directory that can be written; create it or name another");
        }
        final WorkDirectory directory = new WorkDirectory();
        Runtime.getRuntime().addShutdownHook(directory.hook);
        try
        {
            // The children have another working directory: a relative name would be another place to them.
            final Path realBase = base.toRealPath();
            removeAbandoned(realBase);
            directory.make(owner, realBase);
            return directory;
        }
        catch (final IOException ex)
        {
            directory.close();
            throw CommandFailure.failed("directory " + base + " cannot be written (" + CommandFailure.reason(ex) +
                "): buffers and recordings need one; mend its permissions, or name another with --dir or " +
                "--archive-dir", ex);
        }
    }

    /**
     * Where it is.
     *
     * @return the directory.
     */
    public Path path()
    {
        return path;
    }

    /**
     * Leave it to the caller to close it when the process is interrupted, after those who write into it have ended.
     */
    public void handOver()
    {
        removeHook();
    }

    private boolean removeHook()
    {
        try
        {
            return Runtime.getRuntime().removeShutdownHook(hook);
        }
        catch (final IllegalStateException ignore)
        {
            // The JVM is ending: the hook runs, or has run.
            return false;
        }
    }

    /**
     * Remove it with all that is in it.
     */
    public synchronized void close()
    {
        if (isClosed)
        {
            return;
        }
        isClosed = true;
        removeHook();
        if (null != path)
        {
            deleteTree(path);
            if (Interruption.happened() && pause(ENDING_INTERVAL_MS))
            {
                deleteTree(path);
            }
            OWN.remove(path);
            CloseHelper.quietClose(lockChannel);
        }
    }

    private void closeAtEnd()
    {
        ChildProcess.endAll();
        close();
    }

    private synchronized void make(final Owner owner, final Path base) throws IOException
    {
        if (isClosed)
        {
            throw CommandFailure.failed("interrupted");
        }
        path = Files.createTempDirectory(base, UNFINISHED + owner.prefix());
        lockChannel = FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        lockChannel.lock();
        // The lock belongs to the open file, whatever its directory is called.
        final String name = path.getFileName().toString();
        final Path finished = base.resolve(name.substring(UNFINISHED.length()));
        OWN.add(finished);
        path = Files.move(path, finished, StandardCopyOption.ATOMIC_MOVE);
    }

    /**
     * Have an orphan remove what is its own, and the rest if it is the last one.
     *
     * @param workDirectory of the run.
     * @param own           directory within it.
     */
    public static void leave(final Path workDirectory, final Path own)
    {
        deleteTree(own);
        final boolean last;
        try (DirectoryStream<Path> others = Files.newDirectoryStream(workDirectory, Files::isDirectory))
        {
            last = !others.iterator().hasNext();
        }
        catch (final IOException ignore)
        {
            // The other one was the last.
            return;
        }
        if (last)
        {
            deleteTree(workDirectory);
        }
    }

    private static void removeAbandoned(final Path base)
    {
        for (final Owner owner : Owner.values())
        {
            removeAbandoned(base, owner.prefix(), WorkDirectory::isAbandoned);
            removeAbandoned(base, UNFINISHED + owner.prefix(), WorkDirectory::isOld);
        }
    }

    private static void removeAbandoned(final Path base, final String prefix, final Predicate<Path> isAbandoned)
    {
        try (DirectoryStream<Path> directories = Files.newDirectoryStream(base, prefix + "[0-9]*"))
        {
            for (final Path directory : directories)
            {
                if (!OWN.contains(directory) && isAbandoned.test(directory))
                {
                    deleteTree(directory);
                }
            }
        }
        catch (final IOException ignore)
        {
            // Tidying up after others is a courtesy: a run does not depend on it.
        }
    }

    private static boolean isAbandoned(final Path directory)
    {
        try (FileChannel channel = FileChannel.open(directory.resolve(LOCK), StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock())
        {
            return null != lock;
        }
        catch (final IOException | OverlappingFileLockException ignore)
        {
            // No lock file any more: its run is just removing it. Or the directory is another user's.
            return false;
        }
    }

    private static boolean isOld(final Path directory)
    {
        final long ageMs = System.currentTimeMillis() - directory.toFile().lastModified();
        return ageMs > UNFINISHED_MAX_AGE_MS && Files.isWritable(directory);
    }

    /**
     * Remove a directory with all that is in it, again while others still write into it, for 5 s at most. What cannot
     * be removed is named on standard error.
     *
     * @param directory to remove.
     */
    public static void deleteTree(final Path directory)
    {
        final long deadlineNs = System.nanoTime() + REMOVE_DEADLINE_NS;
        IOException failure;
        while (null != (failure = tryDelete(directory)))
        {
            if (System.nanoTime() - deadlineNs > 0 || !pause(REMOVE_INTERVAL_MS))
            {
                System.err.println("millrace: could not remove " + directory + " (" + CommandFailure.reason(failure) +
                    "): remove it by hand");
                return;
            }
        }
    }

    private static IOException tryDelete(final Path directory)
    {
        try
        {
            Files.walkFileTree(directory, new SimpleFileVisitor<>()
            {
                public FileVisitResult visitFile(final Path file, final BasicFileAttributes attributes)
                    throws IOException
                {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                public FileVisitResult visitFileFailed(final Path file, final IOException ex) throws IOException
                {
                    // Removed by its owner in the meantime.
                    if (ex instanceof NoSuchFileException)
                    {
                        return FileVisitResult.CONTINUE;
                    }
                    throw ex;
                }

                public FileVisitResult postVisitDirectory(final Path visited, final IOException ex) throws IOException
                {
                    Files.deleteIfExists(visited);
                    return FileVisitResult.CONTINUE;
                }
            });
        }
        catch (final IOException ex)
        {
            return ex;
        }
        return null;
    }

    private static boolean pause(final long milliseconds)
    {
        try
        {
            TimeUnit.MILLISECONDS.sleep(milliseconds);
            return true;
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
