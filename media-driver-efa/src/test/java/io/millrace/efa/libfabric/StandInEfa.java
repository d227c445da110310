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
package io.millrace.efa.libfabric;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * libfabric on a machine with EFA as its headers, its source and its manual page describe it: what {@code fi_getinfo}
 * finds for which hints, and a control plane of C function pointers that keeps EFA's rules and records the calls.
 * Numbers are written out on purpose, apart from those of the code under test.
 */
final class StandInEfa implements FabricApi, AutoCloseable
{
    static final int EINVAL = -22;
    static final int EBUSY = -16;
    static final int ENODATA = -61;
    static final int EOPNOTSUPP = -95;
    private static final int EAGAIN = -11;
    private static final int EAVAIL = -259;
    private static final int NOT_ENABLED = -1;
    private static final long RMA = 1L << 2;
    private static final long CONTEXT2 = 1L << 52;
    private static final long RX_CQ_DATA = 1L << 56;
    private static final int EFA_MR_MODE = 4 | 0x10 | 0x20 | 0x40;

    final List<String> calls = new ArrayList<>();
    final Map<Long, byte[]> addresses = new LinkedHashMap<>();
    boolean hasDirect = true;
    boolean hasRdmaWrite = true;
    boolean hasUnsolicitedWrite = true;
    boolean hasMaxMessageOption = true;
    int eventError;
    long errorContext;
    private final String[] devices;
    private final Arena arena = Arena.ofShared();
    private final List<Long> openObjects = new ArrayList<>();
    private boolean isEnabled;
    private long mode;

    StandInEfa(final String... devices)
    {
        this.devices = devices;
    }

    long block(final int size)
    {
        return arena.allocate(size, 64).address();
    }

    private long info(final String fabric, final String device, final long caps, final long mode, final boolean direct)
    {
        final long info = fi_dupinfo(0);
        RawMemory.putLong(info + 8, caps);
        RawMemory.putLong(info + 16, mode);
        RawMemory.putInt(info + 24, 12);
        RawMemory.putLong(info + 32, 32);
        RawMemory.putLong(info + 48, block(32));
        RawMemory.putBytes(RawMemory.getLong(info + 48), rawAddress(1));
        final long tx = RawMemory.getLong(info + 72);
        RawMemory.putLong(tx + 40, 32);
        RawMemory.putLong(tx + 48, 4096);
        RawMemory.putLong(RawMemory.getLong(info + 80) + 48, 8192);
        RawMemory.putLong(RawMemory.getLong(info + 88) + 16, direct ? 1L << 30 : -1L);
        final long domain = RawMemory.getLong(info + 96);
        RawMemory.putLong(domain + 8, arena.allocateFrom(device + "-rdm").address());
        RawMemory.putInt(domain + 36, direct ? EFA_MR_MODE : EFA_MR_MODE & ~4);
        RawMemory.putLong(domain + 40, 4);
        RawMemory.putLong(domain + 48, 4);
        final long fabricAttr = RawMemory.getLong(info + 104);
        RawMemory.putLong(fabricAttr + 8, arena.allocateFrom(fabric).address());
        RawMemory.putLong(fabricAttr + 16, arena.allocateFrom("efa").address());
        final long nic = block(56);
        RawMemory.putLong(info + 112, nic);
        RawMemory.putLong(nic + 24, block(48));
        RawMemory.putLong(nic + 32, block(16));
        RawMemory.putLong(nic + 40, block(40));
        RawMemory.putLong(RawMemory.getLong(nic + 24), arena.allocateFrom(device).address());
        RawMemory.putLong(RawMemory.getLong(nic + 40) + 8, 8928);
        return info;
    }

    static byte[] rawAddress(final int last)
    {
        final byte[] raw = new byte[32];
        raw[0] = (byte)0xfe;
        raw[16] = 7;
        raw[20] = (byte)last;
        return raw;
    }

    @Override
    public int fi_version()
    {
        return 2 << 16 | 4;
    }

    @Override
    public int fi_getinfo(
        final int version, final String node, final String service, final long flags, final long hints, final long out)
    {
        final FabricInfo wanted = new FabricInfo(hints);
        final boolean direct = "efa-direct".equals(wanted.fabricName());
        final boolean rma = 0 != (wanted.caps() & RMA);
        final boolean takesReceive = 0 != (wanted.mode() & RX_CQ_DATA);
        calls.add("fi_getinfo " + wanted.fabricName() + (rma ? " rma" : "") + (takesReceive ? " rx_cq_data" : ""));
        final boolean fits = "efa".equals(wanted.providerName()) && (direct ?
            hasDirect && 0 != (wanted.mode() & CONTEXT2) && EFA_MR_MODE == (wanted.memoryMode() & EFA_MR_MODE) &&
                (!rma || hasRdmaWrite && (hasUnsolicitedWrite || takesReceive)) : !takesReceive);
        if (0 == devices.length || !fits)
        {
            return ENODATA;
        }

        long next = direct ? info("efa", devices[0], wanted.caps(), 0, false) : 0;
        for (int i = devices.length - 1; i >= 0; i--)
        {
            final long mode = direct ? CONTEXT2 | (takesReceive ? RX_CQ_DATA : 0) : 0;
            final long info = info(wanted.fabricName(), devices[i], wanted.caps(), mode, direct);
            RawMemory.putLong(info, next);
            next = info;
        }
        RawMemory.putLong(out, next);
        return 0;
    }

