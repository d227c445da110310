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

import java.util.zip.CRC32C;

/**
 * Checksum of a transfer from those of its layers.
 */
final class Checksums
{
    private Checksums()
    {
    }

    /**
     * CRC-32C over the checksums of the layers from one on, 4 little-endian bytes each.
     */
    static int ofLayers(final CRC32C crc, final int[] layerChecksums, final int fromLayer)
    {
        crc.reset();
        for (int layer = fromLayer; layer < layerChecksums.length; layer++)
        {
            final int checksum = layerChecksums[layer];
            crc.update(checksum);
            crc.update(checksum >>> 8);
            crc.update(checksum >>> 16);
            crc.update(checksum >>> 24);
        }
        final int result = (int)crc.getValue();
        crc.reset();
        return result;
    }
}
