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

import io.millrace.bridge.KvSender;
import io.millrace.bridge.device.KvDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class KvDevicesTest
{
    @ParameterizedTest
    @CsvSource({"host,host:0", "host:7,host:7", "acl,acl:0", " acl:3 ,acl:3"})
    void opensByName(final String name, final String expected)
    {
        final String before = System.getProperty(AclDevice.Context.LIBRARY_PROP_NAME);
        System.setProperty(AclDevice.Context.LIBRARY_PROP_NAME, StandIn.get(StandIn.Symbols.NEW).path());
        try (KvDevice device = KvDevices.open(name))
        {
            assertThat(device.name()).isEqualTo(expected);
        }
        finally
        {
            if (null == before)
            {
                System.clearProperty(AclDevice.Context.LIBRARY_PROP_NAME);
            }
            else
            {
                System.setProperty(AclDevice.Context.LIBRARY_PROP_NAME, before);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "cuda", "acl:", "acl:-1", "host:x", "acl:99999"})
    void refusesOtherNames(final String name)
    {
        assertThatThrownBy(() -> KvDevices.open(name)).isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("millrace.bridge.device='" + name + "'").hasMessageContaining("MILLRACE_DEVICE");
    }

    @Test
    void contextsOpenTheConfiguredDeviceAndKeepIt()
    {
        System.setProperty(KvDevices.PROP_NAME, "host:5");
        try
        {
            final KvSender.Context ctx = new KvSender.Context();
            assertThat(ctx.device().name()).isEqualTo("host:5");
            assertThat(ctx.device()).isSameAs(ctx.device());
            ctx.device().close();
        }
        finally
        {
            System.clearProperty(KvDevices.PROP_NAME);
        }
    }
}
