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
package io.millrace.archive;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.Counter;
import io.aeron.archive.client.ReplicationParams;
import org.agrona.CloseHelper;
import org.agrona.SystemUtil;
import org.agrona.collections.LongHashSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a copy of every recording of one archive in another one (Aeron's replication). The other archive takes them
 * from the first itself: active recordings are followed, what broke off goes on where the copy ends. Copies are known
 * by the start time, initial term id, channel and stream of the recording. Used by one thread at a time.
 */
public final class KvReplicator implements AutoCloseable
{
    /**
     * Copies that are made at a time.
     */
    public static final int MAX_RUNNING = 8;

    private static final Logger LOGGER = LoggerFactory.getLogger(KvReplicator.class);
    private static final long RETRY_NS = TimeUnit.SECONDS.toNanos(30);
    private static final long POLL_NS = TimeUnit.MILLISECONDS.toNanos(20);

    private final KvArchive source;
    private final ArchiveSession session;
    private final String sourceControlChannel;
    private final int sourceControlStreamId;
    private final String localChannel;
    private final Counter counter;
    private final Map<Long, Request> requests = new HashMap<>();
    private final ResumedLook look;
    private String errorText;

    private record Request(long replicationId, long timeNs, String whyNot)
    {
    }

    private record Key(long startTimestampMs, int initialTermId, int streamId, String channel)
    {
        static Key of(final KvRecordingInfo info)
        {
            return new Key(info.startTimestampMs(), info.initialTermId(), info.streamId(), info.channel());
        }
    }

    /**
     * Prepare.
     *
     * @param source       client of the archive to copy from, over the control channel on which the other archive
     *                     reaches it, too. It stays the caller's.
     * @param destination  client of the archive to copy to, that stays the caller's.
     * @param localChannel on which the destination listens to the source, such as
     *                     {@code aeron:udp?endpoint=10.0.0.2:0}.
     * @throws KvArchiveException with {@link KvArchiveError#ARCHIVE_GONE}.
     */
    public KvReplicator(final KvArchive source, final KvArchive destination, final String localChannel)
    {
        this.source = source;
        this.localChannel = localChannel;
        sourceControlChannel = source.context().archiveContext().controlRequestChannel();
        sourceControlStreamId = source.context().archiveContext().controlRequestStreamId();
        final KvArchive.Context ctx = destination.context();
        if (sourceControlChannel.startsWith(CommonContext.IPC_CHANNEL))
        {
            throw new IllegalArgumentException("controlRequestChannel=" + sourceControlChannel + " of the source is " +
                "not reached from another driver: give its archive a UDP control channel, and connect over that");
        }
        look = new ResumedLook((recordingId, from, to, timeoutNs) ->
            source.frames().firstBad(recordingId, from, to, FrameGuard::isInterrupted, timeoutNs));
        session = new ArchiveSession(ctx.aeron(), ctx.archiveContext());
        counter = ctx.aeron().addCounter(
            ArchiveCounters.REPLICATIONS_TYPE_ID, "archive: copies of recordings begun, or begun again");
    }

    /**
     * Begin, or begin again, what is not copied and not on its way, as many as may run.
     *
     * @return each recording of the source, by its id.
     * @throws KvArchiveException with {@link KvArchiveError#ARCHIVE_GONE} when one of the archives does not answer.
     */
    public List<KvReplica> update()
    {
        final Map<Key, List<KvRecordingInfo>> copies = new HashMap<>();
        int running = 0;
        for (final KvRecordingInfo info : Recordings.list(session, 0, Integer.MAX_VALUE, null, 0))
        {
            copies.computeIfAbsent(Key.of(info), key -> new ArrayList<>()).add(info);
        }
        UnclaimedErrors.drain(session, this::onError);

        final LongHashSet taken = new LongHashSet();
        final List<KvReplica> replicas = new ArrayList<>();
        for (final KvRecordingInfo info : source.list(0, Integer.MAX_VALUE))
        {
            final KvRecordingInfo copy = copyOf(info, copies.getOrDefault(Key.of(info), List.of()), taken);
            final boolean isActive = null != copy && copy.isActive();
            final boolean isWhole = null != copy && !info.isActive() && copy.position() >= info.position();
            running += isActive ? 1 : 0;
            String whyNot = null;
            if (isWhole || isActive)
            {
                whyNot = null;
            }
            else if (null != copy && copy.position() < info.startPosition())
            {
                whyNot = "recording " + info.recordingId() + " begins at " + info.startPosition() + ", its copy ends " +
                    "at " + copy.position() + ": what lay between was purged; purge the copy to have the rest";
            }
            else if (running < MAX_RUNNING)
            {
                final Request request = request(info, copy);
                running += null == request.whyNot() ? 1 : 0;
                whyNot = null == request.whyNot() ? errorText : request.whyNot();
            }
            replicas.add(new KvReplica(info.recordingId(), null == copy ? Aeron.NULL_VALUE : copy.recordingId(),
                info.position(), null == copy ? info.startPosition() : copy.position(), isActive, whyNot));
        }
        return replicas;
    }

    /**
     * Wait until all is copied that the source has recorded now; what is recorded later is followed on.
     *
     * @param timeoutNs nanoseconds to wait at most.
     * @return each recording of the source, by its id.
     * @throws KvArchiveException with {@link KvArchiveError#DEADLINE}.
     */
    public List<KvReplica> await(final long timeoutNs)
    {
        final long startNs = System.nanoTime();
        final Map<Long, Long> goals = new HashMap<>();
        source.list(0, Integer.MAX_VALUE).forEach(info -> goals.put(info.recordingId(), info.position()));
        while (true)
        {
            final List<KvReplica> replicas = update();
            final long behind = replicas.stream().filter(replica -> Aeron.NULL_VALUE == replica.recordingId() ||
                replica.position() < goals.getOrDefault(replica.sourceRecordingId(), Long.MIN_VALUE)).count();
            if (0 == behind)
            {
                return replicas;
            }
            if (System.nanoTime() - startNs >= timeoutNs)
            {
                throw new KvArchiveException(KvArchiveError.DEADLINE, behind + " of " + replicas.size() +
                    " recordings were not copied within " + SystemUtil.formatDuration(timeoutNs) + ": " +
                    replicas.stream().map(KvReplica::errorText).filter(text -> null != text).findFirst()
                    .orElse("allow more time"));
            }
            LockSupport.parkNanos(POLL_NS);
        }
    }

    private void onError(final String text)
    {
        errorText = text;
        LOGGER.warn("copy broke off, tried again: {}", text);
    }

    private KvRecordingInfo copyOf(
        final KvRecordingInfo info, final List<KvRecordingInfo> candidates, final LongHashSet taken)
    {
        KvRecordingInfo found = null;
        for (final KvRecordingInfo candidate : candidates)
        {
            if (!taken.contains(candidate.recordingId()) &&
                (null == found || candidate.sessionId() == info.sessionId() && found.sessionId() != info.sessionId()))
            {
                found = candidate;
            }
        }
        if (null != found)
        {
            taken.add(found.recordingId());
        }
        return found;
    }

    private Request request(final KvRecordingInfo info, final KvRecordingInfo copy)
    {
        final long nowNs = System.nanoTime();
        final Request last = requests.get(info.recordingId());
        if (null != last)
        {
            if (nowNs - last.timeNs() < RETRY_NS)
            {
                return last;
            }
            stop(last);
        }
        final long from = null == copy ? info.startPosition() : copy.position();
        final long bad;
        try
        {
            bad = look.firstBad(info, from, source.context().replayTimeoutNs());
        }
        catch (final KvArchiveException ex)
        {
            if (KvArchiveError.DEADLINE != ex.error())
            {
                throw ex;
            }
            // The next update goes on looking.
            return put(info, new Request(Aeron.NULL_VALUE, nowNs - RETRY_NS, ex.getMessage()));
        }
        if (bad < info.position())
        {
            final String text =
                ArchiveErrors.withRemedy(KvArchiveError.BAD_FRAME, FrameGuard.at(info.recordingId(), bad));
            LOGGER.warn("not copied: {}", text);
            return put(info, new Request(Aeron.NULL_VALUE, nowNs, text));
        }
        final ReplicationParams params = new ReplicationParams()
            .replicationChannel(localChannel)
            .srcResponseChannel(localChannel);
        if (null != copy)
        {
            params.dstRecordingId(copy.recordingId());
        }
        final long replicationId = session.call("copy recording " + info.recordingId() + " of " + sourceControlChannel,
            client -> client.replicate(info.recordingId(), sourceControlStreamId, sourceControlChannel, params));
        look.forget(info.recordingId());
        counter.incrementRelease();
        LOGGER.info("recording {} is copied from position {} on{}", info.recordingId(),
            from, null == last ? "" : ", again");
        return put(info, new Request(replicationId, nowNs, null));
    }

    private Request put(final KvRecordingInfo info, final Request request)
    {
        requests.put(info.recordingId(), request);
        return request;
    }

    private void stop(final Request request)
    {
        if (null == request.whyNot())
        {
            session.call("stop copying", client -> client.tryStopReplication(request.replicationId()));
        }
    }

    /**
     * Stop copying; copies stay as far as they are.
     */
    public void close()
    {
        try
        {
            if (session.isConnected())
            {
                requests.values().forEach(this::stop);
            }
        }
        finally
        {
            CloseHelper.closeAll(session, counter);
        }
    }
}
