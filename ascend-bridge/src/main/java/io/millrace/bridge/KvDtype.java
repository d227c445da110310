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

/**
 * Element type of a KV cache.
 */
public enum KvDtype
{
    /**
     * bfloat16.
     */
    BF16(2),

    /**
     * IEEE half precision.
     */
    FP16(2),

    /**
     * IEEE single precision.
     */
    FP32(4),

    /**
     * 8-bit float with 4 exponent bits.
     */
    FP8_E4M3(1),

    /**
     * Signed 8-bit integer.
     */
    INT8(1);

    private final int bytes;

    KvDtype(final int bytes)
    {
        this.bytes = bytes;
    }

    /**
     * Size of one element.
     *
     * @return bytes.
     */
    public int bytes()
    {
        return bytes;
    }
}
