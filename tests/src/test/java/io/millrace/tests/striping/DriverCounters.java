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
package io.millrace.tests.striping;

import io.aeron.CncFileDescriptor;
import org.agrona.IoUtil;
import org.agrona.collections.MutableLong;
import org.agrona.concurrent.errors.ErrorLogReader;
import org.agrona.concurrent.status.CountersReader;

import java.nio.MappedByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Counters of a driver in another process, read from its {@code cnc.dat}.
 */
final class DriverCounters implements AutoCloseable
{
    private final MappedByteBuffer buffer;
    private final CountersReader counters;

    private DriverCounters(final MappedByteBuffer buffer)
    {
        this.buffer = buffer;
        final var metaData = CncFileDescriptor.createMetaDataBuffer(buffer);
        counters = new CountersReader(
            CncFileDescriptor.createCountersMetaDataBuffer(buffer, metaData),
            CncFileDescriptor.createCountersValuesBuffer(buffer, metaData));
    }

    /**
     * Open the counters of a running driver.
     *
     * @param directory of the driver.
     * @return the counters, null while the driver is not ready.
     */
    static DriverCounters open(final Path directory)
    {
        final Path file = directory.resolve(CncFileDescriptor.CNC_FILE);
        if (!Files.exists(file))
        {
            return null;
        }

        final MappedByteBuffer buffer = IoUtil.mapExistingFile(file.toFile(), "cnc");
        final boolean isReady = buffer.capacity() > CncFileDescriptor.META_DATA_LENGTH &&
            CncFileDescriptor.CNC_VERSION == CncFileDescriptor.createMetaDataBuffer(buffer).getIntVolatile(0);
        if (!isReady)
        {
            IoUtil.unmap(buffer);
            return null;
        }
        return new DriverCounters(buffer);
    }

    /**
     * Sum of all counters of a type whose label contains a text.
     *
     * @param typeId of the counters.
     * @param text   in the label, empty for any.
     * @return the sum, 0 when there is none.
     */
    long sum(final int typeId, final String text)
    {
        final MutableLong sum = new MutableLong();
        counters.forEach(
            (counterId, type, keyBuffer, label) ->
            {
                if (typeId == type && label.contains(text))
                {
                    sum.value += counters.getCounterValue(counterId);
                }
            });
        return sum.value;
    }

    /**
     * A counter of Aeron's own.
     *
     * @param id of the counter.
     * @return its value.
     */
    long value(final int id)
    {
        return counters.getCounterValue(id);
    }

    /**
     * What the driver's distinct error log says.
     *
     * @return a line for each, with the number of times.
     */
    List<String> errors()
    {
        final List<String> errors = new ArrayList<>();
        ErrorLogReader.read(
            CncFileDescriptor.createErrorLogBuffer(buffer, CncFileDescriptor.createMetaDataBuffer(buffer)),
            (count, first, last, text) -> errors.add(
                Instant.ofEpochMilli(first) + " " + count + " x " + text.lines().findFirst().orElse("")));
        return errors;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void close()
    {
        IoUtil.unmap(buffer);
    }
}
