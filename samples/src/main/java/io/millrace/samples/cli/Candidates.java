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

import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.samples.bench.CaseKind;
import io.millrace.samples.bench.Threading;
import io.millrace.samples.bench.Transport;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Values that shells complete.
 */
final class Candidates
{
    private Candidates()
    {
    }

    private static List<String> fabrics()
    {
        return Arrays.stream(FabricProvider.values()).map(FabricProvider::word).toList();
    }

    /**
     * What a driver can be told.
     */
    static final class Protocols extends ArrayList<String>
    {
        private static final long serialVersionUID = 1L;

        Protocols()
        {
            super(Stream.concat(fabrics().stream(), Stream.of("auto", "udp")).toList());
        }
    }

    /**
     * What rails can be of.
     */
    static final class Fabrics extends ArrayList<String>
    {
        private static final long serialVersionUID = 1L;

        Fabrics()
        {
            super(fabrics());
        }
    }

    /**
     * Shells that complete.
     */
    static final class Shells extends ArrayList<String>
    {
        private static final long serialVersionUID = 1L;

        Shells()
        {
            super(CompletionCommand.SHELLS);
        }
    }

    /**
     * Models that have names.
     */
    static final class Models extends ArrayList<String>
    {
        private static final long serialVersionUID = 1L;

        Models()
        {
            super(List.of("qwen2.5-0.5b", "llama-3-8b"));
        }
    }

    /**
     * What can be measured.
     */
    static final class Cases extends ArrayList<String>
    {
        private static final long serialVersionUID = 1L;

        Cases()
        {
            super(Arrays.stream(CaseKind.values()).map(CaseKind::key).toList());
        }
    }

    /**
     * What it can be measured on.
     */
    static final class Transports extends ArrayList<String>
    {
        private static final long serialVersionUID = 1L;

        Transports()
        {
            super(Transport.choices());
        }
    }

    /**
     * Threads that spin.
     */
    static final class Threadings extends ArrayList<String>
    {
        private static final long serialVersionUID = 1L;

        Threadings()
        {
            super(Arrays.stream(Threading.values()).map((one) -> one.name().toLowerCase(Locale.ROOT)).toList());
        }
    }
}
