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

import static org.assertj.core.api.Assertions.assertThat;

class OfferRoomTest
{
    private static final int TERM_LENGTH = 64 * 1024;
    private static final long CAPACITY = 100;

    private final OfferRoom room = new OfferRoom();

    /**
     * Nothing else protects the completion queue of an EFA NIC.
     */
    @Test
    void shouldTakeNoMoreFramesThanCompletionQueuesHold()
    {
        assertThat(room.take(TERM_LENGTH, 60, CAPACITY)).isNotNegative();
        assertThat(room.take(TERM_LENGTH, 40, CAPACITY)).isNotNegative();
        final long result = room.take(TERM_LENGTH, 1, CAPACITY);
        assertThat(result).isNegative();
        assertThat(room.refusal(result, 1, CAPACITY))
            .isEqualTo("its window of 1 frames does not fit the completion queues of 100 entries, " +
            "of which 100 are taken");

        room.freeCompletions(60);
        assertThat(room.take(TERM_LENGTH, 60, CAPACITY)).isNotNegative();
        assertThat(room.take(TERM_LENGTH, 1, CAPACITY)).isNegative();
    }
}
