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
package io.millrace.samples.growth;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What was found for one count of something.
 *
 * @param of                   streams, peers, rails or terms.
 * @param count                of them, bytes for terms.
 * @param transport            {@code millrace} or {@code aeronUdp}.
 * @param nanosPerMessage      processor time of all drivers and applications for a message of 288 bytes, with
 *                             all streams sending as much as goes.
 * @param nanosPerLoneMessage  the same for one message in a duty cycle, while the others are silent.
 * @param idleCycleNanos       processor time of a duty cycle of all drivers with nothing to do.
 * @param connectMillis        until all streams are connected, and on rails.
 * @param bytesPerItem         resident memory for each of the count, share of shared pages.
 * @param registeredBytes      with the NIC by the sending driver.
 * @param idleProcessorPercent of one processor, with Aeron's default idle strategy.
 */
public record GrowthRow(
    @JsonProperty String of,
    @JsonProperty long count,
    @JsonProperty String transport,
    @JsonProperty double nanosPerMessage,
    @JsonProperty double nanosPerLoneMessage,
    @JsonProperty double idleCycleNanos,
    @JsonProperty double connectMillis,
    @JsonProperty double bytesPerItem,
    @JsonProperty long registeredBytes,
    @JsonProperty double idleProcessorPercent)
{
}
