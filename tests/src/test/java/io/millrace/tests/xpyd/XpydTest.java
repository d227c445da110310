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
package io.millrace.tests.xpyd;

import io.millrace.bridge.KvFailurePolicy;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.file.Path;
import java.util.stream.LongStream;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Two prefill and two decode processes on two drivers transfer requests while a process of each kind is killed, and one
 * request of ten is abandoned by its prefill instance: every request is verified, as it was sent or as the decode side
 * computed it after a failure, or has failed on both sides.
 */
class XpydTest
{
    private static final int REQUESTS = Integer.getInteger("millrace.test.requests", 40);
    private static final boolean IS_SMALL = REQUESTS < 200;

    static Stream<String> protocols()
    {
        return Stream.of(System.getProperty("millrace.test.protocols", IS_SMALL ? "shm" : "shm,tcp").split(","));
    }

    @ParameterizedTest
    @MethodSource("protocols")
    @Timeout(1800)
    void everyRequestIsVerifiedOrFailedOnBothSides(final String protocol) throws Exception
    {
        final String trace = System.getProperty("millrace.test.trace");
        final XpydOptions options = new XpydOptions(protocol, REQUESTS,
            System.getProperty("millrace.test.model", "8x1x32"),
            null == trace ? null : Path.of(trace), Long.getLong("millrace.test.seed", 1),
            8, IS_SMALL ? 20_000 : 60_000, IS_SMALL ? 15_000 : 30_000, Boolean.getBoolean("millrace.test.verbose"));

        try (XpydRun run = new XpydRun(options))
        {
            final XpydReport report = run.run();
            System.out.println(options + "\n" + report);
            assertThat(report.unknown).as(report.toString()).isZero();
            assertThat(report.ended()).as(report.toString()).isEqualTo(report.requests);
            assertThat(report.recomputed).as(report.toString())
                .isGreaterThanOrEqualTo((int)abandoned(KvFailurePolicy.RECOMPUTE));
            assertThat(report.failed).as(report.toString())
                .isGreaterThanOrEqualTo((int)abandoned(KvFailurePolicy.FAIL));
            assertThat(report.verified).as(report.toString()).isGreaterThan(report.requests / 2);
            assertThat(report.mismatches).as(report.toString()).isZero();
            assertThat(report.heldBlocks).as(report.toString()).isZero();
            assertThat(report.events.stream().filter(event -> event.contains("SIGKILL"))).hasSize(3);
        }
    }

    private static long abandoned(final KvFailurePolicy policy)
    {
        return LongStream.range(0, REQUESTS)
            .filter(index -> Attempt.isAbandoned(index) && policy == Attempt.policy(index)).count();
    }
}
