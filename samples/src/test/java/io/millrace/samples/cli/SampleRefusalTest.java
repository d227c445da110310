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
package io.millrace.samples.cli;

import io.millrace.samples.Millrace;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Values that samples refuse before anything is started.
 */
class SampleRefusalTest
{
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        market-data --rate fast                     | --rate is fast: it must be a number from 1 to 100000000, or max
        market-dta                                  | unknown command 'sample market-dta': it must be one of
        market-data --messages 0                    | --messages is 0: it must be from 1 to
        market-data --slow -1                       | --slow is -1: it must be from 0 to
        market-data --compare tcp                   | --compare is tcp: it must be udp
        market-data --late-join 0                   | --late-join is 0.0: it must be more than 0 and less than 10.0,
        market-data --late-join 10                  | less than 10.0, the seconds that --messages take at --rate
        market-data --late-join 4000 --rate max     | --late-join is 4000.0: it must be more than 0 and less than 3600
        market-data --late-join NaN                 | --late-join is NaN: it must be more than 0
        market-data --late-join 0.1 --messages 1    | --messages is 1, it must be 2 or more
        market-data --late-join soon                | --late-join
        plain-aeron --rate 0                        | --rate is 0: it must be 1 or more
        plain-aeron --channel foo                   | --channel is foo (Aeron URIs must start with
        embedded-service --channel aeron:udp?endpoint=absent.invalid:1 | is aeron:udp?endpoint=absent.invalid:1 (unres
        disaggregated-prefill --speed fast          | --speed is fast: it must be a number from 1 to
        disaggregated-prefill --change 1s:-decode --change 2s:-decode | --change at 2.0s takes the last decode instance
        """)
    void saysWhatMustBe(final String options, final String sentence)
    {
        final ByteArrayOutputStream shown = new ByteArrayOutputStream();
        final PrintStream err = System.err;
        System.setErr(new PrintStream(shown, true, StandardCharsets.UTF_8));
        try
        {
            assertThat(Millrace.execute(
                Stream.concat(Stream.of("sample"), Stream.of(options.split(" "))).toArray(String[]::new)))
                .isEqualTo(2);
        }
        finally
        {
            System.setErr(err);
        }
        assertThat(shown.toString(StandardCharsets.UTF_8)).startsWith("millrace: ").contains(sentence);
    }
}
