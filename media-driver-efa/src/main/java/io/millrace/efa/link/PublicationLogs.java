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

import io.millrace.efa.libfabric.MemoryRegion;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.term.LogRegions;
import io.millrace.efa.term.RegisteredLog;
import io.millrace.efa.term.SendLog;
import io.millrace.efa.term.TermCounters;

import java.io.File;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Registers the logs of publications whose channel has a peer on rails, and closes them when nothing is in flight from
 * them any more. Part of the fabric conductor.
 */
final class PublicationLogs
{
    private record Key(RailChannel channel, long registrationId)
    {
    }

    private static final class Entry
    {
        final int sessionId;
        final int streamId;
        RegisteredLog log;
        SendLog sendLog;
        boolean isTried;

        Entry(final int sessionId, final int streamId)
        {
            this.sessionId = sessionId;
            this.streamId = streamId;
        }
    }

    private final Map<Key, Entry> entries = new HashMap<>();
    private final Map<RegisteredLog, SendLog> open = new HashMap<>();
    private final TermSettings settings;
    private final LogRegions regions;
    private final TermCounters counters;
    private final AgentSide side;
    private final Consumer<Runnable> events;

    PublicationLogs(
        final TermSettings settings,
        final LogRegions regions,
        final TermCounters counters,
        final AgentSide side,
        final Consumer<Runnable> events)
    {
        this.settings = settings;
        this.regions = regions;
        this.counters = counters;
        this.side = side;
        this.events = events;
    }

    void onPublication(
        final RailChannel channel,
        final long registrationId,
        final int sessionId,
        final int streamId,
        final boolean isLinked)
    {
        final Key key = new Key(channel, registrationId);
        final Entry entry = new Entry(sessionId, streamId);
        entries.put(key, entry);
        if (isLinked)
        {
            register(key, entry);
        }
    }

    void onPublicationEnded(final RailChannel channel, final long registrationId)
    {
        end(new Key(channel, registrationId), entries.remove(new Key(channel, registrationId)));
    }

    void onLinked(final RailChannel channel)
    {
        entries.forEach(
            (key, entry) ->
            {
                if (key.channel() == channel && !entry.isTried)
                {
                    register(key, entry);
                }
            });
    }

    void onRailOpened(final Rail rail)
    {
        open.forEach(
            (log, sendLog) ->
            {
                if (log.add(rail))
                {
                    useRails(log, sendLog);
                }
            });
    }

    void onRailClosed(final Rail rail)
    {
        open.forEach(
            (log, sendLog) ->
            {
                if (log.remove(rail))
                {
                    useRails(log, sendLog);
                }
            });
    }

    int doWork()
    {
        int workCount = 0;
        final Iterator<Map.Entry<Key, Entry>> iterator = entries.entrySet().iterator();
        while (iterator.hasNext())
        {
            final Map.Entry<Key, Entry> entry = iterator.next();
            if (entry.getKey().channel().isClosed())
            {
                iterator.remove();
                end(entry.getKey(), entry.getValue());
                workCount++;
            }
        }

        return workCount;
    }

    /**
     * Close all logs. Rails are closed.
     */
    void close()
    {
        open.keySet().forEach(RegisteredLog::close);
        open.clear();
        entries.clear();
    }

    private void register(final Key key, final Entry entry)
    {
        // many destinations would hold each other up, as each keeps the term until it has taken the frame
        if (!settings.isZeroCopy() && !settings.isPlaced() || null == key.channel().sendLogs() ||
            key.channel().udpChannel().isMultiDestination() || !side.isEnabled())
        {
            return;
        }

        entry.isTried = true;
        final File file = new File(
            settings.aeronDirectory(), "publications/" + key.registrationId() + ".logbuffer");
        if (!file.exists())
        {
            return;
        }

        entry.log = regions.register(
            file, side.rails(), MemoryRegion.ACCESS_WRITE_SOURCE, settings.shortestLength());
        if (null != entry.log)
        {
            final int minLength = settings.isZeroCopy() ? settings.zeroCopyLength() : Integer.MAX_VALUE;
            final SendLog sendLog = new SendLog(entry.log, entry.sessionId, entry.streamId, minLength, counters);
            entry.sendLog = sendLog;
            open.put(entry.log, sendLog);
            useRails(entry.log, sendLog);
            side.run(() -> key.channel().sendLogs().add(sendLog));
        }
    }

    private void useRails(final RegisteredLog log, final SendLog sendLog)
    {
        final Rail[] rails = log.rails();
        final long[] descriptors = SendLog.descriptors(log, rails);
        side.run(() -> sendLog.rails(rails, descriptors));
    }

    private void end(final Key key, final Entry entry)
    {
        if (null == entry || null == entry.sendLog)
        {
            return;
        }

        final RegisteredLog log = entry.log;
        final SendLog sendLog = entry.sendLog;
        side.run(
            () ->
            {
                key.channel().sendLogs().remove(sendLog);
                sendLog.whenUnused(() -> events.accept(
                    () ->
                    {
                        open.remove(log);
                        log.close();
                    }));
            });
    }
}
