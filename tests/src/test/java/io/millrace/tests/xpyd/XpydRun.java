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
package io.millrace.tests.xpyd;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.bridge.KvLayout;
import io.millrace.samples.demo.ChildProcess;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Routes the requests of a trace to pairs of prefill and decode instances, kills one process of each kind at moments
 * that the seed decides, and keeps account of what both sides say of every request.
 */
final class XpydRun implements AutoCloseable
{
    private static final long SHORT_WAIT_MS = 1_000;
    private static final int MAX_KILL_DELAY_MS = 300;

    private record Todo(long index, int tokens)
    {
    }

    private record Kill(String name, int atEnded, long delayNs)
    {
    }

    private final XpydOptions options;
    private final XpydReport report = new XpydReport();
    private final ArrayDeque<Todo> todo = new ArrayDeque<>();
    private final Map<Long, Attempt> active = new TreeMap<>();
    private final List<Kill> kills = new ArrayList<>();
    private final boolean[][] up = new boolean[Cluster.SIDE][Cluster.SIDE];
    private final boolean[][] ready = new boolean[2][Cluster.SIDE];
    private final KvLayout layout;
    private final Cluster cluster;
    private final long hangNs;
    private final long startNs = System.nanoTime();
    private long killDueNs;
    private int statsLeft;

    XpydRun(final XpydOptions options) throws Exception
    {
        this.options = options;
        layout = KvLayout.parse(options.model());
        hangNs = TimeUnit.MILLISECONDS.toNanos(3 * options.transferTimeoutMs() + 30_000);
        final List<Integer> tokens = options.load();
        report.requests = tokens.size();
        for (int i = 0; i < tokens.size(); i++)
        {
            todo.add(new Todo(i, tokens.get(i)));
        }
        planKills(new Random(options.seed()), tokens.size());
        cluster = new Cluster(options, 2 * layout.blocksFor(Collections.max(tokens)));
    }

    private void planKills(final Random random, final int requests)
    {
        for (final String kind : List.of("prefill-", "decode-", "driver-"))
        {
            // While there is still work left for what is started again.
            kills.add(new Kill(kind + random.nextInt(Cluster.SIDE), requests / 10 + random.nextInt(requests / 2),
                TimeUnit.MILLISECONDS.toNanos(random.nextInt(MAX_KILL_DELAY_MS))));
        }
        kills.sort(Comparator.comparingInt(Kill::atEnded));
    }

    /**
     * Run to the end.
     *
     * @return what became of the requests.
     */
    XpydReport run() throws InterruptedException
    {
        while (!todo.isEmpty() || !active.isEmpty())
        {
            assign();
            poll();
            killIfDue();
            giveUpHanging();
        }
        report.seconds = (System.nanoTime() - startNs) / 1e9;
        statsLeft = 2 * Cluster.SIDE;
        for (int i = 0; i < Cluster.SIDE; i++)
        {
            cluster.tell("prefill-" + i, "finish");
            cluster.tell("decode-" + i, "finish");
        }
        final long finishNs = System.nanoTime();
        while (statsLeft > 0 && System.nanoTime() - finishNs < hangNs)
        {
            poll();
        }
        return report;
    }

    @Override
    public void close()
    {
        cluster.close();
    }

    private void poll() throws InterruptedException
    {
        final ChildProcess.Event event = cluster.poll();
        if (null == event)
        {
            return;
        }
        final String name = event.child().name();
        final int side = name.startsWith("prefill") ? 0 : 1;
        final int index = name.charAt(name.length() - 1) - '0';
        if (null == event.message())
        {
            note(name + " ended, started again");
            if (!name.startsWith("driver"))
            {
                ready[side][index] = false;
                if (0 == side)
                {
                    up[index] = new boolean[Cluster.SIDE];
                }
            }
            return;
        }
        onMessage(name, side, index, event.message());
    }

    private void onMessage(final String name, final int side, final int index, final JsonNode message)
    {
        final String kind = message.get("event").asText();
        switch (kind)
        {
            case "ready" ->
            {
                ready[side][index] = true;
                retell(side, index);
            }
            case "up", "down" ->
            {
                if (0 == side)
                {
                    final String peer = message.get("peer").asText();
                    up[index][peer.charAt(peer.length() - 1) - '0'] = "up".equals(kind);
                    note(name + ": " + peer + " is " + kind + " " + message.get("text").asText());
                }
            }
            case "stats" ->
            {
                statsLeft--;
                report.heldBlocks += message.get("heldBlocks").asLong();
                message.properties().forEach(field ->
                {
                    if (Character.isUpperCase(field.getKey().charAt(0)))
                    {
                        report.counters.merge(field.getKey(), field.getValue().asLong(), Long::sum);
                    }
                });
            }
            default -> onRequest(kind, side, message);
        }
    }

    private void onRequest(final String kind, final int side, final JsonNode message)
    {
        final Attempt attempt = active.get(message.get("id").asLong());
        if (null == attempt)
        {
            throw new IllegalStateException("nobody waits for " + message);
        }
        switch (kind)
        {
            case "expecting" ->
            {
                attempt.isExpected = true;
                send(attempt);
            }
            case "sent" -> attempt.prefillEnd = Attempt.End.GOOD;
            case "verified" -> onVerified(attempt, message);
            case "recomputed" -> onRecomputed(attempt, message);
            case "failed" -> onFailed(attempt, side, message.get("text").asText());
            default -> throw new IllegalStateException("unknown event " + message);
        }
        if (attempt.isToBeRecalled())
        {
            recall(attempt);
        }
        endIfEnded(attempt);
    }

