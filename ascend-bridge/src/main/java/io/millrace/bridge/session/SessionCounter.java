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

import io.millrace.bridge.CounterSet;

/**
 * What is counted of an instance's sessions.
 */
public enum SessionCounter implements CounterSet.Kind
{
    /**
     * Sessions now, those in quarantine included.
     */
    SESSIONS("sessions"),

    /**
     * Sessions in quarantine now.
     */
    QUARANTINED("sessions in quarantine"),

    /**
     * Sessions that began.
     */
    ESTABLISHED("sessions established"),

    /**
     * Peers refused here, and refusals received.
     */
    REFUSALS("sessions refused"),

    /**
     * Peers that did not answer before the bootstrap deadline.
     */
    BOOTSTRAP_TIMEOUTS("bootstrap deadlines missed"),

    /**
     * Times that a session went into quarantine.
     */
    QUARANTINES("quarantines"),

    /**
     * Times that a session came out of quarantine.
     */
    RECOVERIES("recoveries"),

    /**
     * Attempts to reach a peer in quarantine.
     */
    RETRIES("attempts to reach peers in quarantine"),

    /**
     * Sessions whose peer came back as another incarnation.
     */
    RESTARTS("peers restarted"),

    /**
     * Sessions given up after their time in quarantine.
     */
    LOST("sessions lost"),

    /**
     * Probes sent.
     */
    PROBES("probes sent"),

    /**
     * Probes answered by the peer.
     */
    PROBE_ANSWERS("probes answered"),

    /**
     * Messages that were malformed or out of range.
     */
    BAD_MESSAGES("bad session messages"),

    /**
     * Messages that a publication gave no room for; they are sent again.
     */
    BACK_PRESSURE("session back pressure"),

    /**
     * Media drivers that were lost and connected to again.
     */
    RECONNECTS("session reconnects");

    /**
     * Type id of the first counter.
     */
    public static final int BASE_TYPE_ID = 1144;

    private final String label;

    SessionCounter(final String label)
    {
        this.label = "kv " + label;
    }

    /**
     * {@inheritDoc}
     */
    public int typeId()
    {
        return BASE_TYPE_ID + ordinal();
    }

    /**
     * {@inheritDoc}
     */
    public String label()
    {
        return label;
    }
}
