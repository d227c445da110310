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
package io.millrace.efa;

import io.aeron.exceptions.ConfigurationException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ProtocolChoiceTest
{
    @AfterEach
    void clearProperties()
    {
        System.getProperties().keySet().removeIf((name) -> name.toString().startsWith("millrace.efa."));
    }

    @ParameterizedTest
    @ValueSource(strings = { "quic", "", "shm,tcp", "true" })
    void shouldRefuseUnknownWord(final String word)
    {
        assertThatThrownBy(() -> ProtocolChoice.select(new EfaContext().protocol(word)))
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContaining("unknown protocol '" + word + "'")
            .hasMessageContaining("auto, efa, tcp, shm, udp");
    }

    @Test
    void shouldRefuseNamedProtocolThatIsAbsent()
    {
        assertThatThrownBy(() -> ProtocolChoice.select(new EfaContext().protocol("efa")))
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContaining("protocol 'efa' is named but this machine has no EFA device")
            .hasMessageContaining("present: ")
            .hasMessageContaining("shm")
            .hasMessageContaining("use one of these");
    }

    @Test
    void shouldChooseBestPresentAndSayWhy()
    {
        final ProtocolChoice choice = ProtocolChoice.select(new EfaContext().protocol("AUTO"));

        assertThat(choice.protocol()).isEqualTo("shm");
        assertThat(choice.provider()).isEqualTo("shm");
        assertThat(choice.rails()).isEqualTo(1);
        assertThat(choice.isFallback()).isFalse();
        assertThat(choice.reason()).contains("auto").contains("; efa is absent");
    }

    @Test
    void shouldReuseSoftwareNicsForMoreRails()
    {
        assertThat(ProtocolChoice.select(new EfaContext().protocol("shm").rails(4)).rails()).isEqualTo(4);
    }

    @Test
    void shouldRefuseUnknownNic()
    {
        assertThatThrownBy(() -> ProtocolChoice.select(new EfaContext().protocol("tcp").nics("lo,rdmap0s9")))
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContaining("names 'rdmap0s9' which is not there; present: [")
            .hasMessageContaining("lo");
    }

    @ParameterizedTest
    @CsvSource({
        "millrace.efa.rails, -1, a whole number from 0 to 64",
        "millrace.efa.rails, two, a whole number from 0 to 64",
        "millrace.efa.rail.slots, 15, a whole number from 16 to 16384",
        "millrace.efa.link.timeout, 5 minutes, a duration with unit",
        "millrace.efa.link.timeout, 1ms, of at least 100ms",
        "millrace.efa.keepalive.interval, 6s, has to exceed" })
    void shouldNameValueAndRuleOfBadProperty(final String name, final String value, final String rule)
    {
        System.setProperty(name, value);
        assertThatThrownBy(() -> new EfaContext().protocol("udp").conclude())
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContaining(name)
            .hasMessageContaining(rule);
    }

    @Test
    void shouldRefuseRailsOutOfRange()
    {
        assertThatThrownBy(() -> new EfaContext().protocol("shm").rails(65).conclude())
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContaining("rails=65");
    }
}
