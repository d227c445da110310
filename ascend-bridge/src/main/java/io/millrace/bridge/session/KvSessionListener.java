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

/**
 * Called on the sessions' agent: must not block for long, since probes wait.
 */
public interface KvSessionListener
{
    /**
     * A peer joined, or is there again as another incarnation: start senders and receivers.
     *
     * @param session that began.
     */
    default void onSession(final KvSession session)
    {
    }

    /**
     * A peer failed: submit nothing to it until it is back.
     *
     * @param session of the peer.
     * @param text    why.
     */
    default void onQuarantine(final KvSession session, final String text)
    {
    }

    /**
     * A peer answers again, as the same incarnation: its streams go on.
     *
     * @param session of the peer.
     */
    default void onRecovery(final KvSession session)
    {
    }

    /**
     * A session is over: close senders and receivers.
     *
     * @param session that ended.
     * @param reason  why.
     * @param text    sentence for a person.
     */
    default void onEnd(final KvSession session, final SessionError reason, final String text)
    {
    }
}
