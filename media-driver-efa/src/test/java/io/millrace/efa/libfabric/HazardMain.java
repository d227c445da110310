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
package io.millrace.efa.libfabric;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * Lives through what the JVM needs its SIGSEGV handler for, with libfabric loaded and an shm endpoint open.
 */
final class HazardMain
{
    private static final int COMPILE_ROUNDS = 200_000;
    private static final int STORM_ROUNDS = 400;

    private static final class Holder
    {
        private int value;
    }

    private HazardMain()
    {
    }

    public static void main(final String[] args)
    {
        final LibFabric fabric = LibFabric.load();
        for (final FabricProvider provider : FabricProvider.values())
        {
            System.out.println(provider + " " + fabric.nics(provider));
        }

        try (Peer a = new Peer(Peer.nic(FabricProvider.SHM)))
        {
            System.out.println("null checks " + provokeNullChecks());
            System.out.println("overflow " + provokeStackOverflow());
            System.out.println("storm " + provokeDeoptimisations());
            System.gc();

            // shm's handler for SIGSEGV would have removed the file of a: nobody could find it any more.
            try (Peer b = new Peer(Peer.nic(FabricProvider.SHM)))
            {
                final long toA = b.endpoint.insertAddress(a.endpoint.localAddress());
                a.postReceive(0, 8, 1);
                b.send(a, toA, 8, 77, 1);
                System.out.println("received " + a.awaitCompletion(b).data());
            }
        }
        System.out.println("survived");
    }

    private static int read(final Holder[] holders, final int index)
    {
        return holders[index].value;
    }

    private static int provokeNullChecks()
    {
        final Holder[] holders = { new Holder(), null };
        int sum = 0;
        for (int i = 0; i < COMPILE_ROUNDS; i++)
        {
            sum += read(holders, 0);
        }
        // Compiled now for holders that were never null: the first of these is a SIGSEGV.
        int caught = 0;
        for (int i = 0; i < 4; i++)
        {
            try
            {
                sum += read(holders, 1);
            }
            catch (final NullPointerException ex)
            {
                caught++;
            }
        }
        return caught + sum;
    }

    private static int recurse(final int depth)
    {
        return 1 + recurse(depth + 1);
    }

    private static String provokeStackOverflow()
    {
        try
        {
            return "none " + recurse(0);
        }
        catch (final StackOverflowError ex)
        {
            return "caught";
        }
    }

    private static int provokeDeoptimisations()
    {
        int sum = 0;
        for (int round = 0; round < STORM_ROUNDS; round++)
        {
            // Lambdas of ever new classes break the type profile that the loop was compiled for.
            final List<IntUnaryOperator> operators = new ArrayList<>();
            operators.add((x) -> x + 1);
            operators.add((x) -> x * 3);
            operators.add((x) -> x ^ 5);
            final IntUnaryOperator operator = operators.get(round * 3 / STORM_ROUNDS);
            for (int i = 0; i < 2_000; i++)
            {
                sum = operator.applyAsInt(sum);
            }
            if (0 == round % 100)
            {
                System.gc();
            }
        }
        return sum;
    }
}
