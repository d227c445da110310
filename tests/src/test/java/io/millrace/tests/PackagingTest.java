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
package io.millrace.tests;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Jars of a release: the same from two builds of what is compiled here, and those that run do.
 */
class PackagingTest
{
    private static final String JAVA_HOME = System.getProperty("java.home");
    private static final long MAVEN_DEADLINE_MINUTES = 10;

    @TempDir
    private Path directory;

    @Test
    void jarsAreReproducibleAndRunWithoutOptionsOfTheJvm() throws Exception
    {
        final Path jars = Files.createDirectory(directory.resolve("jars"));
        // Javadoc takes longer than all the rest: a release makes and compares it.
        final Tool script = Tool.startProcess(directory, Map.of("JAVA25_HOME", JAVA_HOME), List.of(
            Tool.ROOT.resolve("packaging/reproducible.sh").toString(), "--built", "--to", jars.toString(),
            "-Dmaven.javadoc.skip=true"));
        assertThat(script.process().waitFor(MAVEN_DEADLINE_MINUTES, TimeUnit.MINUTES)).as(script::toString).isTrue();
        assertThat(script.awaitStatus()).as(script::toString).isZero();
        assertThat(script.out()).contains("jars of two builds are identical, manifests are right");
        assertThat(names(jars, "*-sources.jar")).hasSize(5);
        assertThat(names(jars, "*-all.jar")).hasSize(2);

        final Tool help = java(jars, "samples", List.of(), "--help");
        assertThat(help.awaitStatus()).as(help::toString).isZero();
        assertThat(help.out()).startsWith("Usage: ./millrace").contains("driver", "stat", "archive");
        assertDriverRuns(jars);

        // Its processes find their classes from where they work.
        final Tool demo = java(jars, "samples", List.of(), "demo", "--requests", "1", "--model", "2x1x16", "--json");
        assertThat(demo.awaitStatus()).as(demo::toString).isZero();
        assertThat(demo.json().get("verified").asBoolean()).isTrue();
    }

    private void assertDriverRuns(final Path jars) throws Exception
    {
        final String home = directory.resolve("driver").toString();
        try (Tool driver = java(jars, "media-driver-efa", List.of("-Daeron.dir=" + home,
            "-Daeron.threading.mode=SHARED", "-Dmillrace.efa.protocol=shm", "-Daeron.dir.delete.on.shutdown=true")))
        {
            driver.awaitTrue("cnc.dat", () -> Files.exists(Path.of(home, "cnc.dat")));
            driver.awaitTrue("heartbeat", () -> isUp(jars, home));
            driver.signal("TERM");
            assertThat(driver.awaitStatus()).as(driver::toString).isIn(0, 143);
            assertThat(driver.err()).contains("protocol=shm").doesNotContain("WARNING", "\tat ");
            assertThat(Path.of(home)).doesNotExist();
        }
    }

    private boolean isUp(final Path jars, final String home)
    {
        try
        {
            final Tool stat = java(jars, "samples", List.of(), "stat", "--dir", home, "--json");
            return 0 == stat.awaitStatus() && stat.json().at("/protocol/text").asText().contains("provider=shm");
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    /**
     * Named as one does who stands beside it.
     */
    private static Tool java(
        final Path jars, final String module, final List<String> properties, final String... arguments)
        throws IOException
    {
        final List<String> command = new ArrayList<>(List.of(Path.of(JAVA_HOME, "bin", "java").toString()));
        command.addAll(properties);
        command.addAll(List.of("-jar", names(jars, "millrace-" + module + "-*-all.jar").getFirst()));
        command.addAll(List.of(arguments));
        return Tool.startShell(jars, Map.of(), String.join(" ", command));
    }

    private static List<String> names(final Path jars, final String glob) throws IOException
    {
        final List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(jars, glob))
        {
            files.forEach((file) -> names.add(file.getFileName().toString()));
        }
        return names;
    }
}
