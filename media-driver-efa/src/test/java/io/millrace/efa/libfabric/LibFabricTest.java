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

import org.assertj.core.api.AbstractStringAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Loading, version, providers and NICs; and what a process without a usable library is told.
 */
class LibFabricTest
{
    @TempDir
    private Path directory;

    @Test
    void shouldLoadOnceAndKnowVersionAndPath()
    {
        assertThat(LibFabric.unavailabilityCause()).isNull();
        final LibFabric fabric = LibFabric.load();
        assertThat(LibFabric.load()).isSameAs(fabric);
        assertThat(fabric.version()).isGreaterThanOrEqualTo(LibFabric.MIN_VERSION);
        assertThat(fabric.versionText())
            .isEqualTo((fabric.version() >>> 16) + "." + (fabric.version() & 0xFFFF));
        assertThat(Path.of(fabric.path())).isRegularFile();
        assertThat(FabricErrors.text(FabricErrors.ETRUNC)).isNotBlank().doesNotStartWith("error ");
    }

    @Test
    void shouldListOneShmNic()
    {
        final List<FabricNic> nics = LibFabric.load().nics(FabricProvider.SHM);
        assertThat(nics).hasSize(1);
        final FabricNic nic = nics.getFirst();
        assertThat(nic.provider()).isEqualTo(FabricProvider.SHM);
        assertThat(nic.providerName()).isEqualTo("shm");
        assertThat(nic.domainName()).isEqualTo("shm");
        assertThat(nic.wireName()).matches("shm/\\d+\\.\\d+");
        assertThat(nic.sourceAddressText()).startsWith("fi_shm://");
        assertThat(nic.supportsRma()).isTrue();
        assertThat(nic.numaNode()).isEqualTo(-1);
        assertThat(nic.speedMbps()).isZero();
        assertThat(nic.loopback()).isFalse();
    }

    @Test
    void shouldListOneTcpNicForEachInterfaceWithLoopbackLast()
    {
        final List<FabricNic> nics = LibFabric.load().nics(FabricProvider.TCP);
        assertThat(nics).extracting(FabricNic::domainName).doesNotHaveDuplicates().isNotEmpty();
        assertThat(nics).extracting(FabricNic::wireName).containsOnly(
            LibFabric.load().version() < FabricFlags.version(1, 18) ? "net" : "tcp");
        final FabricNic last = nics.getLast();
        assertThat(last.loopback()).isTrue();
        assertThat(last.deviceName()).isEqualTo("lo");
        assertThat(last.sourceAddressText()).isEqualTo("127.0.0.1");
        assertThat(nics.subList(0, nics.size() - 1)).noneMatch(FabricNic::loopback);
    }

    @Test
    void shouldListNoEfaNicWithoutDevice()
    {
        final List<FabricNic> nics = LibFabric.load().nics(FabricProvider.EFA);
        final boolean hasDevice = Files.isDirectory(Path.of("/sys/class/infiniband"));
        assertThat(nics.isEmpty()).isEqualTo(!hasDevice);
        assertThat(LibFabric.load().absenceCause(FabricProvider.EFA)).contains("EFA device");
        assertThat(LibFabric.load().absenceCause(FabricProvider.TCP)).contains("neither a tcp nor a net provider");
        assertThat(LibFabric.load().absenceCause(FabricProvider.SHM)).contains("shm");
    }

    @Test
    void shouldSayInOneSentenceThatTheFileIsMissing() throws Exception
    {
        assertSentence(directory.resolve("libfabric.so.1"))
            .startsWith("libfabric is not at " + directory.resolve("libfabric.so.1"))
            .contains("correct or remove the property");
    }

    @Test
    void shouldSayInOneSentenceThatTheLibraryIsTooOld() throws Exception
    {
        final Path library = directory.resolve("libfabric.so.1");
        final Path source = directory.resolve("old.c");
        Files.writeString(source, "unsigned int fi_version(void) { return 1 << 16 | 10; }\n");
        compile(source, library);
        assertSentence(directory)
            .startsWith("libfabric 1.10 at " + library + " is too old: install libfabric 1.17 or later");
    }

    @Test
    void shouldSayInOneSentenceThatTheFileIsNoLibrary() throws Exception
    {
        final Path file = directory.resolve("broken.so");
        Files.writeString(file, "no library");
        assertSentence(file).startsWith("libfabric cannot be loaded (" + file).contains("install libfabric 1.17");
    }

    @Test
    void shouldSayInOneSentenceThatJnaCannotBeUsed() throws Exception
    {
        final Path file = Files.createFile(directory.resolve("file"));
        final ForkedJvm.Result result = ForkedJvm.run(
            List.of("-Djna.nosys=true", "-Djna.tmpdir=" + file.resolve("sub")), LoadMain.class);
        assertThat(result.exitCode()).as(result.output()).isEqualTo(3);
        // JNA logs a warning of its own before.
        assertThat(result.output().lines().toList().getLast())
            .startsWith("libfabric cannot be called, JNA or native access fails (").contains("or set jna.tmpdir");
    }

    @Test
    void shouldRefuseEnvironmentThatEndsTheProcess()
    {
        assertThat(FabricEnvironment.hazard((name) -> null)).isNull();
        assertThat(FabricEnvironment.hazard((name) -> "FI_EFA_TX_MIN_CREDITS".equals(name) ? "32" : null)).isNull();
        assertThat(FabricEnvironment.hazard((name) -> "FI_EFA_TX_MIN_CREDITS".equals(name) ? "0" : null))
            .contains("FI_EFA_TX_MIN_CREDITS is '0'");
        assertThat(FabricEnvironment.hazard((name) -> "FI_EFA_MTU_SIZE".equals(name) ? "8192" : null))
            .contains("FI_EFA_MTU_SIZE");
        assertThat(FabricEnvironment.hazard((name) -> "FI_EFA_IFACE".equals(name) ? "" : null))
            .contains("FI_EFA_IFACE is empty");
        assertThat(FabricEnvironment.hazard((name) -> "FI_EFA_IFACE".equals(name) ? "all" : null)).isNull();
    }

    private static void compile(final Path source, final Path library) throws Exception
    {
        final Process process = new ProcessBuilder(
            "gcc", "-shared", "-fPIC", "-o", library.toString(), source.toString()).inheritIO().start();
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
    }

    private static AbstractStringAssert<?> assertSentence(final Path library) throws Exception
    {
        final ForkedJvm.Result result = ForkedJvm.run(
            List.of("-D" + LibFabric.PATH_PROP_NAME + "=" + library), LoadMain.class);
        assertThat(result.exitCode()).as(result.output()).isEqualTo(3);
        assertThat(result.output().lines()).hasSize(1);
        return assertThat(result.output());
    }

    /**
     * Prints why libfabric cannot be used, twice the same.
     */
    static final class LoadMain
    {
        private LoadMain()
        {
        }

        public static void main(final String[] args)
        {
            final String cause = LibFabric.unavailabilityCause();
            try
            {
                LibFabric.load();
                System.out.println("loaded");
            }
            catch (final FabricUnavailableException ex)
            {
                System.out.println(ex.getMessage());
                System.exit(ex.getMessage().equals(cause) && !LibFabric.isAvailable() ? 3 : 4);
            }
        }
    }
}
