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
package io.millrace.bridge.device.acl;

import java.nio.ByteBuffer;

import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import com.sun.jna.ptr.PointerByReference;
import io.millrace.bridge.device.CopyDirection;
import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.KvCopyQueue;
import io.millrace.bridge.device.KvDeviceContract;
import org.agrona.BufferUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Opening, contexts, ownership and errors.
 */
@Timeout(150)
class AclDeviceTest
{
    @Test
    void reportsWhatWasFound()
    {
        final StandIn standIn = StandIn.get(StandIn.Symbols.NEW);
        try (AclDevice device = new AclDevice(standIn.context(2)))
        {
            assertThat(device.name()).isEqualTo("acl:2");
            assertThat(device.deviceId()).as("physical id").isEqualTo(10);
            assertThat(device.info().socName()).isEqualTo("StandIn910");
            assertThat(device.info().version()).isEqualTo("1.17.0");
            assertThat(device.info().features()).contains(AclFeature.BATCH_COPY_ASYNC, AclFeature.HOST_PINNING)
                .doesNotContain(AclFeature.FABRIC_HANDLES);
            assertThat(device.info().toString()).contains("acl:2 is StandIn910").contains(standIn.path())
                .contains("lacks [").contains("FABRIC_HANDLES");
        }
        try (AclDevice device = new AclDevice(StandIn.get(StandIn.Symbols.OF_2020).context(2)))
        {
            assertThat(device.info().features()).isEmpty();
            assertThat(device.info().socName()).isEqualTo("unknown");
            assertThat(device.deviceId()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource(StandIn.Symbols.class)
    void givesCallersTheirContextBack(final StandIn.Symbols symbols)
    {
        final StandIn standIn = StandIn.get(symbols);
        try (AclDevice first = new AclDevice(standIn.context(0)); AclDevice second = new AclDevice(standIn.context(1)))
        {
            standIn.call("aclrtSetDevice", 3);
            final Pointer framework = context(standIn);

            final long address = first.allocate(4096);
            second.free(second.allocate(4096));
            second.freeStaging(second.allocateStaging(4096));
            first.put(address, new byte[8], 0, 8);
            first.openQueue().close();
            assertThatThrownBy(() -> first.recordEvent(0)).as("the stand-in has no default stream")
                .isInstanceOf(AclException.class);
            assertThatThrownBy(() -> first.register(address, 1)).isInstanceOf(RuntimeException.class);

            assertThat(context(standIn)).isEqualTo(framework);
        }
    }

    private static Pointer context(final StandIn standIn)
    {
        final PointerByReference out = new PointerByReference();
        assertThat(standIn.call("aclrtGetCurrentContext", out)).isZero();
        return out.getValue();
    }

    @ParameterizedTest
    @EnumSource(StandIn.Symbols.class)
    void leavesAFrameworksInitialisationAlone(final StandIn.Symbols symbols)
    {
        final StandIn standIn = StandIn.get(symbols);
        // A library of its own: opened libraries remember who initialised them.
        final String path = StandIn.compile(symbols).toString();
        final NativeLibrary library = NativeLibrary.getInstance(path);
        assertThat(library.getFunction("aclInit").invokeInt(new Object[]{null})).isZero();
        assertThat(library.getFunction("aclrtSetDevice").invokeInt(new Object[]{0})).isZero();

        new AclDevice(standIn.context(0).libraryPath(path).finalizeOnClose(true)).close();

        assertThat(count(library, "initialized")).isEqualTo(1);
        assertThat(count(library, "sets")).as("no reset").isEqualTo(2);
        assertThat(library.getFunction("aclFinalize").invokeInt(new Object[0])).isZero();
    }

    @Test
    void undoesItsOwnInitialisationWhenAskedTo()
    {
        final String path = StandIn.compile(StandIn.Symbols.NEW).toString();
        final NativeLibrary library = NativeLibrary.getInstance(path);
        final AclDevice first = new AclDevice(new AclDevice.Context().libraryPath(path).finalizeOnClose(true));
        final AclDevice second = new AclDevice(new AclDevice.Context().libraryPath(path).finalizeOnClose(true));
        first.close();
        assertThat(count(library, "initialized")).isEqualTo(1);
        second.allocate(64);
        second.close();
        assertThat(count(library, "initialized")).isZero();
        assertThat(count(library, "ranges")).isZero();

        // Without, it stays: some releases initialise once per process only.
        new AclDevice(new AclDevice.Context().libraryPath(path)).close();
        assertThat(count(library, "initialized")).isEqualTo(1);
        new AclDevice(new AclDevice.Context().libraryPath(path)).close();
        assertThat(count(library, "streams")).isZero();
        assertThat(count(library, "events")).isZero();
    }

    private static long count(final NativeLibrary library, final String what)
    {
        return library.getFunction("standin_count").invokeLong(new Object[]{what});
    }

    @Test
    void oneLibraryPerProcess()
    {
        final StandIn other = StandIn.get(StandIn.Symbols.OF_2020);
        try (AclDevice device = new AclDevice(StandIn.get(StandIn.Symbols.NEW).context(0)))
        {
            assertThatThrownBy(() -> new AclDevice(other.context(0))).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(other.path()).hasMessageContaining("close the devices");
            device.free(device.allocate(64));
        }
    }

    @ParameterizedTest
    @EnumSource(StandIn.Symbols.class)
    void errorsCarryCallCodeTextAndDevice(final StandIn.Symbols symbols)
    {
        final StandIn standIn = StandIn.get(symbols);
        try (AclDevice device = new AclDevice(standIn.context(1)))
        {
            standIn.script("aclrtMalloc", 0, 1, 207001);
            assertThatThrownBy(() -> device.allocate(4096)).isInstanceOf(AclException.class)
                .hasMessage("aclrtMalloc on acl:1 returned 207001 MEMORY_ALLOCATION" +
                (StandIn.Symbols.NEW == symbols ? ": EE9999: aclrtMalloc: scripted" : ""));
            device.free(device.allocate(4096));

            standIn.script("aclrtMallocHost", 0, 1, 123456);
            assertThatThrownBy(() -> device.allocateStaging(4096)).hasMessageContaining("123456 unnamed code");
        }
        standIn.script("aclrtSetDevice", 0, 1, 507899);
        assertThatThrownBy(() -> new AclDevice(standIn.context(0))).hasMessageContaining("507899 DRV_INTERNAL");
        assertThatThrownBy(() -> new AclDevice(standIn.context(4))).isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("acl:4 is not there").hasMessageContaining("4 devices");
    }

    @Test
    void saysWhereItLookedForTheLibrary()
    {
        assertThatThrownBy(() -> new AclDevice(new AclDevice.Context().libraryPath("/nowhere/libascendcl.so")))
            .isInstanceOf(IllegalStateException.class).hasMessageContaining("/nowhere/libascendcl.so: no such file")
            .hasMessageContaining("millrace.acl.library").hasMessageContaining("MILLRACE_ACL_LIBRARY");
        assertThatThrownBy(() -> new AclDevice(new AclDevice.Context().libraryPath("libc.so.6")))
            .isInstanceOf(IllegalStateException.class).hasMessageContaining("lacks [").hasMessageContaining("aclInit");
    }

    @Test
    void refusesToRegisterWhatIsNotItsMemory()
    {
        final StandIn standIn = StandIn.get(StandIn.Symbols.NEW);
        try (AclDevice device = new AclDevice(standIn.context(1)); AclDevice other = new AclDevice(standIn.context(2));
            Memory malloc = new Memory(64))
        {
            assertThatThrownBy(() -> device.register(Pointer.nativeValue(malloc), 64))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("is host memory, or none");
            final ByteBuffer staging = device.allocateStaging(64);
            assertThatThrownBy(() -> device.register(BufferUtil.address(staging), 64))
                .hasMessageContaining("is pinned host memory").hasMessageContaining("aclrtMalloc");
            final long address = other.allocate(64);
            assertThatThrownBy(() -> device.register(address, 64)).hasMessageContaining("is memory of device 2");
            assertThatThrownBy(() -> device.register(0, 64)).isInstanceOf(IllegalArgumentException.class);
            device.freeStaging(staging);
        }
    }

    @Test
    void importsDeviceMemoryByKey()
    {
        final StandIn standIn = StandIn.get(StandIn.Symbols.NEW);
        try (AclDevice owner = new AclDevice(standIn.context(1));
            AclDevice importer = new AclDevice(standIn.context(1)))
        {
            final long address = owner.allocate(4096);
            final String key = owner.exportMemory(address, 4096);
            final long mapped = importer.importMemory(key, 4096);
            owner.put(address + 7, new byte[]{42}, 0, 1);
            final byte[] out = new byte[1];
            importer.get(mapped + 7, out, 0, 1);
            assertThat(out[0]).isEqualTo((byte)42);
            importer.closeMemory(key, mapped);
            assertThat(importer.contains(mapped, 1)).isFalse();
        }
        try (AclDevice old = new AclDevice(StandIn.get(StandIn.Symbols.OF_2020).context(0)))
        {
            assertThatThrownBy(() -> old.importMemory("key", 64)).isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("aclrtIpcMemGetExportKey");
            assertThat(old.pinHost(4096, 4096)).isFalse();
        }
    }

    @Test
    void asynchronousCopiesUsePinnedHostMemoryOnly()
    {
        final StandIn standIn = StandIn.get(StandIn.Symbols.NEW);
        try (HostDevice host = new HostDevice(); AclDevice device = new AclDevice(standIn.context(0)))
        {
            final long memory = host.allocate(4096);
            final long address = device.allocate(4096);
            device.put(address, new byte[]{9}, 0, 1);
            final KvCopyQueue queue = device.openQueue();
            final KvCopyBatch batch = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
            batch.add(memory, address, 4096);
            queue.submit(batch);
            assertThat(KvDeviceContract.complete(queue, batch)).isEqualTo(KvCopyBatch.FAILED);
            assertThat(batch.failure()).contains("107000 PARAM_INVALID").contains("not pinned");

            assertThat(device.pinHost(memory, 4096)).isTrue();
            assertThat(device.pinHost(memory, 4096)).as("twice").isFalse();
            batch.reset(CopyDirection.DEVICE_TO_HOST).add(memory, address, 4096);
            queue.submit(batch);
            assertThat(KvDeviceContract.complete(queue, batch)).as(batch.failure()).isEqualTo(KvCopyBatch.COMPLETED);
            final byte[] bytes = new byte[1];
            host.get(memory, bytes, 0, 1);
            assertThat(bytes[0]).isEqualTo((byte)9);
            device.unpinHost(memory);
            assertThatThrownBy(() -> device.unpinHost(memory)).hasMessageContaining("no region of acl:0");
            queue.close();
        }
    }
}
