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
package io.millrace.efa.libfabric;

import java.nio.file.Files;

/**
 * What is known of endpoints of {@code shm} from outside of libfabric.
 */
public final class ShmPeers
{
    private ShmPeers()
    {
    }

    /**
     * Can an endpoint still post? The {@code shm} provider reads what an endpoint posted from that endpoint's memory,
     * which is unmapped with its address: a message that comes later takes the process down (seen with libfabric 1.17
     * in smr_progress).
     *
     * @param address raw libfabric address of an {@code shm} endpoint.
     * @return false when its process or its region is gone.
     */
    public static boolean mayPost(final byte[] address)
    {
        final String name = ShmRegionFile.name(address);
        final int end = name.indexOf(':');
        return Files.exists(ShmRegionFile.DIRECTORY.resolve(name)) &&
            !(end > 0 && ShmLocks.isDead(Integer.parseInt(name, 0, end, 10)));
    }
}
