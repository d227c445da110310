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
package io.millrace.samples.marketdata;

/**
 * What a process of the pipeline is told first.
 *
 * @param role             which stage it is.
 * @param strategy         number of the strategy, 0 for other stages.
 * @param workDirectory    of the run.
 * @param aeronDirectory   of its driver, in it.
 * @param archiveDirectory for what the normaliser records.
 * @param protocol         of Millrace's driver, null for what is configured, {@link #STOCK} for Aeron's own driver.
 * @param rate             messages a second, 0 for as fast as it goes.
 * @param messages         to publish.
 * @param slowMicros       to spend on each message.
 */
record StageOrders(
    Role role,
    int strategy,
    String workDirectory,
    String aeronDirectory,
    String archiveDirectory,
    String protocol,
    long rate,
    long messages,
    int slowMicros)
{
    static final String STOCK = "stock";
    static final int STRATEGIES = 2;
    static final int RAW_STREAM_ID = 3001;
    static final int FEED_STREAM_ID = 3002;
    static final int ORDER_STREAM_ID = 3003;

    /**
     * Stages of the pipeline.
     */
    enum Role
    {
        PUBLISHER, NORMALISER, STRATEGY, GATEWAY
    }
}
