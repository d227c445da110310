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

import io.aeron.driver.Configuration;
import io.aeron.exceptions.ConfigurationException;
import io.aeron.logbuffer.LogBufferDescriptor;
import io.millrace.efa.EfaConfiguration;
import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.MachineLimits;
import io.millrace.efa.rail.Rail;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Holds the machine's limits against what the configuration needs, before anything fails for want of it.
 */
public final class StartChecks
{
    private static final int AGENTS = 2;
    private static final int LOGS = 2;

    private final FabricSettings settings;
    private final MachineLimits limits;

    StartChecks(final FabricSettings settings, final MachineLimits limits)
    {
        this.settings = settings;
        this.limits = limits;
    }

    /**
     * What a driver that is started now would warn of, or refuse to start for, with Aeron's defaults for terms.
     *
     * @param choice  protocol and NICs.
     * @param context configuration of the rails.
     * @return sentences with their remedies, none when all is well.
     */
    public static List<String> examine(final ProtocolChoice choice, final EfaContext context)
    {
        final StartChecks checks = new StartChecks(
            new FabricSettings(choice, context, 0, 0, List.of()), MachineLimits.read());
        final List<String> found = checks.rails();
        found.addAll(checks.logs(
            Configuration.termBufferLength(), Configuration.mtuLength(), Configuration.filePageSize()));
        return found;
    }

    /**
     * Memory that the rails register: slots for data on one side and for control on the other, of each agent.
     */
    long railBytes()
    {
        return (long)AGENTS * settings.choice().rails() * settings.context().railSlots() *
            (Rail.slotBytes(NicRails.DATA_SLOT_LENGTH) + Rail.slotBytes(NicRails.CONTROL_SLOT_LENGTH));
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
     * What logs lack that are registered once their streams come: a publication and an image of the default term
     * length.
     *
     * @param termLength of a publication, bytes.
     * @param mtuLength  of a publication, bytes: logs are registered when it reaches the thresholds.
     * @param pageSize   of mapped logs, bytes.
     * @return sentences, none when all is well.
     */
    List<String> logs(final int termLength, final int mtuLength, final long pageSize)
    {
        final List<String> found = new ArrayList<>();
        final TermSettings terms = TermSettings.of("", settings.context(), settings.choice());
        if (!settings.choice().isFabric() || mtuLength < terms.shortestLength())
        {
            return found;
        }

        final EfaContext context = settings.context();
        final long logBytes = (long)LogBufferDescriptor.PARTITION_COUNT * termLength;
        final long pages = (logBytes + pageSize - 1) / pageSize;
        final String log = "a log with terms of " + termLength + " bytes registers " + logBytes + " bytes, " + pages +
            " pages of " + pageSize;
        final String remedy = ", or frames are copied: lower aeron.term.buffer.length, ";
        if (isPinned() && limits.canLock(railBytes()) && !limits.canLock(railBytes() + LOGS * logBytes))
        {
            found.add("the limit of locked memory (RLIMIT_MEMLOCK) is " + limits.lockedMemoryBytes() + " bytes, the " +
                "rails register " + railBytes() + ", and " + log + ": there has to be room for " + LOGS + " logs" +
                remedy + "or raise the limit (ulimit -l unlimited, LimitMEMLOCK=infinity for systemd, docker run " +
                "--ulimit memlock=-1)");
        }
        if (pages > context.logPagesPerRegion())
        {
            found.add(log + ", more than " + EfaConfiguration.LOG_PAGES_PER_REGION_PROP_NAME + "=" +
                context.logPagesPerRegion() + remedy + "or put the Aeron directory on huge pages");
        }
        else if (LOGS * pages > context.logPagesPerNic())
        {
            found.add(log + ", and " + EfaConfiguration.LOG_PAGES_PER_NIC_PROP_NAME + "=" + context.logPagesPerNic() +
                " has no room for " + LOGS + " of them" + remedy + "or put the Aeron directory on huge pages");
        }
        return found;
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
