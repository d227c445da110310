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
package io.millrace.samples.failure;

import io.aeron.exceptions.AeronException;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Map;

/**
 * Ends a command: the message names the value, the rule that it breaks and the remedy.
 */
public final class CommandFailure extends RuntimeException
{
    /**
     * Exit status of a run that failed.
     */
    public static final int FAILED = 1;

    /**
     * Exit status of a wrong command, option or value.
     */
    public static final int USAGE = 2;

    private static final long serialVersionUID = 1L;

    private final int exitStatus;
    private transient Map<String, Object> known = Map.of();

    private CommandFailure(final int exitStatus, final String message, final Throwable cause)
    {
        super(message, cause);
        this.exitStatus = exitStatus;
    }

    /**
     * The run failed.
     *
     * @param message for the user.
     * @return the failure, to be thrown.
     */
    public static CommandFailure failed(final String message)
    {
        return new CommandFailure(FAILED, message, null);
    }

    /**
     * The run failed because of another error.
     *
     * @param message for the user.
     * @param cause   shown with {@code --verbose} only.
     * @return the failure, to be thrown.
     */
    public static CommandFailure failed(final String message, final Throwable cause)
    {
        return new CommandFailure(FAILED, message, cause);
    }

    /**
     * The user gave a value that cannot be used.
     *
     * @param message for the user.
     * @return the failure, to be thrown.
     */
    public static CommandFailure usage(final String message)
    {
        return new CommandFailure(USAGE, message, null);
    }

    /**
     * The driver refused a value.
     *
     * @param cause whose message names it; Aeron's category in front of it is left out.
     * @return the failure, to be thrown.
     */
    public static CommandFailure usage(final AeronException cause)
    {
        return new CommandFailure(USAGE, withoutCategory(cause), cause);
    }

    /**
     * Message of one of Aeron's exceptions without the category in front of it.
     *
     * @param ex with the message.
     * @return the message for a user.
     */
    public static String withoutCategory(final AeronException ex)
    {
        final String category = ex.category().name() + " - ";
        final String message = String.valueOf(ex.getMessage());
        return message.startsWith(category) ? message.substring(category.length()) : message;
    }

    /**
     * Why a file could not be used, in words.
     *
     * @param ex that says so.
     * @return the path and what is wrong with it.
     */
    public static String reason(final IOException ex)
    {
        if (!(ex instanceof final FileSystemException failure))
        {
            return String.valueOf(ex.getMessage());
        }
        final String why = ex instanceof NoSuchFileException ? "it or its directory does not exist" :
            ex instanceof AccessDeniedException ? "this user has no permission" :
            ex instanceof FileAlreadyExistsException ? "it is a file" :
            ex instanceof DirectoryNotEmptyException ? "something is written into it all the time" :
            null != failure.getReason() ? failure.getReason() : ex.toString();
        return failure.getFile() + ": " + why;
    }

    /**
     * Say what is known nevertheless, for a JSON object in place of the result.
     *
     * @param values by their names.
     * @return this, to be thrown.
     */
    public CommandFailure with(final Map<String, Object> values)
    {
        known = values;
        return this;
    }

    /**
     * What is known nevertheless.
     *
     * @return values by their names.
     */
    public Map<String, Object> known()
    {
        return known;
    }

    /**
     * Exit status that the process ends with.
     *
     * @return {@link #FAILED} or {@link #USAGE}.
     */
    public int exitStatus()
    {
        return exitStatus;
    }
}
