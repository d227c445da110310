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
package io.millrace.efa.link;

import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.rail.Rail;

import java.io.File;
import java.util.List;
import java.util.Objects;

/**
 * Which frames travel without a copy, by configuration or else by what was measured for the protocol.
 *
 * @param aeronDirectory       of the media driver, where the logs are.
 * @param isZeroCopy           true when messages are sent from terms.
 * @param zeroCopyLength       of the shortest such message, bytes.
 * @param isPlaced             true when frames are written into images.
 * @param placementLength      of the shortest such frame, bytes.
 */
record TermSettings(
    File aeronDirectory,
    boolean isZeroCopy,
    int zeroCopyLength,
    boolean isPlaced,
    int placementLength)
{
    private static final int CAN_WRITE = 1;
    private static final int HAS_WIDE_IMMEDIATE = 2;
    private static final int GROUP = 4;
    private static final String OFF = "off";
    private static final String ON = "on";
    private static final int DEFAULT_LENGTH = 4096;

    /**
     * Measured on shm and tcp: shorter frames arrive faster as messages, see docs/benchmarks.md.
     */
    private static final int AUTO_PLACEMENT_LENGTH = 32 * 1024;

    /**
     * Images of the default window for which a receiver's completion queues have room.
     */
    private static final int EXPECTED_IMAGES = 8;

    static TermSettings of(final String aeronDirectory, final EfaContext context, final ProtocolChoice choice)
    {
        return new TermSettings(
            new File(aeronDirectory),
            !OFF.equals(context.zeroCopy()),
            context.zeroCopyThresholdLength() >= 0 ? context.zeroCopyThresholdLength() : DEFAULT_LENGTH,
            isPlaced(context),
            placementLength(context));
    }

    /**
     * Writes in flight to one rail of a receiver, for which its completion queue is made.
     */
    static long writesToExpect(final EfaContext context)
    {
        return isPlaced(context) ?
            EXPECTED_IMAGES * frames(context.railWindowLength(), placementLength(context)) : 0;
    }

    /**
     * The most frames to be written that a window has.
     */
    static long frames(final int windowLength, final int placementLength)
    {
        return windowLength / Math.max(1, placementLength) + 1;
    }

    /**
     * Shorter frames are always copied.
     */
    int shortestLength()
    {
        return Math.min(
            isZeroCopy ? zeroCopyLength : Integer.MAX_VALUE, isPlaced ? placementLength : Integer.MAX_VALUE);
    }

    /**
     * Capabilities of an agent's rails, as bits of the handshake.
     */
    int capabilities(final List<Rail> rails)
    {
        if (!isPlaced || rails.isEmpty() || null != reasonNotToWrite(rails))
        {
            return 0;
        }

        return rails.stream().allMatch((rail) -> Long.BYTES == rail.endpoint().immediateLength()) ?
            CAN_WRITE | HAS_WIDE_IMMEDIATE : CAN_WRITE;
    }

    /**
     * Writes that may arrive without being read before a completion queue overruns, where nothing prevents that.
     */
    static long completionsRoom(final List<Rail> rails)
    {
        return rails.stream()
            .filter((rail) -> FabricProvider.EFA == rail.endpoint().nic().provider() &&
                !rail.endpoint().writeDataTakesReceive())
            .mapToLong(Rail::completionsRoom)
            .min().orElse(Long.MAX_VALUE);
    }

    static int capabilities(final boolean canWrite, final boolean hasWideImmediate)
    {
        return (canWrite ? CAN_WRITE : 0) | (hasWideImmediate ? HAS_WIDE_IMMEDIATE : 0);
    }

    /**
     * Bit for a channel that sends to many.
     */
    static int group(final boolean isGroup)
    {
        return isGroup ? GROUP : 0;
    }

    static boolean isGroup(final int capabilities)
    {
        return 0 != (capabilities & GROUP);
    }

    static boolean canWrite(final int capabilities)
    {
        return 0 != (capabilities & CAN_WRITE);
    }

    static boolean hasWideImmediate(final int capabilities)
    {
        return 0 != (capabilities & HAS_WIDE_IMMEDIATE);
    }

    /**
     * Why peers cannot write into images here, which takes all rails.
     *
     * @return text for people, or null when they can.
     */
    static String reasonNotToWrite(final List<Rail> rails)
    {
        return rails.stream().map(TermSettings::reasonNotToWrite).filter(Objects::nonNull).findFirst().orElse(null);
    }

    /**
     * The tcp providers do not tell the length of a write, so that the immediate has to.
     */
    private static String reasonNotToWrite(final Rail rail)
    {
        final FabricEndpoint endpoint = rail.endpoint();
        if (0 == endpoint.maxRmaLength())
        {
            return endpoint.nic().domainName() + " has no RMA write";
        }

        return Long.BYTES == endpoint.immediateLength() || FabricProvider.TCP != endpoint.nic().provider() ? null :
            "tcp tells no length of a write, and there is no room for it in immediates of 32 bits, as under the EFA " +
            "contract: shm tells it";
    }

    private static boolean isPlaced(final EfaContext context)
    {
        return !OFF.equals(context.placement());
    }

    private static int placementLength(final EfaContext context)
    {
        return context.placementThresholdLength() >= 0 ? context.placementThresholdLength() :
            ON.equals(context.placement()) ? DEFAULT_LENGTH : AUTO_PLACEMENT_LENGTH;
    }
}
