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
package io.millrace.samples.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.aeron.exceptions.ConfigurationException;
import io.millrace.efa.EfaConfiguration;
import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.libfabric.FabricNic;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.LibFabric;
import io.millrace.efa.libfabric.MachineLimits;
import io.millrace.efa.libfabric.NicLimits;
import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.stat.Columns;
import io.millrace.samples.stat.Units;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;

/**
 * {@code ./millrace info}.
 */
@Command(
    name = "info",
    sortOptions = false,
    description = "Shows libfabric, its providers and NICs, and what `auto` would choose and why.",
    footer = {
        "",
        "The second table is read back from an endpoint that is opened on each NIC and",
        "closed: longest message, longest write to a peer's memory, longest message",
        "without registered memory, immediate data, depths of the queues, memory",
        "regions, their keys, and what the provider asks of registered memory.",
        "",
        "Exit status: 0 shown, also where there is no libfabric; 2 wrong option." })
public final class InfoCommand implements Callable<Integer>
{
    private static final String AUTO = "auto";
    private static final String ROW = "%-9s%-12s%-18s%-18s%-16s%-14s%5s%12s%n";

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Mixin
    private Common common;

    /**
     * What a machine has.
     *
     * @param libfabric the library.
     * @param machine   limits that drivers meet.
     * @param auto      what {@code auto} chooses, or null where that is an error.
     * @param driver    what a driver started here would do, or null where that is what {@code auto} chooses.
     * @param providers that carry frames.
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Info(
        Library libfabric, Machine machine, Choice auto, Configured driver, List<Provider> providers)
    {
    }

    /**
     * libfabric.
     *
     * @param available whether it can be used.
     * @param version   such as 1.17, or null.
     * @param path      of the file that was loaded, or null.
     * @param cause     why it cannot be used, or null.
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Library(boolean available, String version, String path, String cause)
    {
    }

    /**
     * Limits of this machine for this user.
     *
     * @param lockedMemoryBytes     RLIMIT_MEMLOCK, or null for none.
     * @param lockedMemoryEnforced  false where this user may exceed it.
     * @param sharedMemoryFreeBytes in /dev/shm.
     * @param pageSize              of memory, bytes.
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Machine(
        Long lockedMemoryBytes, boolean lockedMemoryEnforced, long sharedMemoryFreeBytes, int pageSize)
    {
    }

    /**
     * A protocol and why.
     *
     * @param protocol efa, tcp, shm or udp.
     * @param provider libfabric's, or udp.
     * @param rails    of each agent.
     * @param reason   of the choice.
     */
    public record Choice(String protocol, String provider, int rails, String reason)
    {
        /**
         * {@inheritDoc}
         */
        public String toString()
        {
            return protocol + " (provider " + provider + ", rails " + rails + "): " + reason;
        }
    }

    /**
     * What a driver would do with the protocol word that is set here.
     *
     * @param word   that is set.
     * @param choice made of it, or null.
     * @param error  that the driver would end with, or null.
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Configured(String word, Choice choice, String error)
    {
    }

    /**
     * A protocol word with the NICs that serve it.
     *
     * @param protocol efa, tcp or shm.
     * @param present  whether there is any NIC.
     * @param nics     of it.
     */
    public record Provider(String protocol, boolean present, List<Nic> nics)
    {
    }

