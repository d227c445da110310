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

import io.millrace.efa.rail.Rail;
import io.millrace.efa.term.FrameTarget;
import io.millrace.efa.term.FrameTargets;
import io.millrace.efa.term.SendLog;
import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

import static io.millrace.efa.link.PacketFrames.SESSION_ID_OFFSET;

/**
 * A channel's way to one peer on rails. Made by the fabric conductor, then used by the agent that owns the channel
 * endpoint alone.
 */
public final class Link
{
    /**
     * Result of {@link #send(ByteBuffer, SendLog)}: the rails cannot carry this packet, UDP has to.
     */
    public static final int NOT_CARRIED = -1;

    private static final long NOT_HEARD = Long.MIN_VALUE;
    private static final long NOT_BUSY = Long.MIN_VALUE;

    /**
     * Nothing to send for so long ends a time of back-pressure.
     */
    private static final long BUSY_GAP_NS = 1_000_000_000L;

    private static final RailChoice NO_PATHS = new RailChoice(new RailPath[0]);

    private final RailChannel channel;
    private final InetSocketAddress peerAddress;
    private final int handle;
    private final FrameTargets targets = new FrameTargets();
    private final PartlySent partlySent;
    private RailChoice paths = NO_PATHS;
    private long peerHandle;
    private WarmUp warmUp;
    private boolean isUp;
    private boolean isHeardOnRails;
    private long heardByUdpSinceNs = NOT_HEARD;
    private long busySinceNs = NOT_BUSY;
    private long lastBusyNs;
    private boolean isGivenUp;

    Link(final RailChannel channel, final InetSocketAddress peerAddress, final int handle)
    {
        this.channel = channel;
        this.peerAddress = peerAddress;
        this.handle = handle;
        this.partlySent = channel.isSender() ? new PartlySent() : null;
    }

    /**
     * The channel endpoint this link belongs to.
     *
     * @return the endpoint.
     */
    public RailChannel channel()
    {
        return channel;
    }

    /**
     * Address of the peer's socket, which stands for the peer in all that Aeron does.
     *
     * @return the address.
     */
    public InetSocketAddress peerAddress()
    {
        return peerAddress;
    }

    /**
     * Our handle, which the peer puts in the immediate of its messages.
     *
     * @return 32 bits, not 0.
     */
    public int handle()
    {
        return handle;
    }

    /**
     * The peer's handle, which we put in the immediate of our messages.
     *
     * @return 32 bits, 0 before the peer is known.
     */
    public long peerHandle()
    {
        return peerHandle;
    }

    /**
     * Do frames to the peer travel on rails?
     *
     * @return true when they do.
     */
    public boolean isUp()
    {
        return isUp;
    }

    /**
     * Learn the way to the peer.
     *
     * @param peerHandle what to put in the immediate.
     */
    void peerHandle(final long peerHandle)
    {
        this.peerHandle = peerHandle & 0xFFFF_FFFFL;
    }

    /**
     * Go on with other paths, if the link is up.
     *
     * @param paths to choose from.
     */
    void paths(final RailChoice paths)
    {
        if (isUp)
        {
            this.paths = paths;
        }
    }

    /**
     * Paths in use. Agent only.
     *
     * @return what {@link #send(ByteBuffer, SendLog)} chooses from.
     */
    RailChoice paths()
    {
        return paths;
    }

    /**
     * Prove the paths, before the link carries frames.
     *
     * @param warmUp of the paths.
     */
    void warmUp(final WarmUp warmUp)
    {
        this.warmUp = warmUp;
    }

    WarmUp warmUp()
    {
        return warmUp;
    }

    /**
     * Use rails from now on.
     *
     * @param paths that were proven.
     */
    void up(final RailChoice paths)
    {
        this.paths = paths;
        isUp = true;
    }

    /**
     * Use UDP from now on.
     */
    void end()
    {
        isUp = false;
        warmUp = null;
        heardByUdpSinceNs = NOT_HEARD;
        busySinceNs = NOT_BUSY;
        isGivenUp = false;
        peerHandle = 0;
        paths = NO_PATHS;
        targets.clear();
        if (null != partlySent)
        {
            partlySent.clear();
        }
    }

    /**
     * Was the fabric conductor told that the link does not work? It ends it.
     *
     * @return true since then, until the link is made anew.
     */
    public boolean isGivenUp()
    {
        return isGivenUp;
    }

    /**
     * The fabric conductor was told that the link does not work.
     */
    public void giveUp()
    {
        isGivenUp = true;
    }

    /**
     * Images of the peer into which frames may be written.
     *
     * @return targets, of the agent.
     */
    FrameTargets targets()
    {
        return targets;
    }

    /**
     * The peer was heard on rails.
     */
    void onHeardOnRails()
    {
        isHeardOnRails = true;
    }

    /**
     * The peer was heard by UDP, which it uses for as long as nothing reaches it on rails.
     *
     * @param nowNs     time of a monotonic clock.
     * @param timeoutNs how long that may last.
     * @return true when nothing was heard on rails since then.
     */
    public boolean onHeardByUdp(final long nowNs, final long timeoutNs)
    {
        if (isHeardOnRails || NOT_HEARD == heardByUdpSinceNs)
        {
            isHeardOnRails = false;
            heardByUdpSinceNs = nowNs;
        }

        return nowNs - heardByUdpSinceNs > timeoutNs;
    }

