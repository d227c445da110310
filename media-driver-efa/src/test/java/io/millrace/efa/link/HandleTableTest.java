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
package io.millrace.efa.link;

import org.junit.jupiter.api.Test;

import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.Set;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mockito.Mockito.mock;

class HandleTableTest
{
    private static final RailChannel CHANNEL = mock(RailChannel.class);

    private final HandleTable table = new HandleTable();

    @Test
    void shouldFindRegisteredLinksOnly()
    {
        final Link link = link(table.allocate());
        assertThat(table.lookup(link.handle())).isNull();

        table.register(link);
        assertThat(table.lookup(link.handle())).isSameAs(link);
        assertThat(table.lookup(link.handle() + 1)).isNull();
        assertThat(table.lookup(0xFFFF_FFFFL)).isNull();
        assertThat(table.lookup(0)).isNull();

        table.unregister(link);
        assertThat(table.lookup(link.handle())).isNull();
    }

    @Test
    void shouldGiveOutPositiveHandlesAndFailWithRemedyWhenAllAreInUse()
    {
        final Set<Integer> handles = new HashSet<>();
        for (int i = 0; i < HandleTable.CAPACITY; i++)
        {
            final int handle = table.allocate();
            assertThat(handle).isPositive();
            assertThat(handles.add(handle)).isTrue();
        }

        assertThatThrownBy(table::allocate).hasMessageContaining("limit").hasMessageContaining("use fewer peers");
    }

    @Test
    void shouldNotFindAStaleHandleWhenItsSlotIsUsedAgain()
    {
        final Link first = link(table.allocate());
        table.register(first);
        table.unregister(first);
        table.free(first.handle());
        for (int i = 1; i < HandleTable.CAPACITY; i++)
        {
            table.allocate();
        }

        int generations = 0;
        int handle = first.handle();
        do
        {
            final Link next = link(table.allocate());
            assertThat(next.handle() & 0xFFFF).isEqualTo(first.handle() & 0xFFFF);
            assertThat(next.handle()).isNotEqualTo(handle).isPositive();
            table.register(next);
            assertThat(table.lookup(handle)).isNull();
            table.unregister(next);
            table.free(next.handle());
            handle = next.handle();
        }
        while (++generations < Short.MAX_VALUE + 10);
    }

    private static Link link(final int handle)
    {
        return new Link(CHANNEL, new InetSocketAddress("127.0.0.1", 1), handle);
    }
}
