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
package io.millrace.efa.link;

import io.aeron.exceptions.ConfigurationException;
import io.aeron.logbuffer.LogBufferDescriptor;
import io.millrace.efa.EfaConfiguration;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.MachineLimits;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Holds the machine's limits against what the configuration needs, before anything fails for want of it.
 */
final class StartChecks
{
    private static final int AGENTS = 2;

    private final FabricSettings settings;
    private final MachineLimits limits;

    StartChecks(final FabricSettings settings, final MachineLimits limits)
    {
        this.settings = settings;
        this.limits = limits;
    }

    /**
     * Memory that the rails register: slots for data on one side and for control on the other, of each agent.
     */
    long railBytes()
    {
        return (long)AGENTS * settings.choice().rails() * settings.context().railSlots() *
            (NicRails.DATA_SLOT_LENGTH + NicRails.CONTROL_SLOT_LENGTH);
    }

    /**
     * What rails lack, each with its remedy.
     *
     * @return sentences, none when all is well.
     */
    List<String> rails()
    {
        final List<String> found = new ArrayList<>();
        if (isPinned() && !limits.canLock(railBytes()))
        {
            found.add("the limit of locked memory (RLIMIT_MEMLOCK) is " + limits.lockedMemoryBytes() + " bytes, and " +
                settings.choice().rails() + " rails register " + railBytes() + " bytes: raise it (ulimit -l " +
                "unlimited, LimitMEMLOCK=infinity for systemd, docker run --ulimit memlock=-1), or lower " +
                EfaConfiguration.RAIL_SLOTS_PROP_NAME + "=" + settings.context().railSlots());
        }

        final long endpointBytes = AGENTS * settings.choice().rails() * MachineLimits.SHM_ENDPOINT_BYTES;
        if (settings.choice().isHostLocal() && limits.sharedMemoryBytes() < endpointBytes)
        {
            found.add("/dev/shm has " + limits.sharedMemoryBytes() + " bytes free, and the endpoints of " +
                settings.choice().rails() + " rails of the shm provider take up to " + endpointBytes + ": enlarge it " +
                "(mount -o remount,size=1g /dev/shm, docker run --shm-size=1g), use fewer rails, or " +
                EfaConfiguration.PROTOCOL_PROP_NAME + "=tcp");
        }
        return found;
    }

    /**
     * Refuse what cannot work.
     *
     * @throws ConfigurationException when rails lack something.
     */
    void requireRails()
    {
        final List<String> found = rails();
        if (!found.isEmpty())
        {
            throw new ConfigurationException(String.join("; ", found));
        }
    }

    /**
     * What the driver's directory lacks for a stream of the default term length: a publication and an image.
     *
     * @param aeronDirectory of the driver.
     * @param freeBytes      there.
     * @param termLength     of a publication.
     * @param pageSize       of files.
     * @return sentences, none when all is well.
     */
    static List<String> directory(
        final Path aeronDirectory, final long freeBytes, final int termLength, final int pageSize)
    {
        final long logBytes = LogBufferDescriptor.computeLogLength(termLength, pageSize);
        return freeBytes >= 2 * logBytes ? List.of() : List.of(
            aeronDirectory + " is on a file system with " + freeBytes + " bytes free, and a publication and an image " +
            "with terms of " + termLength + " bytes take " + 2 * logBytes + ": make room, enlarge it (mount -o " +
            "remount,size=1g /dev/shm, docker run --shm-size=1g), or lower aeron.term.buffer.length");
    }

    private boolean isPinned()
    {
        return FabricProvider.EFA.word().equals(settings.choice().protocol());
    }
}
