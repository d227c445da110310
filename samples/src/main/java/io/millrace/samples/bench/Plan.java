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
package io.millrace.samples.bench;

import io.millrace.bridge.KvLayout;
import io.millrace.efa.ProtocolChoice;
import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.trace.TraceReader;

import java.util.ArrayList;
import java.util.List;

/**
 * Which cases an invocation has.
 */
final class Plan
{
    private static final int MIN_SIZE = 32;
    private static final int MAX_SIZE = 16 << 20;
    private static final int MIN_MTU = 128;
    private static final int MAX_MTU = 65_504;
    private static final int EFA_MAX_MTU = 8_128;
    private static final int FRAME_ALIGNMENT = 32;
    private static final List<Integer> RTT_SIZES = List.of(32, 288, 1344, 8192);
    private static final List<Integer> RTT_MTUS = List.of(8192);
    private static final List<Integer> THROUGHPUT_SIZES = List.of(32, 288, 1344, 8192, 65_536, 1 << 20);
    private static final List<Integer> KV_SIZES = List.of(4096, 65_536, 262_144, 1 << 20);
    private static final List<Integer> BLOCK_SIZES = List.of(4096, 65_536);
    private static final int MAX_PIECE = 4 << 20;
    private static final List<Integer> ARCHIVE_SIZES = List.of(65_536);
    private static final List<Integer> INDEX_BLOCKS = List.of(1_000_000, 10_000_000);
    private static final List<Integer> LONG_MTUS = List.of(65_504);
    // With the provider's header one segment of the loopback device; longer ones are two.
    private static final List<Integer> TCP_LONG_MTUS = List.of(65_408);
    private static final List<Integer> THROUGHPUT_MTUS = List.of(1408, 8192, 65_504);

    private Plan()
    {
    }

    /**
     * Plan.
     *
     * @param options of the user.
     * @param choice  of the protocol.
     * @return the cases in the order in which they are run.
     * @throws CommandFailure if a size or MTU cannot be.
     */
    static List<BenchCase> of(final BenchOptions options, final ProtocolChoice choice)
    {
        options.sizes().forEach(Plan::checkSize);
        options.mtus().forEach((mtu) -> checkMtu(mtu, choice));
        final List<BenchCase> cases = new ArrayList<>();
        for (final CaseKind kind : options.kinds())
        {
            if (CaseKind.KV_TRACE == kind)
            {
                checkTrace(options);
            }
            final List<Integer> sizes = sizes(kind, options);
            final List<Integer> mtus = !options.mtus().isEmpty() ? options.mtus() : switch (kind)
            {
                case RTT -> RTT_MTUS;
                case THROUGHPUT -> THROUGHPUT_MTUS;
                default -> "tcp".equals(choice.protocol()) ? TCP_LONG_MTUS : LONG_MTUS;
            };
            for (final int mtu : mtus)
            {
                for (final int size : sizes)
                {
                    cases.add(new BenchCase(kind, size, "efa".equals(choice.protocol()) ?
                        Math.min(mtu, EFA_MAX_MTU) : mtu, choice.protocol()));
                }
            }
        }
        return cases;
    }

    private static List<Integer> sizes(final CaseKind kind, final BenchOptions options)
    {
        if (CaseKind.KV_TRACE == kind)
        {
            return List.of(KvShape.TRACE_PIECE);
        }
        if (CaseKind.ARCHIVE_INDEX == kind)
        {
            return INDEX_BLOCKS;
        }
        if (CaseKind.KV == kind || CaseKind.KV_BLOCK == kind || CaseKind.ARCHIVE == kind)
        {
            final int unit = CaseKind.KV_BLOCK == kind ? KvShape.PIECE_UNIT * KvLayout.PARTS : KvShape.PIECE_UNIT;
            options.sizes().forEach((size) -> checkPiece(size, unit, kind));
        }
        return !options.sizes().isEmpty() ? options.sizes() : switch (kind)
        {
            case RTT -> RTT_SIZES;
            case THROUGHPUT -> THROUGHPUT_SIZES;
            case ARCHIVE -> ARCHIVE_SIZES;
            case KV_BLOCK -> BLOCK_SIZES;
            default -> KV_SIZES;
        };
    }

    private static void checkPiece(final int size, final int unit, final CaseKind kind)
    {
        if (0 != size % unit || size > MAX_PIECE)
        {
            throw CommandFailure.usage("--sizes " + size + ": a KV block has a multiple of " + unit +
                " bytes, at most " + MAX_PIECE + "; give such sizes for " + kind.key());
        }
    }

    private static void checkTrace(final BenchOptions options)
    {
        if (!options.sizes().isEmpty() && options.kinds().equals(List.of(CaseKind.KV_TRACE)))
        {
            throw CommandFailure.usage("--sizes is " + options.sizes() + ": pieces of kvTrace have " +
                KvShape.TRACE_PIECE + " bytes; leave it out, or measure kv");
        }
        if (null != options.trace())
        {
            try (TraceReader reader = new TraceReader(options.trace()))
            {
                if (null == reader.next())
                {
                    throw CommandFailure.usage("--trace " + options.trace() +
                        " has no request; give a file of JSON lines, one for each");
                }
            }
        }
    }

    private static void checkSize(final int size)
    {
        if (size < MIN_SIZE || size > MAX_SIZE)
        {
            throw CommandFailure.usage("--sizes " + size + ": a message has " + MIN_SIZE + " to " + MAX_SIZE +
                " bytes (16 MiB is Aeron's longest); give sizes in this range");
        }
    }

    private static void checkMtu(final int mtu, final ProtocolChoice choice)
    {
        if (mtu < MIN_MTU || mtu > MAX_MTU || 0 != mtu % FRAME_ALIGNMENT)
        {
            throw CommandFailure.usage("--mtu " + mtu + ": an MTU is a multiple of " + FRAME_ALIGNMENT + " from " +
                MIN_MTU + " to " + MAX_MTU + ", such as 1408, 8192 or 65504; give such values");
        }
        if ("efa".equals(choice.protocol()) && mtu > EFA_MAX_MTU)
        {
            throw CommandFailure.usage("--mtu " + mtu + ": efa carries packets of at most " + EFA_MAX_MTU +
                " bytes; give a shorter MTU");
        }
    }
}
