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

import io.millrace.samples.demo.ChildProcess;
import io.millrace.samples.demo.ParentLink;
import io.millrace.samples.disaggregated.RunResult.InstanceResult;
import io.millrace.samples.failure.CommandFailure;
import org.junit.jupiter.api.Test;

import java.util.List;

import static io.millrace.bridge.session.KvRole.BOTH;
import static io.millrace.bridge.session.KvRole.DECODE;
import static io.millrace.bridge.session.KvRole.PREFILL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

/**
 * Who joins and who leaves.
 */
class FleetTest
{
    private final Crew crew = new Crew();
    private final Fleet fleet = crew.fleet;

    @Test
    void whoJoinsIsConnectedToTheOtherSide()
    {
        crew.with(BOTH, PREFILL, DECODE);
        assertThat(fleet.isSettled()).isTrue();
        fleet.add(DECODE);
        assertThat(fleet.isSettled()).as("it starts").isFalse();
        crew.ready(crew.instance("decode-1"));
        for (final String sender : List.of("archive", "prefill-0"))
        {
            assertThat(crew.commands(sender)).extracting(Command::kind, Command::peer).containsExactly(
                tuple(Command.Kind.CONNECT, Crew.endpoint("decode-1")));
        }
        assertThat(crew.commands("decode-0")).isEmpty();
        assertThat(fleet.isSettled()).as("its sessions are not up").isFalse();
        crew.say("archive", ParentLink.event("up").put("peer", "decode-1"));
        crew.say("prefill-0", ParentLink.event("up").put("peer", "decode-1"));
        assertThat(fleet.isSettled()).isTrue();

        fleet.add(PREFILL);
        crew.ready(crew.instance("prefill-1"));
        assertThat(crew.commands("prefill-1")).extracting(Command::peer)
            .containsExactly(Crew.endpoint("decode-0"), Crew.endpoint("decode-1"));
        assertThat(crew.commands("archive")).isEmpty();
    }

    @Test
    void theOldestLeavesOnceItHasDoneWhatItBegan()
    {
        crew.with(PREFILL, PREFILL, DECODE);
        crew.instance("prefill-0").begin(10);
        fleet.remove(PREFILL);
        assertThat(fleet.serving(PREFILL)).extracting(Instance::name).containsExactly("prefill-1");
        fleet.tend();
        assertThat(crew.isToldToExit("prefill-0")).isFalse();
        crew.instance("prefill-0").finish();
        fleet.tend();
        assertThat(crew.isToldToExit("prefill-0")).isTrue();
        assertThat(fleet.isSettled()).isFalse();
        fleet.onEvent(new ChildProcess.Event(crew.instance("prefill-0").process(), null));
        assertThat(fleet.isSettled()).isTrue();
        assertThat(fleet.results(0)).filteredOn((one) -> null != one.leftSeconds())
            .extracting(InstanceResult::name).containsExactly("prefill-0");
        assertThat(crew.isToldToExit("prefill-1")).isFalse();
    }

    @Test
    void oneThatIsToLeaveBeforeItIsReadyLeavesWhenItIs()
    {
        crew.with(PREFILL);
        fleet.add(DECODE);
        fleet.remove(DECODE);
        fleet.tend();
        assertThat(crew.isToldToExit("decode-0")).isFalse();
        crew.ready(crew.instance("decode-0"));
        fleet.tend();
        assertThat(crew.isToldToExit("decode-0")).isTrue();
        assertThat(fleet.serving(DECODE)).isEmpty();
    }

    @Test
    void onlyWhoLeavesNeedNotBeReached()
    {
        crew.with(PREFILL, PREFILL, DECODE, DECODE);
        fleet.remove(DECODE);
        crew.say("prefill-0", ParentLink.event("unreached")
            .put("endpoint", Crew.endpoint("decode-0")).put("text", "refused"));
        assertThatThrownBy(() -> crew.say("prefill-0", ParentLink.event("unreached")
            .put("endpoint", Crew.endpoint("decode-1")).put("text", "refused")))
            .isInstanceOf(CommandFailure.class).hasMessageContaining("prefill-0: refused");
    }

    @Test
    void whatARequestIsAboutIsNotItsBusiness()
    {
        crew.with(PREFILL, DECODE);
        assertThat(fleet.onEvent(new ChildProcess.Event(
            crew.instance("prefill-0").process(), ParentLink.event("sent").put("id", 1)))).isFalse();
    }
}
