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
package io.millrace.bridge.protocol;

import io.millrace.bridge.KvError;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class RecentTransfersTest
{
    private static final int CAPACITY = 64;

    @Test
    void knowsTheLastEndsAndNoMore()
    {
        final RecentTransfers recent = new RecentTransfers(CAPACITY);
        for (int i = 1; i <= 100 * CAPACITY; i++)
        {
            recent.add(i, KvError.CANCELED, -i);
            assertThat(recent.size()).isEqualTo(Math.min(i, CAPACITY));
        }

        for (int i = 1; i <= 100 * CAPACITY; i++)
        {
            assertThat(recent.contains(i)).isEqualTo(i > 99 * CAPACITY);
        }
        assertThat(recent.error(100 * CAPACITY)).isEqualTo(KvError.CANCELED);
        assertThat(recent.checksum(100 * CAPACITY)).isEqualTo(-100 * CAPACITY);
    }

    @Test
    void transfersThatGoOnAndEndAgainTakeNoMoreRoom()
    {
        final RecentTransfers recent = new RecentTransfers(CAPACITY);
        for (int i = 1; i <= 100 * CAPACITY; i++)
        {
            recent.add(i, KvError.PEER_GONE, 0);
            recent.remove(i);
            recent.add(i, KvError.NONE, i);
            assertThat(recent.size()).isLessThanOrEqualTo(CAPACITY);
        }
        assertThat(recent.error(100 * CAPACITY)).isEqualTo(KvError.NONE);
    }
}
