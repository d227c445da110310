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
package io.millrace.samples.stat;

import io.aeron.AeronCounters;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.millrace.efa.EfaCounters;
import io.millrace.samples.stat.DriverSample.DistinctError;
import io.millrace.samples.stat.DriverSample.KvStream;
import io.millrace.samples.stat.DriverSample.Peer;
import io.millrace.samples.stat.DriverSample.Protocol;
import io.millrace.samples.stat.DriverSample.Rail;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Makes a sample of two snapshots. Counters of rails and peers are told apart by their labels, so that those of a later
 * driver are shown as well.
 */
final class Sampler
{
    private static final int FIRST_TYPE_ID = EfaCounters.PROTOCOL_TYPE_ID;
    private static final int END_TYPE_ID = 2 * FIRST_TYPE_ID;
    private static final String RAIL_PREFIX = "efa-rail ";
    private static final String PEER_PREFIX = "efa-peer ";
    private static final String DRIVER_PREFIX = "efa ";
    private static final String KV_PREFIX = "kv ";
    private static final String NAME_END = ": ";
    private static final Pattern WORD_START = Pattern.compile("[^a-z0-9]+([a-z0-9])");

    private final Snapshot after;
    private final Rates rates;
    private final Map<String, Long> fabric = new LinkedHashMap<>();
    private final Map<String, Long> system = new LinkedHashMap<>();
    private final Map<String, Map<String, Counter>> rails = new LinkedHashMap<>();
    private final Map<String, Map<Integer, Counter>> peers = new LinkedHashMap<>();
    private final Map<String, Map<String, Long>> kvStreams = new LinkedHashMap<>();
    private final Streams streams;
    private Protocol protocol;

    private Sampler(final Snapshot before, final Snapshot after)
    {
        this.after = after;
        rates = new Rates(before, after);
        streams = new Streams(rates);
    }

    static DriverSample sample(final CncFile file, final Snapshot before, final Snapshot after)
    {
        final Sampler sampler = new Sampler(before, after);
        after.counters().forEach(sampler::add);
        return new DriverSample(
            file.directory().toString(),
            file.pid(),
            Math.max(0, after.timeMs() - file.startMs()),
            after.heartbeatAgeMs(),
            after.timeMs(),
            sampler.rates.seconds(),
            sampler.protocol,
            sampler.fabric,
            sampler.rails(),
            sampler.peers(),
            sampler.streams.publications(),
            sampler.streams.images(),
            sampler.kvStreams.entrySet().stream().map((e) -> new KvStream(e.getKey(), e.getValue())).toList(),
            sampler.system,
            after.errors());
    }

    private void add(final Counter counter)
    {
        final int typeId = counter.typeId();
        if (AeronCounters.DRIVER_SYSTEM_COUNTER_TYPE_ID == typeId)
        {
            final SystemCounterDescriptor descriptor = SystemCounterDescriptor.get(counter.keyInt(0));
            if (null != descriptor)
            {
                system.put(camelCase(descriptor.name()), counter.value());
            }
        }
        else if (Streams.isOfStream(typeId))
        {
            streams.add(counter);
        }
        else if (typeId >= FIRST_TYPE_ID && typeId < END_TYPE_ID)
        {
            addFabric(counter);
        }
    }

    private void addFabric(final Counter counter)
    {
        final String label = counter.label();
        final int nameEnd = label.indexOf(NAME_END);
        if (EfaCounters.PROTOCOL_TYPE_ID == counter.typeId())
        {
            protocol = new Protocol(counter.value(), withoutPrefix(label, DRIVER_PREFIX));
        }
        else if (label.startsWith(RAIL_PREFIX) && nameEnd > 0)
        {
            rails.computeIfAbsent(label.substring(RAIL_PREFIX.length(), nameEnd), (name) -> new LinkedHashMap<>())
                .put(camelCase(label.substring(nameEnd + NAME_END.length())), counter);
        }
        else if (label.startsWith(PEER_PREFIX) && nameEnd > 0)
        {
            // A peer is one of a channel, and the channel ends the label after a text that its type decides.
            peers.computeIfAbsent(
                label.substring(PEER_PREFIX.length(), nameEnd) + channel(label), (name) -> new HashMap<>())
                .put(counter.typeId(), counter);
        }
        else if (label.startsWith(KV_PREFIX) && nameEnd > 0)
        {
            kvStreams.computeIfAbsent(label.substring(nameEnd + NAME_END.length()), (name) -> new LinkedHashMap<>())
                .put(camelCase(label.substring(KV_PREFIX.length(), nameEnd)), counter.value());
        }
        else
        {
            // What follows a colon is a setting, such as a threshold.
            fabric.put(camelCase(withoutPrefix(
                nameEnd > 0 ? label.substring(0, nameEnd) : label, DRIVER_PREFIX)), counter.value());
        }
    }

