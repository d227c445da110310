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
package io.millrace.bridge.session;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.aeron.ExclusivePublication;

/**
 * The way to one endpoint, and the session over it. Used by the agent only.
 */
final class Link
{
    static final long NOT_ADDED = -1;

    final String endpoint;
    final List<CompletableFuture<KvSession>> waiting = new ArrayList<>();
    long registrationId = NOT_ADDED;
    ExclusivePublication publication;

    /**
     * Stream for the next session's messages to this instance.
     */
    int streamId;
    KvSession session;
    int sessionStreamId;
    int sessionPeerStreamId;

    /**
     * This instance wants the session: Hellos are sent until the deadline.
     */
    boolean isAsking;
    long bootstrapDeadlineNs;
    long nextHelloNs;

    /**
     * A Hello waits for its answer.
     */
    boolean isAnswerDue;
    long answerTo;
    SessionException refusal;
    long refusedUntilNs;

    /**
     * Last refusal that may pass, told when the bootstrap deadline is missed.
     */
    SessionException lastAnswer;

    long lastAnswerNs;
    long nextProbeNs;
    long quarantinedNs;
    long retryNs;
    long backoffNs;

    Link(final String endpoint, final int streamId)
    {
        this.endpoint = endpoint;
        this.streamId = streamId;
    }

    boolean isQuarantined()
    {
        return null != session && KvSession.State.QUARANTINED == session.state();
    }
}