    @Override
    public void fi_freeinfo(final long info)
    {
        // with the arena
    }

    @Override
    public long fi_dupinfo(final long from)
    {
        final long info = copy(from, 120);
        RawMemory.putLong(info, 0);
        final int[] offsets = { 72, 80, 88, 96, 104 };
        final int[] sizes = { 80, 64, 104, 232, 32 };
        for (int i = 0; i < offsets.length; i++)
        {
            RawMemory.putLong(info + offsets[i], copy(0 == from ? 0 : RawMemory.getLong(from + offsets[i]), sizes[i]));
        }
        return info;
    }

    private long copy(final long from, final int size)
    {
        final long to = block(size);
        if (0 != from)
        {
            RawMemory.copy(from, to, size);
        }
        return to;
    }

    @Override
    public int fi_fabric(final long fabricAttr, final long out, final long context)
    {
        final long fid = opened("fabric", out, 40);
        RawMemory.putLong(fid + 24, table(56, 8, function("fi_domain", 4), 24, function("fi_eq_open", 4)));
        return 0;
    }

    @Override
    public String fi_strerror(final int errno)
    {
        return "error " + errno;
    }

    private long opened(final String name, final long out, final int size)
    {
        calls.add(name);
        final long fid = block(size);
        RawMemory.putLong(fid + 16, table(56, 8, function("fi_close " + name, 1), 16, function("fi_ep_bind", 3),
            24, function("fi_control", 3)));
        openObjects.add(fid);
        RawMemory.putLong(fid + 8, openObjects.size());
        RawMemory.putLong(out, fid);
        return fid;
    }

    private long table(final int size, final long... slotsAndFunctions)
    {
        final long table = block(size);
        RawMemory.putLong(table, size);
        for (int i = 0; i < slotsAndFunctions.length; i += 2)
        {
            RawMemory.putLong(table + slotsAndFunctions[i], slotsAndFunctions[i + 1]);
        }
        return table;
    }

    /** A C function of so many words that calls {@link #on}. */
    private long function(final String name, final int parameters)
    {
        try
        {
            final MethodHandle handle = MethodHandles.lookup()
                .findVirtual(StandInEfa.class, "on", MethodType.methodType(long.class, String.class, long[].class))
                .bindTo(this).bindTo(name).asCollector(long[].class, parameters);
            final MemoryLayout[] words = new MemoryLayout[parameters];
            Arrays.fill(words, ValueLayout.JAVA_LONG);
            return Linker.nativeLinker()
                .upcallStub(handle, FunctionDescriptor.of(ValueLayout.JAVA_LONG, words), arena).address();
        }
        catch (final ReflectiveOperationException ex)
        {
            throw new AssertionError(ex);
        }
    }

    private long on(final String name, final long[] arguments)
    {
        return switch (name)
        {
            case "fi_domain" -> onDomain(arguments[2]);
            case "fi_eq_open" -> onOpened("eq", arguments[2],
                table(48, 8, function("fi_eq_read", 5), 16, function("fi_eq_readerr", 3)));
            case "fi_cq_open" -> onOpened("cq size=" + RawMemory.getLong(arguments[1]) + " format=" +
                RawMemory.getInt(arguments[1] + 16), arguments[2],
                table(64, 8, function("fi_cq_read", 3), 24, function("fi_cq_readerr", 3)));
            case "fi_av_open" -> onOpened("av type=" + RawMemory.getInt(arguments[1]) + " count=" +
                RawMemory.getLong(arguments[1] + 8), arguments[2],
                table(64, 8, function("fi_av_insert", 6), 32, function("fi_av_remove", 4)));
            case "fi_endpoint" -> onEndpoint(arguments[1], arguments[2]);
            case "fi_ep_bind" -> onBind(arguments[1]);
            case "fi_control" -> onEnable();
            case "fi_setopt" -> onSetOption((int)arguments[2], arguments[3], arguments[4]);
            case "fi_getopt" -> onGetOption((int)arguments[2], arguments[3]);
            case "fi_getname" -> onName(arguments[1], arguments[2]);
            case "fi_mr_reg" -> onRegister(arguments[3], arguments[7]);
            case "fi_av_insert" -> onInsert(arguments[1], arguments[3]);
            case "fi_av_remove" -> onRemove(arguments[1]);
            case "fi_cq_read" -> 0 != errorContext ? EAVAIL : EAGAIN;
            case "fi_cq_readerr" -> onReadError(arguments[1]);
            case "fi_eq_read" -> 0 != eventError ? EAVAIL : EAGAIN;
            case "fi_eq_readerr" -> onReadEventError(arguments[1]);
            default -> name.startsWith("fi_close ") ? onClose(name, arguments[0]) : onPost(name);
        };
    }

