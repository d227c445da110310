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
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The bridge's own tests, which run over stock Aeron in its module, over drivers on rails, whose channels allow nothing
 * else: streams, priorities, layers, prefixes, several receivers, fates, bad input, faults and resharding, with NPUs of
 * the stand-in library over {@code shm} and host memory over {@code tcp}. With
 * {@code -Dmillrace.test.scenarios=all} both devices over both, resumption, sessions, libraries of 2020, replays,
 * slabs, what is copied without staging and the test of allocation as well.
 */
@Timeout(600)
class BridgeOnRailsTest
{
    private static final boolean IS_ALL = "all".equals(System.getProperty("millrace.test.scenarios"));
    private static final List<String> SCENARIOS = List.of(
        "TransferTest", "PartialTest", "HandleTest", "DestinationsTest", "FateTest", "RefusalTest", "AddressTest",
        "FaultTest", "reshard.ReshardStreamTest");
    private static final List<String> FURTHER = List.of(
        "ResumeTest", "ResumeOfSeveralTest", "EarlyCommitTest", "EagerTest", "session.KvSessionsTest",
        "session.SessionTransfersTest", "AclStreamTest", "AllocationTest", "DirectTest", "ReplayTest",
        "SlabStreamTest");
    private static final Path CLASSES = Tool.ROOT.resolve("ascend-bridge/target/test-classes");
    private static final int LEAST_SCENARIOS = 25;

    @TempDir
    private Path directory;

    @Test
    void scenariosPassOverRails() throws IOException
    {
        assertThat(CLASSES).as("built by: mvn -pl ascend-bridge -am test-compile").isDirectory();
        final List<Tool> running = new ArrayList<>();
        try
        {
            // At the same time, for they wait more than they work.
            running.add(start("shm", "npu"));
            running.add(start("tcp", "host"));
            awaitPassed(running);
            if (IS_ALL)
            {
                running.clear();
                running.add(start("shm", "host"));
                running.add(start("tcp", "npu"));
                awaitPassed(running);
            }
        }
        finally
        {
            running.forEach(Tool::close);
        }
    }

    private static void awaitPassed(final List<Tool> running) throws IOException
    {
        for (final Tool tool : running)
        {
            assertThat(tool.awaitStatus()).as(tool::toString).isZero();
            final String passed = tool.out().lines().filter(line -> line.startsWith(BridgeScenarios.PASSED))
                .findFirst().orElseThrow().substring(BridgeScenarios.PASSED.length());
            assertThat(Integer.parseInt(passed)).as(tool::toString).isGreaterThanOrEqualTo(LEAST_SCENARIOS);
        }
    }

    private Tool start(final String protocol, final String devices) throws IOException
    {
        final List<String> command = new ArrayList<>(List.of(
            System.getProperty("java.home") + "/bin/java", "-Xmx512m", "--enable-native-access=ALL-UNNAMED",
            "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED",
            "--add-opens", "java.base/java.util.zip=ALL-UNNAMED",
            "-Dmillrace.test.drivers=" + RailsPreparer.class.getName(),
            "-D" + RailsPreparer.PROTOCOL_PROPERTY + "=" + protocol,
            "-Dmillrace.test.channel.parameters=|fabric=required",
            "-Dmillrace.test.devices=" + devices,
            // The settings of this module's tests are on the class path too.
            "-Djunit.jupiter.execution.parallel.enabled=false",
            "-cp", System.getProperty("java.class.path") + ":" + CLASSES, BridgeScenarios.class.getName()));
        Stream.concat(SCENARIOS.stream(), IS_ALL ? FURTHER.stream() : Stream.empty())
            .forEach(name -> command.add("io.millrace.bridge." + name));
        return Tool.startProcess(Files.createDirectories(directory), Map.of(), command);
    }
}
