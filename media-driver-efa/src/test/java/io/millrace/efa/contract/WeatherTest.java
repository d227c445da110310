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
package io.millrace.efa.contract;

import io.aeron.exceptions.ConfigurationException;
import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.CompletionBatch;
import io.millrace.efa.libfabric.EfaErrors;
import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.FabricProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * The weather's file, and each kind of weather over the real shm provider.
 */
@Timeout(150)
class WeatherTest
{
    private static final int MESSAGES = 200;
    private static final int LENGTH = 100;

    @TempDir
    private Path directory;

    private EfaContract contract(final String... lines) throws IOException
    {
        return contract(7, lines);
    }

    private EfaContract contract(final long seed, final String... lines) throws IOException
    {
        final Path file = Files.createTempFile(directory, "weather", ".properties");
        Files.write(file, List.of(lines));
        return new EfaContract(ContractMode.STRICT, file.toString(), seed);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "eagain.rte=0.1 | unknown key 'eagain.rte', known are completion.hold.polls, ",
        "eagain.rate=1.1 | eagain.rate=1.1: a probability from 0 to 1 is needed",
        "eagain.rate=NaN | eagain.rate=NaN: a probability",
        "eagain.rate=often | eagain.rate=often: a probability",
        "eagain.rate= | a value is needed",
        "eagain.burst=0 | a whole number from 1 to 65536 is needed",
        "delivery.delay.max=3 metres | a duration with unit (ns, us, ms, s) is needed",
        "delivery.delay.min=-1us | a duration with unit",
        "device.send.length=100 | bytes, or with suffix k, m or g, from 1024 to 65535 are needed",
        "device.send.length=8x | bytes, or with suffix",
        "error.statuses=9,,13 | error.statuses=: a whole number",
        "error.statuses=99 | error.statuses has 99, which is no prov_errno of EFA: use some of [1, 2, 3, ",
        "rail.deaths=many | rail.deaths=many: a whole number from 0" })
    void shouldRefuseWhatItCannotUse(final String line, final String message)
    {
        assertThatThrownBy(() -> contract(line)).isInstanceOf(ConfigurationException.class)
            .hasMessageContaining("weather file " + directory).hasMessageContaining(message);
    }

    @Test
    void shouldRefuseDelaysOutOfOrderAndFilesThatAreNotThere()
    {
        assertThatThrownBy(() -> contract("delivery.delay.min=2us", "delivery.delay.max=1us"))
            .isInstanceOf(ConfigurationException.class).hasMessageContaining("is less than delivery.delay.min=2000ns");
        assertThatThrownBy(() -> new EfaContract(ContractMode.STRICT, directory + "/none", 1))
            .isInstanceOf(ConfigurationException.class).hasMessageContaining("cannot be read");
    }

    @Test
    void shouldBeTurnedOnByTheContext() throws IOException
    {
        assertThatThrownBy(() -> new EfaContext().contractSeed(1).conclude())
            .isInstanceOf(ConfigurationException.class).hasMessageContaining("set the contract to lenient or strict");
        assertThatThrownBy(() -> new EfaContext().contractWeatherFile("x").conclude())
            .isInstanceOf(ConfigurationException.class).hasMessageContaining("millrace.efa.contract=off, but");
        System.setProperty("millrace.efa.contract", "Strict");
        try
        {
            assertThatThrownBy(() -> new EfaContext().conclude()).isInstanceOf(ConfigurationException.class)
                .hasMessage("ERROR - millrace.efa.contract=Strict: one of off, lenient, strict is needed");
            System.setProperty("millrace.efa.contract", "lenient");
            System.setProperty("millrace.efa.contract.seed", "3");
            assertThat(ProtocolChoice.select(new EfaContext().protocol("shm")).reason())
                .isEqualTo("asked for by name; EFA contract lenient, weather calm, seed 3");
            assertThat(ProtocolChoice.select(new EfaContext().protocol("udp")).reason())
                .isEqualTo("asked for by name; EFA contract lenient has no rails to judge");
            System.setProperty("millrace.efa.contract.seed", "three");
            assertThatThrownBy(() -> new EfaContext().conclude()).isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("millrace.efa.contract.seed=three: a whole number");
        }
        finally
        {
            System.clearProperty("millrace.efa.contract");
            System.clearProperty("millrace.efa.contract.seed");
        }
        assertThat(ProtocolChoice.select(new EfaContext().protocol("shm")).reason()).isEqualTo("asked for by name");
    }

    /** Immediates in the order in which they arrive. */
    private List<Long> exchange(final EfaContract from, final EfaContract to, final int[] failed)
    {
        try (Node a = new Node(from, FabricProvider.SHM); Node b = new Node(to, FabricProvider.SHM))
        {
            final long toB = a.connect(b);
            for (int i = 0; i < MESSAGES; i++)
            {
                b.postReceive(i * LENGTH, LENGTH, i);
                a.send(b, toB, LENGTH, i, i);
            }
            Node.until(() -> MESSAGES == a.errors.size() +
                a.completions.stream().filter((completion) -> !completion.isReceive()).count(), a, b);
            final int least = MESSAGES - a.errors.size();
            Node.until(() -> b.completions.size() >= least, a, b);
            failed[0] = a.errors.size();
            final List<Long> arrived = new ArrayList<>();
            b.completions.forEach((completion) -> arrived.add(completion.data()));
            return arrived;
        }
    }

    @Test
    void shouldReorderDeliveriesBySeed() throws IOException
    {
        final int[] failed = new int[1];
        final String[] lines = { "delivery.hold.rate=0.5", "delivery.hold.polls=5", "completion.hold.rate=0.5" };
        final List<Long> arrived = exchange(contract(), contract(lines), failed);
        assertThat(arrived).hasSize(MESSAGES).doesNotHaveDuplicates();
        assertThat(arrived).isNotEqualTo(arrived.stream().sorted().toList());
        assertThat(failed[0]).isZero();
    }

    @ParameterizedTest
    @CsvSource({ "0", "1" })
    void shouldFailOperationsWhoseBytesMayHaveArrived(final int delivered) throws IOException
    {
        final int[] failed = new int[1];
        final List<Long> arrived = exchange(
            contract("error.rate=0.2", "error.delivered.rate=" + delivered, "error.statuses=9"), contract(), failed);
        assertThat(failed[0]).isBetween(1, MESSAGES - 1);
        assertThat(arrived).hasSize(0 == delivered ? MESSAGES - failed[0] : MESSAGES);
    }

    @Test
    void shouldFailTheSameOperationsForTheSameSeed() throws IOException
    {
        final String[] lines = { "error.rate=0.2", "error.delivered.rate=0" };
        assertThat(lost(3, lines)).isEqualTo(lost(3, lines)).isNotEqualTo(lost(4, lines)).isNotEmpty();
    }

    private List<Integer> lost(final long seed, final String... lines) throws IOException
    {
        try (Node a = new Node(contract(seed, lines), FabricProvider.SHM);
            Node b = new Node(contract(), FabricProvider.SHM))
        {
            final long toB = a.connect(b);
            b.postReceive(0, LENGTH, 0);
            final List<Integer> lost = new ArrayList<>();
            for (int i = 0; i < MESSAGES; i++)
            {
                a.send(b, toB, LENGTH, i, 1);
                final int done = i + 1;
                Node.until(() -> done == a.errors.size() + a.completions.size(), a, b);
                if (a.errors.size() > lost.size())
                {
                    lost.add(i);
                }
                else
                {
                    final int arrived = done - lost.size();
                    Node.until(() -> arrived == b.completions.size(), a, b);
                    b.postReceive(0, LENGTH, 0);
                }
            }
            return lost;
        }
    }

    @Test
    void shouldShowNothingBehindAnErrorUntilItIsRead() throws IOException
    {
        final EfaContract contract = contract("error.rate=1", "error.delivered.rate=0", "error.statuses=13");
        try (Node a = new Node(contract, FabricProvider.SHM); Node b = new Node(contract(), FabricProvider.SHM))
        {
            final long toB = a.connect(b);
            a.send(b, toB, LENGTH, 0, 0);
            Node.until(() -> !a.errors.isEmpty(), a);
            assertThat(a.errors).containsExactly(EfaErrors.LOCAL_UNRESPONSIVE_REMOTE.number());

            try (CompletionBatch batch = new CompletionBatch(4))
            {
                a.send(b, toB, LENGTH, 0, 0);
                Node.until(() -> -FabricErrors.EAVAIL == a.endpoint.poll(batch));
                assertThat(a.endpoint.poll(batch)).isEqualTo(-FabricErrors.EAVAIL);
                a.progress();
                assertThat(a.endpoint.poll(batch)).isZero();
            }
        }
    }

    @Test
    void shouldDieAfterSoManyOperations() throws IOException
    {
        final EfaContract contract = contract("rail.death.operations=3", "rail.deaths=1");
        try (Node a = new Node(contract, FabricProvider.SHM); Node b = new Node(contract, FabricProvider.SHM))
        {
            final long toB = a.connect(b);
            final long toA = b.endpoint.insertAddress(a.endpoint.localAddress());
            for (int i = 0; i < 2; i++)
            {
                b.postReceive(i * LENGTH, LENGTH, i);
                Node.until(() -> 0 == a.endpoint.inject(a.sendAddress(), 8, 0, toB) ||
                    null != a.endpoint.eventErrorText(), a, b);
            }
            Node.until(() -> -FabricErrors.EAGAIN == a.endpoint.inject(a.sendAddress(), 8, 0, toB), b);
            assertThat(a.endpoint.pollEvents()).isPositive();
            assertThat(a.endpoint.eventErrorText()).contains("died of the weather");
            for (int i = 0; i < 5; i++)
            {
                b.endpoint.inject(b.sendAddress(), 8, 0, toA);
            }
            assertThat(b.endpoint.eventErrorText()).as("one death is the limit").isNull();
        }
    }

    @Test
    void shouldRehearseANicWithoutRma() throws IOException
    {
        final EfaContract contract = contract("device.write.length=0", "device.send.length=4k", "device.tx.depth=16");
        try (Node a = new Node(contract, FabricProvider.SHM))
        {
            assertThat(a.endpoint.maxRmaLength()).isZero();
            assertThat(a.endpoint.maxSendLength()).isEqualTo(4096);
            assertThat(a.endpoint.txDepth()).isEqualTo(16);
        }
    }
}