    private long onPost(final String name)
    {
        calls.add(name);
        return 0;
    }

    private long onOpened(final String name, final long out, final long table)
    {
        RawMemory.putLong(opened(name, out, 40) + 24, table);
        return 0;
    }

    private long onDomain(final long out)
    {
        final long fid = opened("domain", out, 40);
        RawMemory.putLong(fid + 24, table(96, 8, function("fi_av_open", 4), 16, function("fi_cq_open", 4),
            24, function("fi_endpoint", 4)));
        RawMemory.putLong(fid + 32, table(32, 8, function("fi_mr_reg", 9)));
        return 0;
    }

    private long onEndpoint(final long info, final long out)
    {
        final FabricInfo wanted = new FabricInfo(info);
        mode = wanted.mode();
        if ("efa".equals(wanted.fabricName()) && 0 != (mode & RX_CQ_DATA))
        {
            return EINVAL;
        }
        final long fid = opened("ep tx=" + wanted.txDepth() + " rx=" + wanted.rxDepth(), out, 80);
        RawMemory.putLong(fid + 24, table(64, 16, function("fi_getopt", 5), 24, function("fi_setopt", 5)));
        RawMemory.putLong(fid + 32, table(80, 16, function("fi_getname", 3)));
        RawMemory.putLong(fid + 40, table(80, 8, function("fi_recv", 6), 64, function("fi_senddata", 7),
            72, function("fi_injectdata", 5)));
        // efa-direct: no RMA inject
        RawMemory.putLong(fid + 48, table(80, 32, function("fi_write", 8), 64, function("fi_writedata", 9)));
        return 0;
    }

    private long onBind(final long fid)
    {
        calls.add("bind " + calls.get((int)(RawMemory.getLong(fid + 8) - 1) + firstOpen()).split(" ")[0]);
        return 0;
    }

    private int firstOpen()
    {
        return calls.indexOf("fabric");
    }

    private long onEnable()
    {
        // An error that fits no completion ends the process here without an event queue.
        calls.add(calls.contains("bind eq") ? "enable" : "abort");
        isEnabled = true;
        return 0;
    }

    private long onSetOption(final int name, final long value, final long length)
    {
        calls.add("setopt " + name + "=" + (1 == length ? RawMemory.getUnsignedByte(value) : RawMemory.getLong(value)) +
            (isEnabled ? " too late" : ""));
        return 0;
    }

    private long onGetOption(final int name, final long value)
    {
        if (12 == name && !hasMaxMessageOption)
        {
            return -92;
        }
        RawMemory.putLong(value, 12 == name ? 8856 : 14 == name ? 1L << 29 : 32);
        return 0;
    }

    private long onName(final long buffer, final long length)
    {
        if (!isEnabled)
        {
            return NOT_ENABLED;
        }
        RawMemory.putBytes(buffer, rawAddress(1));
        RawMemory.putLong(length, 32);
        return 0;
    }

    private long onRegister(final long access, final long out)
    {
        if (0 != (access & 1L << 13) && !hasRdmaWrite)
        {
            return EOPNOTSUPP;
        }
        final long fid = opened("mr", out, 48);
        RawMemory.putLong(fid + 24, fid);
        RawMemory.putLong(fid + 32, 0xCAFE_BABEL);
        return 0;
    }

    /** The same bytes have the same number, and nobody counts. */
    private long onInsert(final long address, final long out)
    {
        final byte[] raw = RawMemory.getBytes(address, 32);
        calls.add("insert " + raw[20]);
        for (final Map.Entry<Long, byte[]> entry : addresses.entrySet())
        {
            if (Arrays.equals(raw, entry.getValue()))
            {
                RawMemory.putLong(out, entry.getKey());
                return 1;
            }
        }
        final long fiAddr = addresses.size();
        addresses.put(fiAddr, raw);
        RawMemory.putLong(out, fiAddr);
        return 1;
    }

    private long onRemove(final long in)
    {
        calls.add("remove " + RawMemory.getLong(in));
        return null == addresses.remove(RawMemory.getLong(in)) ? EINVAL : 0;
    }

    private long onReadError(final long entry)
    {
        if (0 == errorContext)
        {
            return EAGAIN;
        }
        RawMemory.putLong(entry, errorContext);
        RawMemory.putInt(entry + 56, 107);
        RawMemory.putInt(entry + 60, 14);
        errorContext = 0;
        return 1;
    }

    private long onReadEventError(final long entry)
    {
        RawMemory.putInt(entry + 24, eventError);
        RawMemory.putInt(entry + 28, 2);
        eventError = 0;
        return 1;
    }

    private long onClose(final String name, final long fid)
    {
        calls.add("close " + name.substring("fi_close ".length()).split(" ")[0]);
        openObjects.remove(fid);
        return 0;
    }

    @Override
    public void close()
    {
        arena.close();
    }
}
