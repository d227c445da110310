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

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.samples.demo.ParentLink;
import io.millrace.samples.disaggregated.RunResult.Blocks;
import io.millrace.samples.failure.CommandFailure;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.concurrent.TimeUnit;

import static io.millrace.bridge.session.KvRole.BOTH;
import static io.millrace.bridge.session.KvRole.DECODE;
import static io.millrace.bridge.session.KvRole.PREFILL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Who serves a request.
 */
class RouterTest
{
    private final Crew crew = new Crew();
    private final Router router = new Router(crew.fleet, TimeUnit.HOURS.toNanos(1));

    private static Prompt prompt(final long index, final long... hashes)
    {
        return new Prompt(index, 0, hashes.length * Prompt.TOKENS_PER_BLOCK, 10, hashes);
    }

    private void arrive(final Prompt prompt)
    {
        router.arrive(prompt, System.nanoTime());
        router.dispatch();
    }

    private void say(final String name, final String event, final long id)
    {
        say(name, ParentLink.event(event).put("id", id));
    }

    private void say(final String name, final ObjectNode message)
    {
        router.onEvent(crew.say(name, message));
    }

    private void admitted(final String name, final long id, final int cached)
    {
        say(name, ParentLink.event("admitted").put("id", id).put("cached", cached));
    }

    private void answered(final String name, final long id, final long... stored)
    {
        final ObjectNode message = ParentLink.event("answered")
            .put("id", id).put("wrong", 0).put("firstTokenNs", System.nanoTime());
        for (final long hash : stored)
        {
            message.withArray("stored").add(hash);
        }
        message.withArray("stored");
        message.withArray("evicted");
        say(name, message);
    }

    private Command onlyCommand(final String name)
    {
        final List<Command> commands = crew.commands(name);
        assertThat(commands).as(name).hasSize(1);
        return commands.getFirst();
    }

    @Test
    void takesMemoryThenArchiveThenPrefill()
    {
        crew.with(BOTH, PREFILL, DECODE);
        arrive(prompt(5, 1, 2, 3, 4));
        assertThat(onlyCommand("decode-0").kind()).isEqualTo(Command.Kind.ADMIT);
        admitted("decode-0", 5, 1);
        final Command plan = onlyCommand("archive");
        assertThat(plan.kind()).isEqualTo(Command.Kind.PLAN);
        assertThat(plan.hashes()).containsExactly(2, 3, 4);

        say("archive", ParentLink.event("planned").put("id", 5).put("blocks", 2));
        final Command read = onlyCommand("archive");
        assertThat(read.hashes()).containsExactly(2, 3);
        assertThat(read.tokens()).as("read, not computed").isZero();
        final Command computed = onlyCommand("prefill-0");
        assertThat(computed.hashes()).containsExactly(4);
        assertThat(computed.tokens()).isEqualTo(Prompt.TOKENS_PER_BLOCK);
        assertThat(computed.peer()).isEqualTo("decode-0");

        say("prefill-0", "sent", computed.id());
        answered("decode-0", 5, 1, 2, 3, 4);
        assertThat(router.tally().served()).as("the archive has not told of its part").isEmpty();
        say("archive", "sent", read.id());
        assertThat(router.tally().blocks()).isEqualTo(new Blocks(1, 2, 1, 0.75));
        assertThat(router.firstTokens()).isEqualTo(1);
        assertThat(router.isIdle()).as("it answers").isFalse();
        say("decode-0", "done", 5);
        assertThat(router.isIdle()).isTrue();
        assertThat(crew.instance("archive").blocks()).isEqualTo(2);
        assertThat(crew.instance("decode-0").served()).isEqualTo(1);
    }

    @Test
    void whatTheArchiveBeginsLateWithIsQueue()
    {
        crew.with(BOTH, PREFILL, DECODE);
        arrive(prompt(1, 1, 2));
        admitted("decode-0", 1, 0);
        say("archive", ParentLink.event("planned").put("id", 1).put("blocks", 2));
        final long nowNs = System.nanoTime();
        say("archive", ParentLink.event("reading").put("id", Transfers.head(1))
            .put("startNs", nowNs + TimeUnit.SECONDS.toNanos(20)));
        final ObjectNode answered = ParentLink.event("answered").put("id", 1).put("wrong", 0)
            .put("firstTokenNs", nowNs + TimeUnit.SECONDS.toNanos(21));
        answered.withArray("stored");
        answered.withArray("evicted");
        say("decode-0", answered);
        say("archive", "sent", Transfers.head(1));
        assertThat(router.tally().timeToFirstToken().queue().meanMs()).isGreaterThanOrEqualTo(20_000 * 0.999);
        assertThat(router.tally().served().getFirst().transferMs()).isEqualTo(1000);
    }

