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
package io.millrace.samples.stat;

import io.millrace.samples.failure.CommandFailure;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Takes one sample of a driver after the other.
 */
public final class DriverWatch implements AutoCloseable
{
    private static final long LIVENESS_INTERVAL_MS = 100;

    private final CncFile file;
    private Snapshot before;

    private DriverWatch(final CncFile file)
    {
        this.file = file;
    }

    /**
     * Open the driver of a directory.
     *
     * @param directory of the driver.
     * @return the watch.
     * @throws CommandFailure when no driver runs there, or it cannot be read.
     */
    public static DriverWatch open(final Path directory)
    {
        final DriverWatch watch = new DriverWatch(CncFile.open(directory));
        try
        {
            if (watch.hasEnded())
            {
                throw CommandFailure.failed(watch.ending() + "; start one, or name the directory of one that runs " +
                    "with --dir" + Drivers.hint());
            }
            watch.before = watch.file.read();
            return watch;
        }
        catch (final RuntimeException ex)
        {
            watch.close();
            throw ex;
        }
    }

    /**
     * Wait, and see what the driver did meanwhile.
     *
     * @param interval of the sample in milliseconds.
     * @return the sample, or null when the driver has ended.
     * @throws InterruptedException when the thread is interrupted.
     */
    public DriverSample next(final long interval) throws InterruptedException
    {
        final long endNs = before.timeNs() + TimeUnit.MILLISECONDS.toNanos(interval);
        long leftMs;
        while ((leftMs = TimeUnit.NANOSECONDS.toMillis(endNs - System.nanoTime())) > 0 && !hasEnded())
        {
            TimeUnit.MILLISECONDS.sleep(Math.min(leftMs, LIVENESS_INTERVAL_MS));
        }

        if (hasEnded())
        {
            return null;
        }
        final Snapshot after = file.read();
        final DriverSample sample = Sampler.sample(file, before, after);
        before = after;
        return sample;
    }

    /**
     * Lay out a sample for people.
     *
     * @param sample  to show.
     * @param columns that lines may have, 0 for any.
     * @return lines.
     */
    public static List<String> lines(final DriverSample sample, final int columns)
    {
        return SampleTable.of(sample, columns);
    }

    /**
     * Whether the driver is gone.
     *
     * @return true once it has said so or been silent for too long.
     */
    public boolean hasEnded()
    {
        final long ageMs = file.heartbeatAgeMs();
        return ageMs < 0 || ageMs > CncFile.DRIVER_TIMEOUT_MS;
    }

    /**
     * Whether the driver told that it ends, as one that is killed cannot.
     *
     * @return true for an orderly end.
     */
    public boolean hasSaidSo()
    {
        return file.heartbeatAgeMs() < 0;
    }

    /**
     * How the driver ended.
     *
     * @return a sentence without its full stop.
     */
    public String ending()
    {
        final String driver = "the driver of " + file.directory() + " (pid " + file.pid() + ") ";
        return driver + (hasSaidSo() ? "has ended" : "has been silent for " +
            TimeUnit.MILLISECONDS.toSeconds(file.heartbeatAgeMs()) + " s: it was killed, or stands still");
    }

    /**
     * Let go of the driver's file.
     */
    @Override
    public void close()
    {
        file.close();
    }
}
