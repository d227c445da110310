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
package io.millrace.bridge.registry;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumSet;
import java.util.Set;

import org.agrona.BufferUtil;
import org.agrona.CloseHelper;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A mapped file with a header and, for clients, a table of buffers. The client writes the first half of an entry, the
 * server the second; each publishes with a release store of the half's first field, in the machine's byte order.
 * <pre>
 * header, 4096 bytes:  0 magic  8 version  16 incarnation  24 heartbeat  32 entries  36 lifecycle
 * entry, 1024 bytes:   0 wanted  4 kind  8 offset  16 length  24 generation  32 source length  36 source  508 renewals
 *                    512 status 520 generation 528 incarnation 536 address 544 text length 548 text
 * </pre>
 */
final class RegistryFile implements AutoCloseable
{
    static final String CLIENT_SUFFIX = ".client";
    static final String SERVER_NAME = "server";
    static final int MAX_ENTRIES = 1024;
    static final int MAX_SOURCE_LENGTH = 470;

    static final int FREE = 0;
    static final int MAP = 1;
    static final int UNMAP = 2;

    /**
     * The client will come back when it starts again.
     */
    static final int KEPT = 0;

    /**
     * The client wants nothing any more.
     */
    static final int CLOSED = 1;

    /**
     * The path does not lead here any more.
     */
    static final int DELETED = 2;

    static final int NONE = 0;
    static final int MAPPED = 1;
    static final int REFUSED = 2;
    static final int UNMAPPED = 3;

    /**
     * A lock may be taken for the moment in which another looks whether it is free.
     */
    static final int LOCK_ATTEMPTS = 100;
    static final long LOCK_PARK_NS = 1_000_000;

    private static final long MAGIC = 0x4D494C4C52454731L;
    private static final int VERSION = 1;
    private static final int HEADER_LENGTH = 4096;
    private static final int ENTRY_LENGTH = 1024;
    private static final int MAX_TEXT_LENGTH = 470;

    private static final int VERSION_OFFSET = 8;
    private static final int INCARNATION_OFFSET = 16;
    private static final int HEARTBEAT_OFFSET = 24;
    private static final int ENTRIES_OFFSET = 32;
    private static final int LIFECYCLE_OFFSET = 36;

    private static final int KIND_OFFSET = 4;
    private static final int FILE_OFFSET_OFFSET = 8;
    private static final int LENGTH_OFFSET = 16;
    private static final int GENERATION_OFFSET = 24;
    private static final int SOURCE_OFFSET = 32;
    private static final int RENEWALS_OFFSET = 508;
    private static final int STATUS_OFFSET = 512;
    private static final int STATUS_GENERATION_OFFSET = 520;
    private static final int STATUS_INCARNATION_OFFSET = 528;
    private static final int ADDRESS_OFFSET = 536;
    private static final int TEXT_OFFSET = 544;

    private final Path path;
    private final FileChannel channel;
    private final MappedByteBuffer mapping;
    private final UnsafeBuffer buffer;
    private FileLock lock;
    private boolean isChecked;

    private RegistryFile(final Path path, final FileChannel channel, final MappedByteBuffer mapping)
    {
        this.path = path;
        this.channel = channel;
        this.mapping = mapping;
        this.buffer = new UnsafeBuffer(mapping);
    }

    /**
     * Map a file, made and zeroed where it is not there.
     *
     * @param entries to make it with.
     * @throws IllegalStateException when it is another kind of file, which is left as it is.
     */
    static RegistryFile open(final Path path, final int entries)
    {
        return map(path, entries, true);
    }

    /**
     * Map a file that another makes.
     *
     * @param entries that it must have.
     * @return null while it is being made, or when it is gone.
     * @throws IllegalStateException when it is another kind of file, which is left as it is.
     */
    static RegistryFile openMade(final Path path, final int entries)
    {
        return map(path, entries, false);
    }

    private static RegistryFile map(final Path path, final int entries, final boolean isMaker)
    {
        final Set<StandardOpenOption> options = EnumSet.of(StandardOpenOption.READ, StandardOpenOption.WRITE);
        if (isMaker)
        {
            options.add(StandardOpenOption.CREATE);
        }
        RegistryFile file = null;
        FileChannel channel = null;
        try
        {
            channel = FileChannel.open(path, options);
            final int length = HEADER_LENGTH + entries * ENTRY_LENGTH;
            final long size = channel.size();
            if (0 != size && size < length)
            {
                throw new IllegalStateException(
                    path + " has " + size + " bytes, not " + length + ": no other files belong here");
            }
            if (0 != size || isMaker)
            {
                // Made long enough in one step, so that no other sees a shorter one.
                file = new RegistryFile(path, channel, channel.map(FileChannel.MapMode.READ_WRITE, 0, length));
                return isMaker || 0 != file.buffer.getLongVolatile(0) ? file.checked(entries) : null;
            }
            return null;
        }
        catch (final IOException ex)
        {
            if (!isMaker && ex instanceof NoSuchFileException)
            {
                return null;
            }
            throw new UncheckedIOException("registry file " + path + " cannot be used: " + ex.getMessage(), ex);
        }
        finally
        {
            if (null == file || !file.isChecked)
            {
                CloseHelper.close(null == file ? channel : file);
            }
        }
    }

