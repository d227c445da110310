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

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * {@code ./millrace sample plain-aeron} and its twin in C.
 */
class PlainAeronSampleTest
{
    private static final String MESSAGES = "2000";

    @TempDir
    private Path directory;

    private Tool driver(final Path home, final String protocol) throws IOException
    {
        final Tool driver = Tool.start(directory, Map.of(), "driver", "-Daeron.dir=" + home,
            "-Dmillrace.efa.protocol=" + protocol, "-Daeron.threading.mode=SHARED", "-Daeron.term.buffer.length=64k",
            "-Daeron.dir.delete.on.shutdown=true");
        driver.awaitLine();
        return driver;
    }

    private static String channel()
    {
        return "aeron:udp?endpoint=127.0.0.1:" + Tool.freePort();
    }

    @Test
    void runsOverTwoDriversThatKnowEachOther() throws IOException
    {
        final String channel = channel();
        final Path one = directory.resolve("one");
        final Path two = directory.resolve("two");
        try (Tool first = driver(one, "shm"); Tool second = driver(two, "shm");
            Tool subscriber = Tool.start(directory, Map.of(), "sample", "plain-aeron", "subscribe", "--dir",
                two.toString(), "--channel", channel, "--messages", MESSAGES, "--json"))
        {
            final Tool publisher = Tool.run(directory, "sample", "plain-aeron", "publish", "--dir", one.toString(),
                "--channel", channel, "--messages", MESSAGES);
            assertThat(publisher.process().exitValue()).as(publisher::toString).isZero();
            assertThat(publisher.out()).isEqualTo("published " + MESSAGES + "\n");
            assertThat(subscriber.awaitStatus()).as(subscriber::toString).isZero();
            assertThat(subscriber.json().get("received").asText()).isEqualTo(MESSAGES);
            assertThat(first.process().isAlive() && second.process().isAlive()).isTrue();
        }
    }

    @Test
    void showsThePeerOnRailsWhileItPublishesAndRunsAsBothSides() throws Exception
    {
        final String channel = channel();
        final Path one = directory.resolve("one");
        final Path two = directory.resolve("two");
        try (Tool first = driver(one, "shm"); Tool second = driver(two, "shm");
            Tool subscriber = Tool.start(directory, Map.of(), "sample", "plain-aeron", "subscribe", "--dir",
                two.toString(), "--channel", channel);
            Tool publisher = Tool.start(directory, Map.of(), "sample", "plain-aeron", "publish", "--dir",
                one.toString(), "--channel", channel, "--rate", "500"))
        {
            publisher.awaitTrue("peer on rails", () -> isOnRails(one));
            for (final Tool tool : List.of(publisher, subscriber))
            {
                tool.signal("TERM");
                assertThat(tool.awaitStatus()).as(tool::toString).isEqualTo(143);
                assertThat(tool.out()).isEmpty();
            }
            final Tool both = Tool.run(directory, "sample", "plain-aeron", "--dir", one.toString(), "--channel",
                channel(), "--messages", MESSAGES);
            assertThat(both.process().exitValue()).as(both::toString).isZero();
            assertThat(first.process().isAlive() && second.process().isAlive()).isTrue();
        }
    }

    private boolean isOnRails(final Path driver)
    {
        try
        {
            final Tool stat = Tool.run(directory, "stat", "--dir", driver.toString(), "--json", "--interval", "0.1");
            return stat.json().get("peers").findValuesAsText("transport").contains("rails");
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    @Test
    void runsInCWhereAeronsClientIs() throws IOException
    {
        final Path home = Path.of(System.getenv().getOrDefault("MILLRACE_AERON_C", "/usr/local"));
        final Path include = home.resolve("include");
        final Path library = home.resolve("lib");
        Assumptions.assumeTrue(
            Files.exists(include.resolve("aeronc.h")) && Files.exists(library.resolve("libaeron.so")),
            "no Aeron C client in " + home + ": MILLRACE_AERON_C names the directory that has include and lib");
        final String program = directory.resolve("plain_aeron").toString();
        final Tool compiler = Tool.startProcess(directory, Map.of(), List.of("gcc", "-std=c11", "-D_GNU_SOURCE",
            "-Wall", "-Wextra", "-Werror", "-I" + include, "-o", program,
            Tool.ROOT.resolve("samples/src/main/c/plain_aeron.c").toString(), "-L" + library, "-laeron",
            "-Wl,-rpath," + library));
        assertThat(compiler.awaitStatus()).as(compiler::toString).isZero();

        final String channel = channel();
        final Path dir = directory.resolve("driver");
        try (Tool driver = driver(dir, "udp"); Tool subscriber = Tool.startProcess(directory, Map.of(),
            List.of(program, "subscribe", dir.toString(), channel, MESSAGES)))
        {
            final Tool publisher = Tool.run(directory, "sample", "plain-aeron", "publish", "--dir", dir.toString(),
                "--channel", channel, "--messages", MESSAGES);
            assertThat(publisher.process().exitValue()).as(publisher::toString).isZero();
            assertThat(subscriber.awaitStatus()).as(subscriber::toString).isZero();
            assertThat(subscriber.out()).isEqualTo("received " + MESSAGES + "\n");
            assertThat(driver.process().isAlive()).isTrue();
        }
    }
}
