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

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.aeron.CommonContext;
import org.agrona.IoUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Kills driver, archive and client at random moments, and compares what is served afterwards with what was committed.
 * {@code -Dmillrace.crash.kills=200 -Dmillrace.crash.seed=7} for a long run.
 */
@Timeout(7200)
class CrashTest
{
    private static final int KILLS = Integer.getInteger("millrace.crash.kills", 3);
    private static final long SEED = Long.getLong("millrace.crash.seed", 2);
    private static final long DEADLINE_NS = TimeUnit.SECONDS.toNanos(90);
    private static final int ATTEMPTS = 3;
    private static final int LATEST_CHECKED = 12;
    private static final int OTHERS_CHECKED = 6;
    private static final int MAX_SENT = 6;
    private static final int MAX_DELAY_MS = 300;

    private final Random random = new Random(SEED);
    private final Map<Role, ChildJvm> children = new EnumMap<>(Role.class);
    private final Map<Role, Integer> kills = new EnumMap<>(Role.class);
    private final TreeMap<Long, long[]> committed = new TreeMap<>();
    private final TreeSet<Long> mayBeGone = new TreeSet<>();
    private final Map<Long, Long> purgedTo = new HashMap<>();
    private final Map<Long, Long> readTo = new HashMap<>();
    private String aeronDirectory;
    private Committed positions;
    private long nextId = 1000;
    private long everCommitted;
    private boolean isIdle;
    private int startFailures;

    @TempDir
    private Path directory;

    /**
     * Whom to kill. Without their driver the others are of no use: they are killed after it, by whatever started them.
     */
    private enum Role
    {
        DRIVER, ARCHIVE, CLIENT
    }

    @Test
    void losesNothingThatWasCommitted() throws Exception
    {
        try
        {
            start(List.of(Role.values()));
            for (int kill = 0; kill < KILLS; kill++)
            {
                final Role victim = Role.values()[random.nextInt(Role.values().length)];
                // One of four is killed while it recovers from the kill before.
                runToRandomPoint(random.nextInt(4) > 0);
                kill(victim);
                kills.merge(victim, 1, Integer::sum);
            }
            go(new ArrayList<>(committed.keySet()), new ArrayList<>(mayBeGone));
            awaitChecked();
        }
        finally
        {
            children.values().forEach(ChildJvm::close);
            if (null != aeronDirectory)
            {
                IoUtil.delete(new File(aeronDirectory), true);
            }
            System.out.println("seed " + SEED + ", kills " + kills + ", requests committed " + everCommitted +
                ", of which purged " + mayBeGone.size());
        }
        assertThat(everCommitted).isPositive();
    }

