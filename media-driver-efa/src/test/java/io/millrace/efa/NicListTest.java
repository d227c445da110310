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
import io.millrace.efa.libfabric.FabricNic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

class NicListTest
{
    private final FabricNic first = nic("rdmap0-rdm", "rdmap0");
    private final FabricNic second = nic("rdmap1-rdm", "rdmap1");
    private final FabricNic loopback = nic("lo", "lo");
    private final List<FabricNic> present = List.of(first, second, loopback);

    @Test
    void shouldTakeNamesOfDevicesAndDomainsInTheirOrder()
    {
        assertThat(select("rdmap1, rdmap0-rdm")).containsExactly(second, first);
        assertThat(select("lo")).containsExactly(loopback);
    }

    @Test
    void shouldTakeAllButLoopbackWithoutNames()
    {
        assertThat(select("")).containsExactly(first, second);
        assertThat(new NicList(" ").select(List.of(loopback))).containsExactly(loopback);
    }

    @Test
    void shouldLeaveOutWhatIsForbidden()
    {
        assertThat(select("!rdmap0")).containsExactly(second);
        assertThat(select("rdmap0,!rdmap1-rdm")).containsExactly(first);
        assertThatThrownBy(() -> select("!rdmap0,!rdmap1"))
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContaining("forbids all NICs; present: [rdmap0-rdm, rdmap1-rdm, lo]");
    }

    @ParameterizedTest
    @ValueSource(strings = { "rdmap2", "rdmap0,rdmap2", "!rdmap2", "RDMAP0" })
    void shouldListWhatIsThereForAnUnknownName(final String names)
    {
        assertThatThrownBy(() -> select(names))
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContaining("which is not there; present: [rdmap0-rdm, rdmap1-rdm, lo]");
    }

    @ParameterizedTest
    @ValueSource(strings = { "rdmap*", "rdmap?", "rdmap0,,rdmap1", ",", "!", "rdmap[01]", "!!rdmap0" })
    void shouldRefuseWhatIsNoName(final String names)
    {
        assertThatThrownBy(() -> new NicList(names))
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContaining("is no name of a NIC")
            .hasMessageContaining("no patterns");
    }

    @Test
    void shouldRefuseANameGivenTwice()
    {
        assertThatThrownBy(() -> new NicList("rdmap0,!rdmap0")).hasMessageContaining("'rdmap0' twice");
    }

    @Test
    void shouldTellWhenAnotherProviderIsMeant()
    {
        assertThat(new NicList("eth0").meansOthers(present)).isTrue();
        assertThat(new NicList("eth0,lo").meansOthers(present)).isFalse();
        assertThat(new NicList("").meansOthers(present)).isFalse();
        assertThat(new NicList("!eth0").meansOthers(present)).isFalse();
    }

    private List<FabricNic> select(final String names)
    {
        return new NicList(names).select(present);
    }

    private static FabricNic nic(final String domainName, final String deviceName)
    {
        final FabricNic nic = mock(FabricNic.class);
        when(nic.domainName()).thenReturn(domainName);
        when(nic.deviceName()).thenReturn(deviceName);
        when(nic.loopback()).thenReturn("lo".equals(domainName));
        return nic;
    }
}
