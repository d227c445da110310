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
package io.millrace.samples.doctor;

import io.aeron.exceptions.ConfigurationException;
import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.MachineLimits;
import io.millrace.efa.link.StartChecks;
import io.millrace.samples.failure.CommandFailure;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Examines a machine for a protocol.
 */
public final class Doctor
{
    private Doctor()
    {
    }

    /**
     * All checks.
     *
     * @param provider that rails are to use.
     * @return what was found, in the order in which to mend it.
     */
    public static List<Finding> examine(final FabricProvider provider)
    {
        final SystemFiles files = SystemFiles.ofThisMachine();
        final boolean isForEfa = FabricProvider.EFA == provider;
        final List<Finding> found = new ArrayList<>();
        found.add(FabricChecks.library(isForEfa));
        found.add(FabricChecks.copies(files));
        found.add(FabricChecks.nics(provider));
        if (isForEfa)
        {
            found.add(security(found.get(found.size() - 1)));
        }
        found.add(MachineChecks.lockedMemory(MachineLimits.read(), isForEfa));
        final Path sharedMemory = Path.of("/dev/shm");
        found.add(MachineChecks.sharedMemory(
            sharedMemory.toFile().getTotalSpace(), MachineLimits.usableBytes(sharedMemory)));
        found.addAll(new MachineChecks(files).all(isForEfa, FabricProvider.SHM == provider));
        found.add(start(provider));
        return found;
    }

    /**
     * What no process of a machine can see of itself.
     */
    static Finding security(final Finding nics)
    {
        return Finding.note("security group", Finding.Level.OK == nics.level() ? "cannot be seen from here" :
            "does not matter without a NIC",
            "all traffic to and from the group itself, in and out, not only TCP and UDP: a peer " +
            "that never answers on rails is nearly always this");
    }

    private static Finding start(final FabricProvider provider)
    {
        final String check = "driver's start";
        try
        {
            final EfaContext context = new EfaContext().protocol(provider.word());
            final ProtocolChoice choice = ProtocolChoice.select(context);
            final List<String> warnings = StartChecks.examine(choice, context);
            return warnings.isEmpty() ? Finding.ok(check, choice.protocol() + " with " + choice.rails() +
                (1 == choice.rails() ? " rail" : " rails")) :
                Finding.warn(check, "it warns", String.join("; ", warnings));
        }
        catch (final ConfigurationException ex)
        {
            return Finding.fail(check, "it does not start", CommandFailure.withoutCategory(ex));
        }
    }
}