    /**
     * A NIC.
     *
     * @param name       of the device.
     * @param provider   of libfabric.
     * @param fabric     name.
     * @param domain     name.
     * @param pciAddress or an empty text.
     * @param numaNode   or -1.
     * @param speedMbps  or 0.
     * @param address    of it, or an empty text.
     * @param limits     read back from an endpoint, or null.
     * @param error      why there are none, or null.
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Nic(
        String name,
        String provider,
        String fabric,
        String domain,
        String pciAddress,
        int numaNode,
        int speedMbps,
        String address,
        NicLimits limits,
        String error)
    {
    }

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        final Configured auto = configured(AUTO);
        final String word = EfaConfiguration.protocol();
        final Configured driver = !AUTO.equalsIgnoreCase(word.trim()) ? configured(word) :
            null == auto.error() ? null : auto;
        final Info info = new Info(library(), machine(), auto.choice(), driver, providers());
        if (json)
        {
            Json.print(info);
        }
        else
        {
            Output.print(table(info));
        }
        return 0;
    }

    private static Library library()
    {
        if (!LibFabric.isAvailable())
        {
            return new Library(false, null, null, LibFabric.unavailabilityCause());
        }
        final LibFabric libFabric = LibFabric.load();
        return new Library(true, libFabric.versionText(), libFabric.path(), null);
    }

    private static Configured configured(final String word)
    {
        try
        {
            final ProtocolChoice choice = ProtocolChoice.select(new EfaContext().protocol(word));
            return new Configured(word, new Choice(
                choice.protocol(), choice.provider(), choice.rails(), choice.reason()), null);
        }
        catch (final ConfigurationException ex)
        {
            return new Configured(word, null, CommandFailure.withoutCategory(ex));
        }
    }

    private static List<Provider> providers()
    {
        final List<Provider> providers = new ArrayList<>();
        for (final FabricProvider provider : FabricProvider.values())
        {
            final List<Nic> nics = new ArrayList<>();
            if (LibFabric.isAvailable())
            {
                LibFabric.load().nics(provider).forEach((nic) -> nics.add(nic(nic)));
            }
            providers.add(new Provider(provider.word(), !nics.isEmpty(), nics));
        }
        return providers;
    }

    private static Nic nic(final FabricNic nic)
    {
        NicLimits limits = null;
        String error = null;
        try
        {
            limits = NicLimits.read(nic, EfaConfiguration.RAIL_SLOTS_DEFAULT);
        }
        catch (final FabricException ex)
        {
            error = ex.getMessage();
        }
        return new Nic(nic.deviceName(), nic.providerName(), nic.fabricName(), nic.domainName(), nic.pciAddress(),
            nic.numaNode(), nic.speedMbps(), nic.sourceAddressText(), limits, error);
    }

    private static Machine machine()
    {
        final MachineLimits limits = MachineLimits.read();
        return new Machine(
            Long.MAX_VALUE == limits.lockedMemoryBytes() ? null : limits.lockedMemoryBytes(),
            limits.isMemlockEnforced(), limits.sharedMemoryBytes(), limits.pageSize());
    }

    private static void limits(final StringBuilder table, final Info info)
    {
        final Columns columns = new Columns(
            "NIC", "PROVIDER", "SEND", "WRITE", "INJECT", "IMM", "TX", "RX", "CQ", "REGIONS", "KEY", "MEMORY MODES");
        final List<String> errors = new ArrayList<>();
        for (final Provider provider : info.providers())
        {
            for (final Nic nic : provider.nics())
            {
                final NicLimits limits = nic.limits();
                if (null == limits)
                {
                    errors.add(nic.name() + " (" + nic.provider() + ") cannot be opened: " + nic.error());
                    continue;
                }
                columns.row(nic.name(), nic.provider(), size(limits.maxSendBytes()),
                    0 == limits.maxRmaBytes() ? "-" : size(limits.maxRmaBytes()), size(limits.injectBytes()),
                    size(limits.immediateBytes()), "" + limits.txDepth(), "" + limits.rxDepth(),
                    "" + limits.cqDepth(), 0 == limits.memoryRegions() ? "-" : "" + limits.memoryRegions(),
                    size(limits.memoryKeyBytes()), limits.memoryModes().isEmpty() ? "-" :
                    String.join(",", limits.memoryModes()));
            }
        }
        table.append('\n');
        columns.lines().forEach((line) -> table.append(line).append('\n'));
        errors.forEach((error) -> table.append(error).append('\n'));
    }

    private static String size(final long bytes)
    {
        return Long.MAX_VALUE == bytes ? "any" : Units.bytes(bytes);
    }

    private static String table(final Info info)
    {
        final StringBuilder table = new StringBuilder();
        final Library library = info.libfabric();
        table.append("libfabric  ").append(
            library.available() ? library.version() + " at " + library.path() : "not usable: " + library.cause())
            .append('\n');
        if (null != info.auto())
        {
            table.append("auto       ").append(info.auto()).append('\n');
        }
        final Configured driver = info.driver();
        if (null != driver)
        {
            table.append("driver     ").append(
                null != driver.choice() ? driver.choice() : "does not start: " + driver.error()).append('\n');
        }
        final Machine machine = info.machine();
        table.append("machine    locked memory ").append(null == machine.lockedMemoryBytes() ? "unlimited" :
            Units.bytes(machine.lockedMemoryBytes()) + (machine.lockedMemoryEnforced() ? "" : " (not enforced)"))
            .append(", /dev/shm ").append(Units.bytes(machine.sharedMemoryFreeBytes())).append(" free, page size ")
            .append(Units.bytes((long)machine.pageSize())).append('\n');
        table.append('\n');
        row(table, "PROTOCOL", "PROVIDER", "NIC", "FABRIC", "DOMAIN", "PCI", "NUMA", "SPEED");
        for (final Provider provider : info.providers())
        {
            if (!provider.present())
            {
                row(table, provider.protocol(), "absent", "", "", "", "", "", "");
            }
            for (final Nic nic : provider.nics())
            {
                row(table, provider.protocol(), nic.provider(), nic.name(), nic.fabric(), nic.domain(),
                    nic.pciAddress().isEmpty() ? "-" : nic.pciAddress(),
                    nic.numaNode() < 0 ? "-" : Integer.toString(nic.numaNode()),
                    0 == nic.speedMbps() ? "-" : nic.speedMbps() + " Mb/s");
            }
        }
        row(table, "udp", "sockets", "", "", "", "", "", "");
        if (info.libfabric().available())
        {
            limits(table, info);
        }
        return table.toString();
    }

    private static void row(final StringBuilder table, final Object... cells)
    {
        table.append(String.format(Locale.ROOT, ROW, cells).stripTrailing()).append('\n');
    }
}