    private void runToRandomPoint(final boolean isAfterCheck)
    {
        go(sample(new ArrayList<>(committed.keySet())), sample(new ArrayList<>(mayBeGone)));
        if (isAfterCheck)
        {
            awaitChecked();
            for (int sent = random.nextInt(MAX_SENT); sent > 0 && !isIdle; sent--)
            {
                await("sent ", "again ");
            }
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(MAX_DELAY_MS)));
    }

    private List<Long> sample(final List<Long> ids)
    {
        final int split = Math.max(0, ids.size() - LATEST_CHECKED);
        final List<Long> older = new ArrayList<>(ids.subList(0, split));
        Collections.shuffle(older, random);
        final List<Long> sample = new ArrayList<>(older.subList(0, Math.min(OTHERS_CHECKED, split)));
        sample.addAll(ids.subList(split, ids.size()));
        return sample;
    }

    private void go(final List<Long> must, final List<Long> may)
    {
        children.get(Role.CLIENT).say(
            "go " + nextId + " " + CrashClient.list(must) + " " + CrashClient.list(may));
        nextId += 1000;
        isIdle = false;
    }

    private void awaitChecked()
    {
        for (int attempt = 1; !await("checked ", "again "); attempt++)
        {
            // Where the machine stood still for longer than the driver waits for a client.
            assertThat(attempt).as("sessions that broke off, with nothing killed").isLessThan(ATTEMPTS);
            if (!children.get(Role.ARCHIVE).isAlive())
            {
                start(List.of(Role.ARCHIVE));
            }
            go(sample(new ArrayList<>(committed.keySet())), sample(new ArrayList<>(mayBeGone)));
        }
    }

    /**
     * @return true for the first, false for the second.
     */
    private boolean await(final String wanted, final String other)
    {
        final long deadlineNs = System.nanoTime() + DEADLINE_NS;
        while (true)
        {
            final String line = children.get(Role.CLIENT).next(deadlineNs - System.nanoTime());
            assertThat(line).as(() -> "no \"" + wanted + "\" came from the client, which is at\n" +
                children.get(Role.CLIENT).stacks()).isNotNull();
            onLine(line);
            if (line.startsWith(wanted) || line.startsWith(other))
            {
                return line.startsWith(wanted);
            }
            assertThat(line).doesNotStartWith(ChildJvm.EXITED);
        }
    }

    private void onLine(final String line)
    {
        final String[] words = line.split(" ");
        assertThat(words[0]).as(line).isNotEqualTo("broken");
        isIdle |= "again".equals(words[0]);
        if ("purge".equals(words[0]))
        {
            final long recordingId = Long.parseLong(words[1]);
            final long to = Long.parseLong(words[2]);
            purgedTo.merge(recordingId, to, Math::max);
            committed.entrySet().removeIf(entry -> entry.getValue()[0] == recordingId &&
                entry.getValue()[1] < to && mayBeGone.add(entry.getKey()));
        }
    }

    private void kill(final Role victim) throws IOException
    {
        final List<Role> killed = new ArrayList<>(Role.DRIVER == victim ? List.of(Role.values()) : List.of(victim));
        if (Role.DRIVER == victim)
        {
            Collections.shuffle(killed, random);
        }
        killed.forEach(role -> children.get(role).kill());
        takeCommitted();
        if (killed.contains(Role.CLIENT))
        {
            drain();
        }
        else if (killed.contains(Role.ARCHIVE))
        {
            // It lives on, and finds out.
            while (!isIdle)
            {
                await("again ", "checked ");
            }
        }
        Collections.sort(killed);
        start(killed);
    }

    private void drain()
    {
        String line = "";
        while (!line.startsWith(ChildJvm.EXITED))
        {
            line = children.get(Role.CLIENT).next(DEADLINE_NS);
            assertThat(line).isNotNull();
            onLine(line);
        }
    }

    private void takeCommitted()
    {
        final Path archive = directory.resolve("archive");
        positions.positions().forEach((recordingId, position) ->
        {
            if (position > readTo.getOrDefault(recordingId, 0L))
            {
                readTo.put(recordingId, position);
                Committed.transfers(archive, recordingId, position).forEach((requestId, begin) ->
                {
                    if (begin < purgedTo.getOrDefault(recordingId, 0L))
                    {
                        everCommitted += mayBeGone.add(requestId) ? 1 : 0;
                    }
                    else
                    {
                        everCommitted +=
                            null == committed.put(requestId, new long[]{ recordingId, begin }) ? 1 : 0;
                    }
                });
            }
        });
    }

    private void start(final List<Role> roles)
    {
        if (roles.contains(Role.DRIVER))
        {
            if (null != aeronDirectory)
            {
                positions.close();
                IoUtil.delete(new File(aeronDirectory), true);
            }
            aeronDirectory = CommonContext.generateRandomDirName();
        }
        if (roles.contains(Role.DRIVER))
        {
            launch(List.of(Role.DRIVER));
            positions = new Committed(aeronDirectory);
        }
        launch(roles.stream().filter(role -> Role.DRIVER != role).toList());
    }

    private void launch(final List<Role> roles)
    {
        if (roles.contains(Role.ARCHIVE))
        {
            Rig.awaitDead(directory.resolve("archive"));
        }
        roles.forEach(role -> children.put(role, Role.CLIENT == role ?
            new ChildJvm(List.of(), errors(role), CrashClient.class,
            aeronDirectory, directory.resolve("index").toString()) :
            new ChildJvm(List.of(), errors(role), CrashServer.class,
            role.name(), aeronDirectory, directory.resolve("archive").toString())));
        final List<Role> failed = roles.stream()
            .filter(role -> !"ready".equals(children.get(role).next(DEADLINE_NS))).toList();
        assertThat(failed.isEmpty() || ++startFailures < ATTEMPTS)
            .as(() -> failed + ": " + failed.stream().map(role -> text(errors(role))).toList()).isTrue();
        if (!failed.isEmpty())
        {
            failed.forEach(role -> children.get(role).kill());
            launch(failed);
        }
    }

    private static String text(final File file)
    {
        try
        {
            return Files.readString(file.toPath());
        }
        catch (final IOException ex)
        {
            return ex.toString();
        }
    }

    private File errors(final Role role)
    {
        return directory.resolve(role + ".err").toFile();
    }
}
