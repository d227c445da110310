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

import java.util.List;

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
 * @param isJoinedLate     whether somebody is to join in the middle.
 * @param archive          host and port on which the normaliser's archive is asked.
 * @param feeds            host and port on which the normaliser is asked for each strategy's feed.
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
    int slowMicros,
    boolean isJoinedLate,
    String archive,
    List<String> feeds)
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
        PUBLISHER, NORMALISER, STRATEGY, GATEWAY, LATE
    }

    String archiveChannel()
    {
        return "aeron:udp?endpoint=" + archive;
    }

    /**
     * Whoever asks the control address for it gets the feed, also in the middle, and the slowest sets the pace: what
     * it cannot take waits, and is conflated.
     */
    String feedPublication(final int number)
    {
        return "aeron:udp?control-mode=dynamic|control=" + feeds.get(number) + "|fc=min,t:30s";
    }

    String feedSubscription(final int number)
    {
        return "aeron:udp?control-mode=dynamic|control=" + feeds.get(number) + "|endpoint=127.0.0.1:0";
    }
}
