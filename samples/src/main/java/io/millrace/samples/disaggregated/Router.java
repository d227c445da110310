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
package io.millrace.samples.disaggregated;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.bridge.session.KvRole;
import io.millrace.samples.demo.ChildProcess;
import io.millrace.samples.disaggregated.Ticket.Job;
import io.millrace.samples.failure.CommandFailure;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * Decides which instances serve a request: the decode instance that has most of its prefix and least to do, the archive
 * for what follows of the prefix, and for the rest the prefill instance with least to do.
 */
final class Router
{
    // A request in flight weighs as much as these blocks of a prefix: more spreads conversations, less keeps them.
    private static final int BLOCKS_OF_A_REQUEST = 2;
    private static final long SILENCE_NS = TimeUnit.SECONDS.toNanos(120);

    private final Fleet fleet;
    private final long silenceNs;
    private final Tally tally = new Tally();
    private final Queue<Ticket> arrived = new ArrayDeque<>();
    private final List<Job> unassigned = new ArrayList<>();
    private final Map<Long, Ticket> tickets = new HashMap<>();
    private final Map<Long, Job> jobs = new HashMap<>();
    private long startNs;
    private long lastProgressNs;
    private int firstTokens;
    private int answering;

    /**
     * @param silenceNs after which the run has failed when requests wait and no instance says anything.
     */
    Router(final Fleet fleet, final long silenceNs)
    {
        this.fleet = fleet;
        this.silenceNs = silenceNs;
    }

    /**
     * How long all may be silent: of a prompt nothing is heard until it is computed, of one that waits for memory until
     * an answer ends.
     *
     * @param prompts     of the run.
     * @param prefillRate tokens a second that a prefill instance computes, 0 for as fast as it goes.
     * @param decodeRate  tokens a second of an answer, 0 for as fast as it goes.
     */
    static long silenceNs(final List<Prompt> prompts, final double prefillRate, final double decodeRate)
    {
        return SILENCE_NS +
            NodeOrders.computeNs(prompts.stream().mapToInt(Prompt::tokens).max().orElse(0), prefillRate) +
            NodeOrders.computeNs(prompts.stream().mapToInt(Prompt::outputTokens).max().orElse(0), decodeRate);
    }

    /**
     * Begin: from here on times count.
     */
    void start(final long nowNs)
    {
        startNs = nowNs;
        lastProgressNs = nowNs;
    }

    void arrive(final Prompt prompt, final long dueNs)
    {
        arrived.add(new Ticket(prompt, dueNs));
        lastProgressNs = System.nanoTime();
    }

    boolean isIdle()
    {
        return arrived.isEmpty() && tickets.isEmpty() && 0 == answering;
    }

    private int waiting()
    {
        return arrived.size() + tickets.size();
    }

    /**
     * Requests whose decode instance had all blocks.
     */
    int firstTokens()
    {
        return firstTokens;
    }

    /**
     * Those of them whose answer is not at its end.
     */
    int answering()
    {
        return answering;
    }

    Tally tally()
    {
        return tally;
    }

    /**
     * Give work to instances, as far as there are some that can do it.
     */
    void dispatch()
    {
        while (!arrived.isEmpty())
        {
            final Instance decode = decodeFor(arrived.peek().prompt());
            if (null == decode)
            {
                break;
            }
            final Ticket ticket = arrived.remove();
            ticket.decode(decode);
            decode.begin(ticket.prompt().tokens());
            tickets.put(ticket.prompt().index(), ticket);
            Cluster.tell(decode.process(), Command.admit(ticket.prompt()));
        }
        final List<Job> again = new ArrayList<>(unassigned);
        unassigned.clear();
        again.forEach((job) -> compute(job.ticket(), job.id(), job.from(), job.to()));
        if (System.nanoTime() - lastProgressNs > silenceNs && waiting() > 0)
        {
            throw CommandFailure.failed(waiting() + " requests wait and none went on for " +
                TimeUnit.NANOSECONDS.toSeconds(silenceNs) + " s: --verbose shows what the processes say");
        }
    }

    // What it need not get counts against what it is busy with.
    private Instance decodeFor(final Prompt prompt)
    {
        return fleet.serving(KvRole.DECODE)
            .filter((decode) -> fleet.serving(KvRole.PREFILL).anyMatch((one) -> one.peers().contains(decode.name())))
            .min(Comparator.comparingInt((decode) ->
                BLOCKS_OF_A_REQUEST * decode.inFlight() - decode.prefixLength(prompt.hashes())))
            .orElse(null);
    }

    private Instance prefillFor(final Instance decode)
    {
        return fleet.serving(KvRole.PREFILL).filter((one) -> one.peers().contains(decode.name()))
            .min(Comparator.comparingLong(Instance::loadTokens)).orElse(null);
    }

