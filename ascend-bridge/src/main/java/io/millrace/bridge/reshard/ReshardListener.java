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
package io.millrace.bridge.reshard;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvError;

/**
 * Called by a {@link ReshardReceiver} with its lock held: must not block.
 */
public interface ReshardListener
{
    /**
     * A layer has come from all source ranks and was checked.
     *
     * @param requestId of the serving system.
     * @param layer     from 0.
     * @param blocks    that hold it.
     */
    default void onLayer(final long requestId, final int layer, final KvBlocks blocks)
    {
    }

    /**
     * All source ranks' transfers completed: the blocks belong to the caller.
     *
     * @param requestId  of the serving system.
     * @param blocks     of the destination rank.
     * @param tokenCount tokens that came.
     */
    default void onRequestComplete(final long requestId, final KvBlocks blocks, final int tokenCount)
    {
    }

    /**
     * A transfer of the request failed, or did not begin in time. The others are canceled, and the blocks are freed
     * once no copy writes to them.
     *
     * @param requestId of the serving system.
     * @param reason    of the end.
     * @param text      with the numbers.
     */
    default void onRequestFailed(final long requestId, final KvError reason, final String text)
    {
    }
}
