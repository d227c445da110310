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
package io.millrace.bridge;

import java.nio.file.Files;
import java.nio.file.Path;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

class KvCounterDocumentTest
{
    @ParameterizedTest
    @EnumSource(value = KvCounters.Kind.class, mode = EnumSource.Mode.MATCH_NONE, names = {
        "D2H_.*", "H2D_.*", "COPIES.*", "COPY_.*", "BATCH_.*", "STREAM_.*", "STAGING_.*"})
    void streamCountersAreInTheDocument(final KvCounters.Kind kind) throws Exception
    {
        assertThat(Files.readString(Path.of("../docs/kv-streams.md"))).contains("| " + kind.typeId() + " | ");
    }
}
