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
package io.millrace.bridge;

import java.net.DatagramSocket;
import java.net.SocketException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.UnaryOperator;

import io.aeron.driver.MediaDriver;
import org.junit.jupiter.api.Assumptions;

/**
 * The media drivers of tests: stock ones, or such as the class named by {@link #PREPARER_PROPERTY} makes of them. With
 * those what runs over IPC is left out, and {@link #DEVICES_PROPERTY} may leave out devices.
 */
public final class Drivers
{
    private static final int PORT_TRIES = 100;
    private static final int FIRST_PORT = 10_000;
    // Of Linux, unless it is told otherwise.
    private static final int FIRST_EPHEMERAL_PORT = 32_768;

    /**
     * Names a {@code UnaryOperator<MediaDriver.Context>} with a constructor that takes nothing.
     */
    public static final String PREPARER_PROPERTY = "millrace.test.drivers";

    /**
     * {@code host} or {@code npu} for one kind of devices.
     */
    public static final String DEVICES_PROPERTY = "millrace.test.devices";

    /**
     * For UDP channels, such as {@code |fabric=required}, or nothing.
     */
    public static final String CHANNEL_PARAMETERS = System.getProperty("millrace.test.channel.parameters", "");

    private static final String PREPARER = System.getProperty(PREPARER_PROPERTY);

    private Drivers()
    {
    }

    /**
     * Make a driver's context ready to be launched.
     *
     * @param ctx of a stock driver.
     * @return the context.
     */
    @SuppressWarnings("unchecked")
    public static MediaDriver.Context prepare(final MediaDriver.Context ctx)
    {
        if (null == PREPARER)
        {
            return ctx;
        }
        try
        {
            return ((UnaryOperator<MediaDriver.Context>)Class.forName(PREPARER).getConstructor().newInstance())
                .apply(ctx);
        }
        catch (final ReflectiveOperationException ex)
        {
            throw new IllegalStateException(PREPARER_PROPERTY + "=" + PREPARER, ex);
        }
    }

    /**
     * Whether these are no stock drivers, which leaves out what runs over IPC.
     *
     * @return true where a preparer is named.
     */
    public static boolean areReplaced()
    {
        return null != PREPARER;
    }

    /**
     * A port that no socket is bound to, below those that the system hands out: channels use it as long as tests run.
     *
     * @return the port.
     */
    public static int freePort()
    {
        for (int i = 0; i < PORT_TRIES; i++)
        {
            final int port = ThreadLocalRandom.current().nextInt(FIRST_PORT, FIRST_EPHEMERAL_PORT);
            try
            {
                new DatagramSocket(port).close();
                return port;
            }
            catch (final SocketException ex)
            {
                // In use: another one.
            }
        }
        throw new IllegalStateException("no port of " + PORT_TRIES + " from " + FIRST_PORT + " to " +
            FIRST_EPHEMERAL_PORT + " is free");
    }

    /**
     * Leave a test out that is not to be run on these drivers.
     *
     * @param isUdp true when it runs over UDP, or what takes its place.
     * @param isNpu true when its devices are NPUs.
     */
    public static void assumeWanted(final boolean isUdp, final boolean isNpu)
    {
        final String devices = System.getProperty(DEVICES_PROPERTY);
        Assumptions.assumeTrue(null == PREPARER || isUdp, "IPC is the same on every driver");
        Assumptions.assumeTrue(null == devices || isNpu == "npu".equals(devices), "other devices are wanted");
    }
}