    @Test
    void aPrefixDrawsARequestUntilItsInstanceIsBusy()
    {
        crew.with(PREFILL, DECODE, DECODE);
        crew.instance("decode-1").hashes().add(1);
        crew.instance("decode-1").hashes().add(2);
        crew.instance("decode-1").hashes().add(3);
        arrive(prompt(1, 1, 2, 3, 4));
        arrive(prompt(2, 1, 2, 3, 5));
        assertThat(crew.commands("decode-1")).extracting(Command::id).containsExactly(1L, 2L);
        arrive(prompt(3, 1, 2, 3, 6));
        assertThat(crew.commands("decode-0")).as("two requests weigh more than three blocks")
            .extracting(Command::id).containsExactly(3L);
        arrive(prompt(4, 7));
        assertThat(crew.commands("decode-0")).extracting(Command::id).containsExactly(4L);
    }

    @Test
    void forgetsWhatWasEvicted()
    {
        crew.with(PREFILL, DECODE);
        crew.instance("decode-0").hashes().add(9);
        arrive(prompt(1, 1));
        admitted("decode-0", 1, 1);
        final ObjectNode message = ParentLink.event("answered").put("id", 1).put("wrong", 3).put("firstTokenNs", 0);
        message.withArray("stored").add(1);
        message.withArray("evicted").add(9);
        say("decode-0", message);
        assertThat(crew.instance("decode-0").hashes()).containsExactly(1L);
        assertThat(router.tally().wrongBlocks()).isEqualTo(3);
    }

    @Test
    void thePrefillInstanceWithLeastToDoComputes()
    {
        crew.with(PREFILL, PREFILL, DECODE);
        crew.instance("prefill-0").begin(5000);
        arrive(prompt(1, 1, 2));
        admitted("decode-0", 1, 0);
        assertThat(crew.commands("prefill-0")).isEmpty();
        assertThat(onlyCommand("prefill-1").hashes()).containsExactly(1, 2);
        assertThat(crew.instance("prefill-1").loadTokens()).isEqualTo(1024);
    }

    @Test
    void waitsForInstancesThatReachEachOther()
    {
        crew.with(DECODE);
        arrive(prompt(1, 1));
        assertThat(crew.commands("decode-0")).isEmpty();
        assertThat(router.isIdle()).isFalse();
        crew.with(PREFILL);
        router.dispatch();
        assertThat(onlyCommand("decode-0").kind()).isEqualTo(Command.Kind.ADMIT);
    }

    @Test
    void whatTheArchiveLosesIsComputed()
    {
        crew.with(BOTH, PREFILL, DECODE);
        arrive(prompt(1, 1, 2));
        admitted("decode-0", 1, 0);
        say("archive", ParentLink.event("planned").put("id", 1).put("blocks", 2));
        say("archive", ParentLink.event("lost").put("id", Transfers.head(1)).put("text", "gone"));
        final Command again = onlyCommand("prefill-0");
        assertThat(again.hashes()).containsExactly(1, 2);
        say("prefill-0", "sent", again.id());
        answered("decode-0", 1, 1, 2);
        assertThat(router.tally().blocks()).isEqualTo(new Blocks(0, 0, 2, 0));
        assertThat(router.tally().retries()).isEqualTo(1);
    }

    @Test
    void whatIsLostThreeTimesEndsTheRun()
    {
        crew.with(PREFILL, DECODE);
        arrive(prompt(1, 1));
        admitted("decode-0", 1, 0);
        final ObjectNode lost = ParentLink.event("lost").put("id", Transfers.tail(1)).put("text", "no memory");
        say("prefill-0", lost);
        say("prefill-0", lost);
        assertThatThrownBy(() -> say("prefill-0", lost)).isInstanceOf(CommandFailure.class)
            .hasMessageContaining("request 1 was lost 3 times, the last time by prefill-0: no memory");
    }

    @Test
    void silenceEndsTheRunOnlyWhileRequestsWait()
    {
        final Router impatient = new Router(crew.with(PREFILL, DECODE).fleet, -1);
        impatient.start(System.nanoTime());
        impatient.dispatch();
        impatient.arrive(prompt(1, 1), System.nanoTime());
        assertThatThrownBy(impatient::dispatch).isInstanceOf(CommandFailure.class)
            .hasMessageContaining("1 requests wait and none went on");
    }

    @Test
    void silenceMayLastAsLongAsAPromptIsComputed()
    {
        final List<Prompt> prompts = List.of(
            new Prompt(0, 0, 1000, 50, new long[2]), new Prompt(1, 0, 600_000, 6000, new long[2]));
        assertThat(TimeUnit.NANOSECONDS.toSeconds(Router.silenceNs(prompts, 2000, 60))).isEqualTo(120 + 300 + 100);
        assertThat(TimeUnit.NANOSECONDS.toSeconds(Router.silenceNs(prompts, 0, 0))).isEqualTo(120);
    }
}
