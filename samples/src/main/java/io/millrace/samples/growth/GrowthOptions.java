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

import io.millrace.efa.ProtocolChoice;

import java.nio.file.Path;
import java.util.List;

/**
 * What the user asked of the growth benchmark.
 *
 * @param choice    of the protocol.
 * @param protocol  word for Millrace's driver.
 * @param streams   counts of streams.
 * @param peers     counts of peers.
 * @param rails     counts of rails.
 * @param terms     lengths of terms in bytes.
 * @param durationMs of each measurement.
 * @param rounds    of each.
 * @param directory for the drivers' files.
 */
public record GrowthOptions(
    ProtocolChoice choice,
    String protocol,
    List<Integer> streams,
    List<Integer> peers,
    List<Integer> rails,
    List<Integer> terms,
    long durationMs,
    int rounds,
    Path directory)
{
}