    /**
     * Send a packet of one or more frames on a rail. What does not fit a message is cut between frames; when the rails
     * push back in the middle, the next call with a packet that starts at the same place of the stream goes on where
     * this one stopped, whatever else was sent meanwhile.
     *
     * @param packet direct buffer, from position to limit. The position moves to the limit when all was sent.
     * @param log    of the publication, to send from without a copy, or null.
     * @return bytes sent, which is all or 0, or {@link #NOT_CARRIED}.
     */
    public int send(final ByteBuffer packet, final SendLog log)
    {
        final int position = packet.position();
        final int length = packet.limit() - position;
        final long address = BufferUtil.address(packet) + position;
        final boolean isData = PacketFrames.isData(address, length);

        final FrameTarget target = isData ? targets.find(address, length) : null;
        if (null != target && !target.allows(address, length))
        {
            onBusy(System.nanoTime());
            return 0;
        }

        final boolean mayResume = isData && null != partlySent;
        final int resumed = mayResume ? partlySent.sent(address, length) : 0;
        int offset = resumed;
        while (offset < length)
        {
            final int result = sendSome(address + offset, length - offset, isData, target, log);
            if (result <= 0)
            {
                if (0 == result)
                {
                    onBusy(System.nanoTime());
                }
                if (0 == result && mayResume && offset > resumed)
                {
                    partlySent.put(address, offset);
                }
                else if (NOT_CARRIED == result && resumed > 0)
                {
                    partlySent.remove(address);
                }
                return result;
            }

            offset += result;
            busySinceNs = NOT_BUSY;
        }

        if (resumed > 0)
        {
            partlySent.remove(address);
        }
        packet.position(packet.limit());
        return length;
    }

    private void onBusy(final long nowNs)
    {
        if (NOT_BUSY == busySinceNs || nowNs - lastBusyNs > BUSY_GAP_NS)
        {
            busySinceNs = nowNs;
        }
        lastBusyNs = nowNs;
    }

    /**
     * For how long have the rails pushed back on everything?
     *
     * @param nowNs time of {@link System#nanoTime()}.
     * @return nanoseconds, 0 when the last packet was taken.
     */
    public long busyNs(final long nowNs)
    {
        return NOT_BUSY == busySinceNs ? 0 : nowNs - busySinceNs;
    }

    private int sendSome(
        final long address, final int length, final boolean isData, final FrameTarget target, final SendLog log)
    {
        final RailChoice paths = this.paths;
        final int key = length >= SESSION_ID_OFFSET + 4 ? UnsafeApi.getInt(address + SESSION_ID_OFFSET) : handle;
        int result = NOT_CARRIED;
        long tried = 0;
        int index = paths.choose(key, length, tried);
        while (RailChoice.NONE != index)
        {
            final int sent = sendOn(paths.path(index), address, length, isData, target, log);
            if (sent > 0)
            {
                return sent;
            }

            result = 0 == sent ? 0 : result;
            tried |= 1L << index;
            index = paths.choose(key, length, tried);
        }

        return result;
    }

    private int sendOn(
        final RailPath path,
        final long address,
        final int length,
        final boolean isData,
        final FrameTarget target,
        final SendLog log)
    {
        if (null != target)
        {
            final int frameLength = target.firstLength(address, length);
            if (frameLength > 0)
            {
                final int result = target.write(
                    path.rail(), path.peer(), address, frameLength, path.maxLength(), log);
                if (FrameTarget.AS_MESSAGE != result)
                {
                    return sent(result, frameLength);
                }
            }
        }

        final int runLength = null == target ? length : target.messageLength(address, length);
        final int messageLength = isData ? messageLength(path, address, runLength) : length;
        if (0 == messageLength || messageLength > path.maxLength())
        {
            return NOT_CARRIED;
        }

        final int dataFrames = isData ? PacketFrames.count(address, messageLength) : 0;
        if (null != log && isData)
        {
            final int result = log.send(path.rail(), path.peer(), address, messageLength, peerHandle, dataFrames);
            if (SendLog.COPY != result)
            {
                return sent(result, messageLength);
            }
        }

        return sent(
            path.rail().send(
                path.peer(), address, messageLength, peerHandle, Math.max(1, dataFrames), dataFrames),
            messageLength);
    }

    private static int messageLength(final RailPath path, final long address, final int length)
    {
        final int cut = PacketFrames.fit(address, length, path.cutLength());
        return 0 == cut ? PacketFrames.fit(address, length, path.maxLength()) : cut;
    }

    private static int sent(final int result, final int length)
    {
        return Rail.POSTED == result ? length : Rail.BUSY == result ? 0 : NOT_CARRIED;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public String toString()
    {
        return "Link{" + channel.description() + " peer=" + peerAddress + " handle=" + Integer.toHexString(handle) +
            " up=" + isUp + " rails=" + paths.size() + '}';
    }
}
