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

import io.millrace.codecs.session.SessionReason;

/**
 * Why there is no session, or none any more.
 */
public enum SessionError
{
    /**
     * No protocol version in common.
     */
    VERSION_MISMATCH(SessionReason.VERSION_MISMATCH),

    /**
     * Both only send, or both only receive.
     */
    ROLE_MISMATCH(SessionReason.ROLE_MISMATCH),

    /**
     * Other model or other cache shape.
     */
    MODEL_MISMATCH(SessionReason.MODEL_MISMATCH),

    /**
     * Heads do not divide evenly over the ranks.
     */
    LAYOUT_MISMATCH(SessionReason.LAYOUT_MISMATCH),

    /**
     * A live instance has that name.
     */
    NAME_IN_USE(SessionReason.NAME_IN_USE),

    /**
     * As many sessions as allowed.
     */
    OVERLOADED(SessionReason.OVERLOADED),

    /**
     * The peer, or this instance, closed the session.
     */
    LEFT(SessionReason.LEFT),

    /**
     * Nobody answered before the bootstrap deadline.
     */
    NO_ANSWER(null),

    /**
     * The peer stayed silent for its time in quarantine.
     */
    LOST(null),

    /**
     * The peer is there again as another incarnation.
     */
    RESTARTED(null);

    private final SessionReason reason;

    SessionError(final SessionReason reason)
    {
        this.reason = reason;
    }

    SessionReason reason()
    {
        return reason;
    }

    /**
     * Error of a value on the wire.
     *
     * @param reason of the schema.
     * @return null when nothing is wrong; {@link #LEFT} stands for values of newer versions.
     */
    static SessionError of(final SessionReason reason)
    {
        if (SessionReason.OK == reason)
        {
            return null;
        }
        for (final SessionError error : values())
        {
            if (reason == error.reason)
            {
                return error;
            }
        }
        return LEFT;
    }
}
