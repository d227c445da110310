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

import java.nio.file.Path;

/**
 * What the user asked for.
 *
 * @param protocol   word for Millrace's driver, or null for what is configured.
 * @param compareUdp whether the same pipeline runs on Aeron's own driver too.
 * @param rate       messages a second, 0 for as fast as it goes.
 * @param messages   to publish.
 * @param slowMicros that the second strategy spends on each message.
 * @param lateJoin   seconds from the first message until strategies join late, 0 for none.
 * @param directory  for the drivers' files and recordings, or null for the default.
 * @param verbose    whether children's standard error is shown.
 */
public record MarketOptions(
    String protocol,
    boolean compareUdp,
    long rate,
    long messages,
    int slowMicros,
    double lateJoin,
    Path directory,
    boolean verbose)
{
}
