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

import io.millrace.samples.demo.ProtocolOption;
import io.millrace.samples.demo.WorkDirectory;

import java.util.ArrayList;
import java.util.List;

/**
 * Runs the pipeline, on one driver or on two in turn.
 */
public final class MarketData
{
    private MarketData()
    {
    }

    /**
     * Run it.
     *
     * @param options of the user.
     * @return one result for each transport.
     */
    public static List<MarketResult> run(final MarketOptions options)
    {
        ProtocolOption.choose(options.protocol());
        final List<MarketResult> results = new ArrayList<>();
        try (WorkDirectory directory = WorkDirectory.create(WorkDirectory.Owner.MARKET_DATA, options.directory()))
        {
            results.add(run(options, options.protocol(), directory));
            if (options.compareUdp())
            {
                results.add(run(options, StageOrders.STOCK, directory));
            }
        }
        return results;
    }

    private static MarketResult run(final MarketOptions options, final String protocol, final WorkDirectory directory)
    {
        try (Progress progress = new Progress(StageOrders.STOCK.equals(protocol) ? "Aeron's driver" : "Millrace");
            Pipeline pipeline = new Pipeline(options, protocol, directory.path()))
        {
            return pipeline.run(progress);
        }
    }
}