    private void onVerified(final Attempt attempt, final JsonNode message)
    {
        attempt.decodeEnd = Attempt.End.GOOD;
        report.mismatches += message.get("mismatches").asLong();
        if (message.get("tokens").asInt() != attempt.tokens ||
            !message.get("policy").asText().equals(attempt.policy.name()))
        {
            throw new IllegalStateException(message + " is not what was sent: " + attempt);
        }
    }

    private void onRecomputed(final Attempt attempt, final JsonNode message)
    {
        attempt.decodeEnd = Attempt.End.RECOMPUTED;
        attempt.decodeText = message.get("text").asText();
        report.mismatches += message.get("mismatches").asLong();
    }

    private void onFailed(final Attempt attempt, final int side, final String text)
    {
        if (0 == side)
        {
            attempt.prefillEnd = Attempt.End.FAILED;
            attempt.prefillText = text;
        }
        else
        {
            attempt.decodeEnd = Attempt.End.FAILED;
            attempt.decodeText = text;
        }
    }

    private void assign()
    {
        while (!todo.isEmpty() && active.size() < options.window())
        {
            int prefill = -1;
            int decode = -1;
            long fewest = Long.MAX_VALUE;
            for (int pair = 0; pair < Cluster.SIDE * Cluster.SIDE; pair++)
            {
                final int i = pair / Cluster.SIDE;
                final int j = pair % Cluster.SIDE;
                final long load = active.values().stream().filter(a -> a.prefill == i && a.decode == j).count();
                if (up[i][j] && ready[1][j] && load < fewest)
                {
                    fewest = load;
                    prefill = i;
                    decode = j;
                }
            }
            if (prefill < 0)
            {
                return;
            }
            final Todo next = todo.poll();
            final Attempt attempt = new Attempt(next.index, next.tokens, prefill, decode);
            active.put(attempt.index, attempt);
            expect(attempt);
        }
    }

    private void expect(final Attempt attempt)
    {
        // Where nothing will come any more the decode side need not wait long to learn it.
        final long timeoutMs =
            Attempt.End.NONE == attempt.prefillEnd ? options.transferTimeoutMs() : SHORT_WAIT_MS;
        cluster.tell("decode-" + attempt.decode,
            "expect " + attempt.index + " " + attempt.tokens + " " + attempt.prefill + " " + timeoutMs);
    }

    private void send(final Attempt attempt)
    {
        if (!attempt.isSent && ready[0][attempt.prefill])
        {
            attempt.isSent = true;
            cluster.tell("prefill-" + attempt.prefill, "send " + attempt.index + " " +
                attempt.tokens + " " + attempt.decode);
        }
    }

    private void recall(final Attempt attempt)
    {
        if (ready[0][attempt.prefill])
        {
            cluster.tell("prefill-" + attempt.prefill,
                "recall " + attempt.index + " " + attempt.decodeText.replace(' ', '_'));
        }
    }

    private void retell(final int side, final int index)
    {
        for (final Attempt attempt : new ArrayList<>(active.values()))
        {
            if (0 == side && attempt.prefill == index)
            {
                retellPrefill(attempt);
            }
            else if (1 == side && attempt.decode == index && Attempt.End.NONE == attempt.decodeEnd)
            {
                expect(attempt);
            }
        }
        if (1 == side)
        {
            cluster.tell("decode-" + index, "told");
        }
    }

    private void retellPrefill(final Attempt attempt)
    {
        if (Attempt.End.GOOD == attempt.decodeEnd)
        {
            attempt.prefillEnd = Attempt.End.FAILED;
            attempt.prefillText = "process killed";
            endIfEnded(attempt);
        }
        else if (attempt.isLost())
        {
            recall(attempt);
        }
        else if (Attempt.End.NONE == attempt.prefillEnd)
        {
            attempt.isSent &= !attempt.isExpected;
            if (attempt.isExpected)
            {
                send(attempt);
            }
        }
    }

    private void endIfEnded(final Attempt attempt)
    {
        if (!attempt.isEnded())
        {
            return;
        }
        active.remove(attempt.index);
        if (Attempt.End.GOOD == attempt.decodeEnd)
        {
            report.verified++;
            report.bytes += layout.totalBytes(layout.blocksFor(attempt.tokens));
            report.verifiedUntold += Attempt.End.FAILED == attempt.prefillEnd ? 1 : 0;
            return;
        }
        report.failures.add(attempt.toString());
        if (Attempt.End.RECOMPUTED == attempt.decodeEnd)
        {
            report.recomputed++;
        }
        else
        {
            report.failed++;
        }
    }

    private void killIfDue()
    {
        final Iterator<Kill> iterator = kills.iterator();
        if (!iterator.hasNext())
        {
            return;
        }
        final Kill kill = iterator.next();
        final long nowNs = System.nanoTime();
        if (report.ended() < kill.atEnded || active.isEmpty())
        {
            killDueNs = nowNs + kill.delayNs;
        }
        else if (nowNs - killDueNs >= 0)
        {
            iterator.remove();
            note("SIGKILL " + kill.name + " after " + (report.ended()) + " requests with " +
                active.size() + " in flight");
            cluster.kill(kill.name);
            killDueNs = nowNs + (kills.isEmpty() ? 0 : kills.getFirst().delayNs);
        }
    }

    private void giveUpHanging()
    {
        final long nowNs = System.nanoTime();
        active.values().removeIf(attempt ->
        {
            final boolean hangs = nowNs - attempt.beginNs > hangNs;
            if (hangs)
            {
                report.unknown++;
                report.failures.add("UNKNOWN " + attempt);
            }
            return hangs;
        });
    }

    private void note(final String text)
    {
        report.events.add(String.format("%7.2f s  %s", (System.nanoTime() - startNs) / 1e9, text));
    }
}
