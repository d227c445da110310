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

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.bridge.session.KvRole;
import io.millrace.samples.demo.ChildProcess;
import io.millrace.samples.demo.ParentLink;
import org.mockito.Mockito;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyString;

/**
 * A fleet whose instances are not processes: a test says what they say, and sees what they are told.
 */
final class Crew
{
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Map<String, List<String>> told = new LinkedHashMap<>();
    private final Cluster cluster = Mockito.mock(Cluster.class);
    final Fleet fleet = new Fleet(cluster);

    Crew()
    {
        Mockito.when(cluster.start(anyString(), any(KvRole.class))).thenAnswer((call) ->
        {
            final String name = call.getArgument(0);
            final ChildProcess process = Mockito.mock(ChildProcess.class);
            told.put(name, new ArrayList<>());
            Mockito.doAnswer((line) -> told.get(name).add(line.getArgument(0))).when(process).send(anyString());
            Mockito.when(process.isToldToExit()).thenAnswer((ignore) -> told.get(name).contains("exit"));
            return new Instance(name, call.getArgument(1), process);
        });
    }

    /**
     * Start instances of these roles, which are ready at once and reach each other.
     */
    Crew with(final KvRole... roles)
    {
        for (final KvRole role : roles)
        {
            fleet.add(role);
            ready(fleet.instances().getLast());
        }
        fleet.instances().stream().filter((one) -> KvRole.DECODE != one.role()).forEach((sender) ->
            fleet.serving(KvRole.DECODE).forEach((decode) ->
            say(sender.name(), ParentLink.event("up").put("peer", decode.name()))));
        told.values().forEach(List::clear);
        return this;
    }

    void ready(final Instance instance)
    {
        say(instance.name(), ParentLink.event("ready").put("endpoint", endpoint(instance.name())));
    }

    static String endpoint(final String name)
    {
        return name + ":1";
    }

    Instance instance(final String name)
    {
        return fleet.instances().stream().filter((one) -> name.equals(one.name())).findFirst().orElseThrow();
    }

    /**
     * What an instance says.
     *
     * @return the event, taken by the fleet if it is about the instance itself.
     */
    ChildProcess.Event say(final String name, final ObjectNode message)
    {
        final ChildProcess.Event event = new ChildProcess.Event(instance(name).process(), message);
        fleet.onEvent(event);
        return event;
    }

    /**
     * What an instance was told since the last call.
     */
    List<Command> commands(final String name)
    {
        final List<Command> commands = told.get(name).stream().filter((line) -> !"exit".equals(line)).map((line) ->
        {
            try
            {
                return MAPPER.readValue(line, Command.class);
            }
            catch (final IOException ex)
            {
                throw new UncheckedIOException(ex);
            }
        }).toList();
        told.get(name).removeIf((line) -> !"exit".equals(line));
        return commands;
    }

    boolean isToldToExit(final String name)
    {
        return told.get(name).contains("exit");
    }
}