    /**
     * Take what an instance said of a request.
     */
    void onEvent(final ChildProcess.Event event)
    {
        final JsonNode message = event.message();
        final long id = message.get("id").asLong();
        lastProgressNs = System.nanoTime();
        switch (message.get("event").asText())
        {
            case "admitted" -> onAdmitted(tickets.get(id), message.get("cached").asInt());
            case "planned" -> onPlanned(tickets.get(id), message.get("blocks").asInt());
            case "computed" ->
            {
                if (jobs.containsKey(id))
                {
                    jobs.get(id).ticket().computed(message.get("startNs").asLong(), message.get("endNs").asLong());
                }
            }
            case "reading" ->
            {
                if (jobs.containsKey(id))
                {
                    jobs.get(id).ticket().read(message.get("startNs").asLong());
                }
            }
            case "sent" -> onSent(jobs.remove(id));
            case "lost" -> onLost(jobs.remove(id), message.get("text").asText());
            case "answered" -> onAnswered(tickets.get(id), message);
            default ->
            {
                answering--;
                fleet.of(event.child()).finish();
            }
        }
    }

    private void onAdmitted(final Ticket ticket, final int cached)
    {
        ticket.admitted(cached, System.nanoTime());
        final Instance archive = fleet.archive();
        if (cached == ticket.blockCount())
        {
            return;
        }
        if (null != archive && archive.peers().contains(ticket.decode().name()))
        {
            Cluster.tell(archive.process(),
                Command.plan(ticket.prompt().index(), hashes(ticket, cached, ticket.blockCount())));
        }
        else
        {
            onPlanned(ticket, 0);
        }
    }

    private void onPlanned(final Ticket ticket, final int stored)
    {
        final long id = ticket.prompt().index();
        final int computedFrom = ticket.cached() + stored;
        ticket.stored(stored);
        if (stored > 0)
        {
            send(new Job(ticket, Transfers.head(id), fleet.archive(), ticket.cached(), computedFrom, 0));
        }
        if (computedFrom < ticket.blockCount())
        {
            compute(ticket, Transfers.tail(id), computedFrom, ticket.blockCount());
        }
    }

    private void compute(final Ticket ticket, final long id, final int from, final int to)
    {
        final Job job = new Job(ticket, id, prefillFor(ticket.decode()), from, to, ticket.prompt().tokensOf(from, to));
        if (null == job.sender())
        {
            unassigned.add(job);
        }
        else
        {
            send(job);
        }
    }

    private void send(final Job job)
    {
        jobs.put(job.id(), job);
        job.ticket().opened();
        job.sender().begin(job.tokens());
        Cluster.tell(job.sender().process(), Command.send(
            job.id(), job.ticket().decode().name(), hashes(job.ticket(), job.from(), job.to()), job.tokens()));
    }

    private void onSent(final Job job)
    {
        job.sender().unload(job.tokens());
        job.sender().finish();
        job.sender().countBlocks(job.to() - job.from());
        job.ticket().closed();
        endIfComplete(job.ticket());
    }

    // Whoever lost it, blocks can always be computed.
    private void onLost(final Job job, final String text)
    {
        final Ticket ticket = job.ticket();
        job.sender().unload(job.tokens());
        job.sender().drop();
        ticket.closed();
        if (ticket.isAnswered())
        {
            endIfComplete(ticket);
            return;
        }
        tally.retry();
        if (!ticket.lost())
        {
            throw CommandFailure.failed("request " + ticket.prompt().index() + " was lost " + ticket.lostCount() +
                " times, the last time by " + job.sender().name() + ": " + text);
        }
        if (Transfers.isHead(job.id()))
        {
            ticket.stored(0);
        }
        compute(ticket, job.id(), job.from(), job.to());
    }

    private void onAnswered(final Ticket ticket, final JsonNode message)
    {
        final Instance decode = ticket.decode();
        message.get("evicted").forEach((hash) -> decode.hashes().remove(hash.asLong()));
        message.get("stored").forEach((hash) -> decode.hashes().add(hash.asLong()));
        decode.countBlocks(ticket.cached());
        // It goes on with the answer.
        decode.unload(ticket.prompt().tokens());
        firstTokens++;
        answering++;
        ticket.answered(message.get("firstTokenNs").asLong(), message.get("wrong").asLong());
        endIfComplete(ticket);
    }

    private void endIfComplete(final Ticket ticket)
    {
        if (ticket.isComplete())
        {
            tickets.remove(ticket.prompt().index());
            tally.add(ticket.served(startNs), ticket.wrongBlocks());
        }
    }

    private static long[] hashes(final Ticket ticket, final int from, final int to)
    {
        return Arrays.copyOfRange(ticket.prompt().hashes(), from, to);
    }
}