    private RegistryFile checked(final int entries)
    {
        if (0 == buffer.getLongVolatile(0))
        {
            buffer.compareAndSetInt(VERSION_OFFSET, 0, VERSION);
            buffer.compareAndSetInt(ENTRIES_OFFSET, 0, entries);
            buffer.compareAndSetLong(0, 0, MAGIC);
        }
        if (MAGIC != buffer.getLongVolatile(0) || VERSION != buffer.getIntVolatile(VERSION_OFFSET) ||
            entries != buffer.getIntVolatile(ENTRIES_OFFSET))
        {
            throw new IllegalStateException(path + " has magic 0x" + Long.toHexString(buffer.getLong(0)) +
                ", version " + buffer.getInt(VERSION_OFFSET) + " and " + buffer.getInt(ENTRIES_OFFSET) +
                " entries, not 0x" + Long.toHexString(MAGIC) + ", " + VERSION + " and " + entries +
                ": use the same version on both sides");
        }
        isChecked = true;
        return this;
    }

    /**
     * Does a live process own the file.
     */
    boolean isLocked()
    {
        if (tryLock())
        {
            unlock();
            return false;
        }
        return true;
    }

    /**
     * Own the file until it is closed, or this process ends in whatever way.
     *
     * @return false when another owns it.
     */
    boolean tryLock()
    {
        try
        {
            lock = channel.tryLock();
        }
        catch (final OverlappingFileLockException ex)
        {
            return false;
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
        return null != lock;
    }

    void unlock()
    {
        try
        {
            lock.release();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    Path path()
    {
        return path;
    }

    long incarnation()
    {
        return buffer.getLongVolatile(INCARNATION_OFFSET);
    }

    void incarnation(final long incarnation)
    {
        buffer.putLongVolatile(INCARNATION_OFFSET, incarnation);
    }

    long heartbeat()
    {
        return buffer.getLongVolatile(HEARTBEAT_OFFSET);
    }

    void beat()
    {
        buffer.getAndAddLong(HEARTBEAT_OFFSET, 1);
    }

    int lifecycle()
    {
        return buffer.getIntVolatile(LIFECYCLE_OFFSET);
    }

    void lifecycle(final int lifecycle)
    {
        buffer.putIntVolatile(LIFECYCLE_OFFSET, lifecycle);
    }

    private static int at(final int entry)
    {
        return HEADER_LENGTH + entry * ENTRY_LENGTH;
    }

    int wanted(final int entry)
    {
        return buffer.getIntVolatile(at(entry));
    }

    void wanted(final int entry, final int wanted)
    {
        buffer.putIntRelease(at(entry), wanted);
    }

    void request(final int entry, final BufferKind kind, final String source, final long offset, final long length)
    {
        final int at = at(entry);
        buffer.putInt(at + KIND_OFFSET, kind.ordinal());
        buffer.putLong(at + FILE_OFFSET_OFFSET, offset);
        buffer.putLong(at + LENGTH_OFFSET, length);
        buffer.putStringUtf8(at + SOURCE_OFFSET, source, MAX_SOURCE_LENGTH);
        buffer.putInt(at + RENEWALS_OFFSET, 0);
        want(entry);
    }

    /**
     * Want an entry mapped, and mapped again when it is.
     */
    void renew(final int entry)
    {
        buffer.putInt(at(entry) + RENEWALS_OFFSET, renewals(entry) + 1);
        want(entry);
    }

    int renewals(final int entry)
    {
        return buffer.getInt(at(entry) + RENEWALS_OFFSET);
    }

    private void want(final int entry)
    {
        buffer.putLong(at(entry) + GENERATION_OFFSET, generation(entry) + 1);
        wanted(entry, MAP);
    }

    int kind(final int entry)
    {
        return buffer.getInt(at(entry) + KIND_OFFSET);
    }

    long offset(final int entry)
    {
        return buffer.getLong(at(entry) + FILE_OFFSET_OFFSET);
    }

    long length(final int entry)
    {
        return buffer.getLong(at(entry) + LENGTH_OFFSET);
    }

    long generation(final int entry)
    {
        return buffer.getLongVolatile(at(entry) + GENERATION_OFFSET);
    }

    String source(final int entry)
    {
        return string(at(entry) + SOURCE_OFFSET);
    }

    void answer(
        final int entry,
        final int status,
        final long generation,
        final long incarnation,
        final long address,
        final String text)
    {
        final int at = at(entry);
        buffer.putIntVolatile(at + STATUS_OFFSET, NONE);
        buffer.putLong(at + STATUS_GENERATION_OFFSET, generation);
        buffer.putLong(at + STATUS_INCARNATION_OFFSET, incarnation);
        buffer.putLong(at + ADDRESS_OFFSET, address);
        buffer.putStringAscii(at + TEXT_OFFSET, text.substring(0, Math.min(text.length(), MAX_TEXT_LENGTH)));
        buffer.putIntRelease(at + STATUS_OFFSET, status);
    }

    int status(final int entry)
    {
        return buffer.getIntVolatile(at(entry) + STATUS_OFFSET);
    }

    long statusGeneration(final int entry)
    {
        return buffer.getLong(at(entry) + STATUS_GENERATION_OFFSET);
    }

    long statusIncarnation(final int entry)
    {
        return buffer.getLong(at(entry) + STATUS_INCARNATION_OFFSET);
    }

    String text(final int entry)
    {
        return string(at(entry) + TEXT_OFFSET);
    }

    private String string(final int index)
    {
        final int length = buffer.getInt(index);
        return length < 0 || length > MAX_TEXT_LENGTH ? "" : buffer.getStringUtf8(index);
    }

    public void close()
    {
        BufferUtil.free(mapping);
        try
        {
            channel.close();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }
}
