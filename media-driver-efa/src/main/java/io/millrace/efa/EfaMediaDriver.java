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
package io.millrace.efa;

import io.aeron.CommonContext;
import io.aeron.driver.Configuration;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.media.UdpChannel;
import io.millrace.efa.link.FabricDriver;
import io.millrace.efa.media.SharedThreadClock;
import org.agrona.CloseHelper;
import org.agrona.SystemUtil;
import org.agrona.concurrent.ShutdownSignalBarrier;
import org.agrona.concurrent.status.ConcurrentCountersManager;


/**
 * A media driver whose channels travel on libfabric rails where the peer has them, and by UDP where it has not.
 * Channels, clients and tools stay those of Aeron: {@code aeron:udp?endpoint=…} is upgraded peer by peer.
 * <p>
 * Three ways in: {@link #launch(MediaDriver.Context, EfaContext)} and its kin; {@link #install(MediaDriver.Context)}
 * for what launches a stock driver from a context; and the stock {@link MediaDriver} with
 * {@link EfaSendChannelEndpointSupplier} and {@link EfaReceiveChannelEndpointSupplier} named in Aeron's properties.
 */
public final class EfaMediaDriver implements AutoCloseable
{
    private final FabricDriver fabric;
    private final MediaDriver mediaDriver;

    private EfaMediaDriver(final FabricDriver fabric, final MediaDriver mediaDriver)
    {
        this.fabric = fabric;
        this.mediaDriver = mediaDriver;
    }

    /**
     * Run a media driver as a process of its own until it is told to end.
     *
     * @param args properties files, each a path or URL. Properties of a file win over those of the command line.
     *             {@code --help} prints how it is used in place of running; any other option ends the process with
     *             status 2.
     */
    public static void main(final String[] args)
    {
        final Integer status = Usage.answer(args);
        if (null != status)
        {
            System.exit(status);
        }
        SystemUtil.loadPropertiesFiles(args);

        try (ShutdownSignalBarrier barrier = new ShutdownSignalBarrier();
            EfaMediaDriver ignore = launch(
                new MediaDriver.Context().terminationHook(barrier::signalAll), new EfaContext()))
        {
            barrier.await();
        }
    }

    /**
     * Launch a driver configured by properties.
     *
     * @return the running driver.
     */
    public static EfaMediaDriver launch()
    {
        return launch(new MediaDriver.Context(), new EfaContext());
    }

    /**
     * Launch a driver whose rails are configured by properties.
     *
     * @param context of the media driver.
     * @return the running driver.
     */
    public static EfaMediaDriver launch(final MediaDriver.Context context)
    {
        return launch(context, new EfaContext());
    }

    /**
     * Launch a driver.
     *
     * @param context    of the media driver.
     * @param efaContext of its rails.
     * @return the running driver.
     * @throws io.aeron.exceptions.ConfigurationException for an unknown protocol, one that is named but absent, a
     *                                                    property out of range, or a directory with files of others.
     * @throws io.millrace.efa.libfabric.FabricException  when a NIC of a protocol named cannot be opened.
     */
    public static EfaMediaDriver launch(final MediaDriver.Context context, final EfaContext efaContext)
    {
        AeronDirectory.check(context.aeronDirectoryName());
        final FabricDriver fabric = install(context, new FabricDriver(efaContext));
        MediaDriver mediaDriver = null;
        try
        {
            fabric.openNamedRails(context.threadingMode());
            mediaDriver = MediaDriver.launch(context);
            if (context.countersManager() instanceof ConcurrentCountersManager)
            {
                FabricDriver.start(context, fabric);
            }
            return new EfaMediaDriver(fabric, mediaDriver);
        }
        catch (final RuntimeException | Error ex)
        {
            CloseHelper.quietCloseAll(mediaDriver, fabric);
            throw ex;
        }
    }

    /**
     * Launch a driver in this process, with a directory of its own, configured by properties.
     *
     * @return the running driver.
     */
    public static EfaMediaDriver launchEmbedded()
    {
        return launchEmbedded(new MediaDriver.Context(), new EfaContext());
    }

