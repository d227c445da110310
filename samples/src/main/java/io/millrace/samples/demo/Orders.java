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
package io.millrace.samples.demo;

import java.nio.file.Path;

/**
 * What a child process is to do: the first line that it reads.
 *
 * @param workDirectory      of the run, removed by an orphan.
 * @param aeronDirectory     of this child's driver.
 * @param protocol           word for the driver.
 * @param rails              of the driver, or 0 for its default.
 * @param model              shape of the KV cache, as {@code KvLayout.parse} takes it.
 * @param tokensPerBlock     of a KV block.
 * @param trace              file of requests, or null to generate them.
 * @param requests           to transfer.
 * @param seed               of generated requests and of all content.
 * @param capacityBlocks     of device memory: the largest request.
 * @param channel            of KV data, prefill to decode.
 * @param reverseChannel     of acknowledgements, decode to prefill.
 * @param transferTimeoutMs  deadline of one transfer.
 * @param archiveDirectory   where this child records, removed by an orphan, or null.
 */
record Orders(
    String workDirectory,
    String aeronDirectory,
    String protocol,
    int rails,
    String model,
    int tokensPerBlock,
    String trace,
    long requests,
    long seed,
    int capacityBlocks,
    String channel,
    String reverseChannel,
    long transferTimeoutMs,
    String archiveDirectory)
{
    /**
     * Stream of KV data.
     */
    static final int STREAM_ID = 1001;

    /**
     * Stream of acknowledgements.
     */
    static final int REVERSE_STREAM_ID = 1002;

    /**
     * Remove what was made for a child whose parent died.
     *
     * @param link of the child.
     */
    static void tidy(final ParentLink link)
    {
        final Orders orders = link.orders(Orders.class);
        if (null != orders.archiveDirectory())
        {
            // With the parent's directory around it, which holds nothing else.
            WorkDirectory.deleteTree(Path.of(orders.archiveDirectory()).getParent());
        }
        WorkDirectory.leave(Path.of(orders.workDirectory()), Path.of(orders.aeronDirectory()));
    }

    /**
     * The same orders for one child.
     *
     * @param childDirectory        of its driver.
     * @param childArchiveDirectory of its archive, or null.
     * @return orders with them.
     */
    Orders with(final String childDirectory, final String childArchiveDirectory)
    {
        return new Orders(workDirectory, childDirectory, protocol, rails, model, tokensPerBlock, trace, requests, seed,
            capacityBlocks, channel, reverseChannel, transferTimeoutMs, childArchiveDirectory);
    }
}
