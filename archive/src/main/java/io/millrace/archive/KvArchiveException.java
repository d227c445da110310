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

/**
 * A refusal or failure of the archive with its {@link KvArchiveError}.
 */
public final class KvArchiveException extends RuntimeException
{
    private static final long serialVersionUID = 1L;

    /**
     * What happened.
     */
    private final KvArchiveError error;

    /**
     * Failure with a text that names value, rule and remedy.
     *
     * @param error   that happened.
     * @param message for a person.
     */
    public KvArchiveException(final KvArchiveError error, final String message)
    {
        this(error, message, null);
    }

    /**
     * Failure with a text that names value, rule and remedy.
     *
     * @param error   that happened.
     * @param message for a person.
     * @param cause   of it, or null.
     */
    public KvArchiveException(final KvArchiveError error, final String message, final Throwable cause)
    {
        super(error + ": " + message, cause);
        this.error = error;
    }

    /**
     * What happened.
     *
     * @return the error.
     */
    public KvArchiveError error()
    {
        return error;
    }
}