    /**
     * Launch a driver in this process, with a directory of its own.
     *
     * @param context    of the media driver.
     * @param efaContext of its rails.
     * @return the running driver.
     */
    public static EfaMediaDriver launchEmbedded(final MediaDriver.Context context, final EfaContext efaContext)
    {
        if (CommonContext.getAeronDirectoryName().equals(context.aeronDirectoryName()))
        {
            context.aeronDirectoryName(CommonContext.generateRandomDirName());
        }

        return launch(context, efaContext);
    }

    /**
     * Put the driver that will be launched from a context on rails, configured by properties.
     *
     * @param context not yet concluded, such as that of an {@code ArchivingMediaDriver}.
     * @return the context.
     */
    public static MediaDriver.Context install(final MediaDriver.Context context)
    {
        return install(context, new EfaContext());
    }

    /**
     * Put the driver that will be launched from a context on rails.
     *
     * @param context    not yet concluded, such as that of an {@code ArchivingMediaDriver}.
     * @param efaContext of the rails.
     * @return the context.
     * @throws io.aeron.exceptions.ConfigurationException for an unknown protocol, one that is named but absent, or a
     *                                                    property out of range.
     * @throws io.millrace.efa.libfabric.FabricException  when a NIC of a protocol named cannot be opened.
     */
    public static MediaDriver.Context install(final MediaDriver.Context context, final EfaContext efaContext)
    {
        final FabricDriver fabric = new FabricDriver(efaContext);
        fabric.tryNamedRails(context.threadingMode());
        install(context, fabric);
        return context;
    }

    private static FabricDriver install(final MediaDriver.Context context, final FabricDriver fabric)
    {
        context
            .sendChannelEndpointSupplier(new EfaSendChannelEndpointSupplier(fabric))
            .receiveChannelEndpointSupplier(new EfaReceiveChannelEndpointSupplier(fabric))
            .useConcurrentCountersManager(true);
        SharedThreadClock.install(context);

        if (fabric.choice().rails() > 1 && null == System.getProperty(Configuration.NAK_UNICAST_DELAY_PROP_NAME) &&
            Configuration.NAK_UNICAST_DELAY_DEFAULT_NS == context.nakUnicastDelayNs())
        {
            context.nakUnicastDelayNs(fabric.context().nakDelayNs(fabric.choice().protocol()));
        }

        return fabric;
    }

    /**
     * Wait until all publications to a peer travel on rails, for at most
     * {@link EfaConfiguration#HANDSHAKE_TIMEOUT_PROP_NAME}.
     *
     * @param endpoint as for {@link #warmUp(String, long)}.
     * @throws io.aeron.exceptions.AeronException as {@link #warmUp(String, long)} does.
     */
    public void warmUp(final String endpoint)
    {
        warmUp(endpoint, fabric.context().handshakeTimeoutNs());
    }

    /**
     * Wait until all publications to a peer travel on rails. Address vectors are filled and connections made then, so
     * that the first message costs what every other does. The handshake begins with the publication, not with this, and
     * what is linked already returns at once: it may be called as often as one likes.
     *
     * @param endpoint  of the peer's subscription as in a channel, {@code host:port}, or the channel.
     * @param timeoutNs how long to wait, nanoseconds.
     * @throws io.aeron.exceptions.TimeoutException when the peer is not linked in time, as no subscription is there.
     * @throws io.aeron.exceptions.AeronException   with the reason when the peer or this driver refuses rails.
     */
    public void warmUp(final String endpoint, final long timeoutNs)
    {
        final String channel = endpoint.startsWith("aeron:") ? endpoint : "aeron:udp?endpoint=" + endpoint;
        fabric.awaitLink(UdpChannel.parse(channel).remoteData(), timeoutNs);
    }

    /**
     * The media driver underneath.
     *
     * @return the driver.
     */
    public MediaDriver mediaDriver()
    {
        return mediaDriver;
    }

    /**
     * Directory of the driver, for clients.
     *
     * @return path of the directory.
     */
    public String aeronDirectoryName()
    {
        return mediaDriver.aeronDirectoryName();
    }

    /**
     * Protocol in use and why.
     *
     * @return the choice.
     */
    public ProtocolChoice protocol()
    {
        return fabric.choice();
    }

    /**
     * Close the driver, then its rails.
     */
    @Override
    public void close()
    {
        CloseHelper.closeAll(mediaDriver, fabric);
    }
}
