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
package io.millrace.archive;

import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(120)
class ReadDeadlineTest
{
    private static final KvScope SCOPE = new KvScope("", Rig.LAYOUT);

    @TempDir
    private Path directory;

    @Test
    void aCallersDeadlineIsNotHeldAgainstTheArchive()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); Rig.Destination target = new Rig.Destination();
            KvBlockStore store = KvBlockStore.open(rig.client, new KvBlockStore.Context()
                .indexFile(directory.resolve("index")).updateIntervalNs(0));
            KvBlockReader reader = new KvBlockReader(List.of(store, store), Rig.LIMIT_NS))
        {
            rig.recordOnly(1);
            store.update(KvScanProgress.NONE);

            final long[] hashes = {1000, 77};
            final KvRead late = reader.read(SCOPE, hashes, target.cache.allocate(2), target::receiverContext, 1);
            assertThat(late.landed()).isEmpty();
            assertThat(late.failed()).containsExactly(0);
            assertThat(late.missing()).containsExactly(1);
            assertThat(late.failovers()).isZero();
            assertThat(late.errorText()).contains("not read within 1ns");

            final KvRead read = reader.read(
                SCOPE, hashes, target.cache.allocate(2), target::receiverContext, Rig.LIMIT_NS);
            assertThat(read.landed()).as(read.errorText()).containsExactly(0);
            assertThat(read.errorText()).isNull();
        }
    }
}
