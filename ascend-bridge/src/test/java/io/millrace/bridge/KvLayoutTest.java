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

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class KvLayoutTest
{
    @Test
    void knowsModels()
    {
        assertThat(KvLayout.parse("qwen2.5-0.5b").bytesPerToken()).isEqualTo(12 * 1024);
        assertThat(KvLayout.parse("llama-3-8b").bytesPerToken()).isEqualTo(128 * 1024);
        assertThat(KvLayout.parse("24x2x64")).isEqualTo(KvLayout.parse("qwen2.5-0.5b"));
        assertThat(KvLayout.parse("llama-3-8b", 32).blockBytesPerLayer()).isEqualTo(32 * 4096);
        assertThat(KvLayout.parse("1x1x16").blocksFor(17)).isEqualTo(2);
        assertThat(KvLayout.parse("1x1x16").totalBytes(2)).isEqualTo(2 * 16 * 64);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "gpt", "1x2", "1x2x3x4", "-1x2x3", "axbxc", "999999x1x1"})
    void refusesOtherText(final String text)
    {
        assertThatThrownBy(() -> KvLayout.parse(text)).isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("'" + text + "'").hasMessageContaining("LAYERSxHEADSxDIM");
    }

    @Test
    void refusesShapesOutOfRange()
    {
        assertThatThrownBy(() -> KvLayout.parse("0x2x64")).hasMessageContaining("layers=0 is out of range: use 1 to");
        assertThatThrownBy(() -> KvLayout.parse("1x60000x60000")).hasMessageContaining("lower tokensPerBlock");
        assertThatThrownBy(() -> KvLayout.parse("1x2x64", 0)).hasMessageContaining("tokensPerBlock=0");
    }
}
