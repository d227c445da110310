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
import io.millrace.samples.disaggregated.RunResult.InstanceResult;
import io.millrace.samples.failure.CommandFailure;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The instances: who joins is told to the others, who leaves ends what it has begun before.
 */
final class Fleet
{
    private final List<Instance> instances = new ArrayList<>();
    private final Cluster cluster;
    private final int[] numbers = new int[KvRole.values().length];

    Fleet(final Cluster cluster)
    {
        this.cluster = cluster;
    }

    /**
     * Start an instance. It serves when it has said that it is ready.
     *
     * @param role PREFILL, DECODE or, of the archive, BOTH.
     */
    void add(final KvRole role)
    {
        final String name = KvRole.BOTH == role ? "archive" :
            role.name().toLowerCase(Locale.ROOT) + "-" + numbers[role.ordinal()]++;
        instances.add(cluster.start(name, role));
    }

    /**
     * Have the instance of a role leave that has been there the longest, once it has done what it was given.
     */
    void remove(final KvRole role)
    {
        instances.stream().filter((one) -> role == one.role() && Instance.State.GONE != one.state() &&
            Instance.State.DRAINING != one.state()).findFirst().ifPresent(Instance::drain);
    }

    /**
     * End those that were to leave and have nothing more to do.
     */
    void tend()
    {
        for (final Instance one : instances)
        {
            if (Instance.State.DRAINING == one.state() && 0 == one.inFlight() && null != one.endpoint() &&
                !one.process().isToldToExit())
            {
                one.process().send("exit");
            }
        }
    }

    /**
     * Take what an instance said of itself.
     *
     * @return false if it is about a request.
     */
    boolean onEvent(final ChildProcess.Event event)
    {
        final Instance instance = of(event.child());
        final JsonNode message = event.message();
        if (null == message)
        {
            instance.gone(System.nanoTime());
            instances.forEach((other) -> other.peers().remove(instance.name()));
            return true;
        }
        switch (message.get("event").asText())
        {
            case "ready" -> onReady(instance, message.get("endpoint").asText());
            case "up" -> instance.peers().add(message.get("peer").asText());
            case "unreached" -> onUnreached(instance, message);
            default ->
            {
                return false;
            }
        }
        return true;
    }

    private void onReady(final Instance instance, final String endpoint)
    {
        instance.ready(endpoint, System.nanoTime());
        for (final Instance other : instances)
        {
            if (other != instance)
            {
                if (KvRole.DECODE == instance.role() && KvRole.DECODE != other.role() && other.isServing())
                {
                    Cluster.tell(other.process(), Command.connect(endpoint));
                }
                else if (KvRole.DECODE != instance.role() && KvRole.DECODE == other.role() && other.takesPeers())
                {
                    Cluster.tell(instance.process(), Command.connect(other.endpoint()));
                }
            }
        }
    }

    // Whoever leaves cannot be reached any more, and need not.
    private void onUnreached(final Instance instance, final JsonNode message)
    {
        final String endpoint = message.get("endpoint").asText();
        // One that leaves ends what it has begun.
        if (instance.isServing() && serving(KvRole.DECODE).anyMatch((decode) -> endpoint.equals(decode.endpoint())))
        {
            throw CommandFailure.failed(instance.name() + ": " + message.get("text").asText());
        }
    }

    Stream<Instance> serving(final KvRole role)
    {
        return instances.stream().filter((one) -> role == one.role() && one.isServing());
    }

    /**
     * The archive.
     *
     * @return null when there is none.
     */
    Instance archive()
    {
        return serving(KvRole.BOTH).findFirst().orElse(null);
    }

    Instance of(final ChildProcess process)
    {
        return instances.stream().filter((one) -> process == one.process()).findFirst().orElseThrow();
    }

    /**
     * Whether nobody is about to join or to leave.
     */
    boolean isSettled()
    {
        return instances.stream().allMatch((one) -> !one.isLive() || one.isServing()) &&
            instances.stream().filter((one) -> one.isLive() && KvRole.DECODE != one.role())
                .allMatch((sender) -> serving(KvRole.DECODE).allMatch(
                    (decode) -> sender.peers().contains(decode.name())));
    }

    /**
     * All that ever were, in the order of their start.
     */
    List<Instance> instances()
    {
        return instances;
    }

    /**
     * End all in good order.
     */
    void endAll()
    {
        final List<Instance> live = instances.stream().filter(Instance::isLive)
            .sorted(Comparator.comparing((one) -> KvRole.DECODE == one.role())).toList();
        live.forEach((one) -> one.process().send("exit"));
        live.forEach((one) -> one.process().awaitExit());
    }

    List<InstanceResult> results(final long startNs)
    {
        return instances.stream().map((one) -> new InstanceResult(one.name(),
            KvRole.BOTH == one.role() ? "archive" : one.role().name().toLowerCase(Locale.ROOT),
            seconds(one.joinedNs() - startNs), one.isLive() ? null : seconds(one.leftNs() - startNs),
            one.served(), one.blocks())).toList();
    }

    private static double seconds(final long nanos)
    {
        return nanos / (double)TimeUnit.SECONDS.toNanos(1);
    }
}