    private static String channel(final String label)
    {
        final int start = label.indexOf(" aeron:");
        return start < 0 ? "" : label.substring(start);
    }

    private static String withoutPrefix(final String text, final String prefix)
    {
        return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
    }

    /**
     * A label or a constant's name as the name of a JSON member.
     */
    static String camelCase(final String text)
    {
        final Matcher matcher = WORD_START.matcher(text.toLowerCase(Locale.ROOT));
        return matcher.replaceAll((match) -> match.group(1).toUpperCase(Locale.ROOT)).replaceAll("[^A-Za-z0-9]", "");
    }

    private List<Rail> rails()
    {
        final List<Rail> list = new ArrayList<>();
        rails.forEach(
            (name, counters) ->
            {
                final Map<String, Long> values = new LinkedHashMap<>();
                counters.forEach((what, counter) -> values.put(what, counter.value()));
                list.add(new Rail(
                    name,
                    state(counters),
                    rate(counters, EfaCounters.RAIL_BYTES_SENT_TYPE_ID),
                    rate(counters, EfaCounters.RAIL_FRAMES_SENT_TYPE_ID),
                    rate(counters, EfaCounters.RAIL_BYTES_RECEIVED_TYPE_ID),
                    rate(counters, EfaCounters.RAIL_MESSAGES_RECEIVED_TYPE_ID),
                    values));
            });
        return list;
    }

    private double rate(final Map<String, Counter> counters, final int typeId)
    {
        return counters.values().stream()
            .filter((counter) -> typeId == counter.typeId()).mapToDouble(rates::perSecond).sum();
    }

    private static String state(final Map<String, Counter> counters)
    {
        for (final Counter counter : counters.values())
        {
            if (EfaCounters.RAIL_OPEN_TYPE_ID == counter.typeId())
            {
                return 0 == counter.value() ? "closed" : "open";
            }
        }
        return "unknown";
    }

    private List<Peer> peers()
    {
        final List<Peer> list = new ArrayList<>();
        peers.forEach(
            (name, counters) ->
            {
                final Counter transport = counters.get(EfaCounters.PEER_TRANSPORT_TYPE_ID);
                if (null != transport)
                {
                    final String channel = channel(name);
                    final String peer = name.substring(0, name.length() - channel.length());
                    list.add(new Peer(
                        peer,
                        0 == transport.value() ? "udp" : "rails",
                        value(counters, EfaCounters.PEER_HANDSHAKES_TYPE_ID),
                        value(counters, EfaCounters.PEER_FALLBACKS_TYPE_ID),
                        reason(peer, channel.strip()),
                        channel.strip()));
                }
            });
        return list;
    }

    private static long value(final Map<Integer, Counter> counters, final int typeId)
    {
        final Counter counter = counters.get(typeId);
        return null == counter ? 0 : counter.value();
    }

    /**
     * Fallbacks of a peer begin with what fell back, the peer and the channel, then say why.
     */
    private String reason(final String peer, final String channel)
    {
        final String subject = " " + peer + " of " + channel;
        String reason = null;
        for (final DistinctError error : after.errors())
        {
            final int start = error.text().indexOf(subject);
            if (start >= 0)
            {
                reason = error.text().substring(start + subject.length()).strip();
            }
        }
        return reason;
    }
}
