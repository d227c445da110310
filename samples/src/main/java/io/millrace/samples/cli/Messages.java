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
package io.millrace.samples.cli;

import io.aeron.exceptions.AeronException;
import io.millrace.samples.demo.Interruption;
import io.millrace.samples.failure.CommandFailure;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * How failures reach the user: one sentence on standard error, the stack trace with {@code --verbose} only. Commands of
 * the archive with {@code --json} print it as a JSON object on standard output as well, in place of their result: what
 * fails after that was printed is told on standard error only.
 */
public final class Messages
{
    private static final String VERBOSE = "--verbose";
    private static final String JSON = "--json";

    private Messages()
    {
    }

    /**
     * A command line begins, of which nothing is told yet.
     */
    public static void begin()
    {
        Json.begin();
    }

    /**
     * An option or a value that cannot be used.
     *
     * @param ex   that names it.
     * @param args of the command line.
     * @return exit status.
     */
    public static int usage(final ParameterException ex, final String[] args)
    {
        if (Arrays.asList(args).contains(VERBOSE))
        {
            ex.printStackTrace();
        }
        tell(text(ex) + "; see ./millrace " + commandName(ex.getCommandLine()) + "--help", ex, ex.getCommandLine(),
            Arrays.asList(args));
        return CommandFailure.USAGE;
    }

    // picocli would only say that it is an unmatched argument.
    private static String text(final ParameterException ex)
    {
        final Set<String> names = ex.getCommandLine().getSubcommands().keySet();
        return ex instanceof final UnmatchedArgumentException unmatched && !names.isEmpty() &&
            !unmatched.getUnmatched().getFirst().startsWith("-") ? "unknown command '" +
            commandName(ex.getCommandLine()) + unmatched.getUnmatched().getFirst() +
            "': it must be one of " + String.join(", ", names) : ex.getMessage();
    }

    /**
     * A command that failed.
     *
     * @param ex      its failure.
     * @param command that failed.
     * @param result  of parsing the command line.
     * @return exit status.
     */
    public static int failure(final Exception ex, final CommandLine command, final ParseResult result)
    {
        if (Interruption.happened())
        {
            return CommandFailure.FAILED;
        }
        final boolean verbose = result.expandedArgs().contains(VERBOSE);
        if (verbose)
        {
            ex.printStackTrace();
        }
        if (ex instanceof final CommandFailure failure)
        {
            tell(failure.getMessage(), ex, command, result.expandedArgs());
            return failure.exitStatus();
        }
        final String message =
            ex instanceof final AeronException aeron ? CommandFailure.withoutCategory(aeron) : ex.toString();
        tell(message + (verbose ? "" : "; " + VERBOSE + " shows where it comes from"), ex, command,
            result.expandedArgs());
        return CommandFailure.FAILED;
    }

    private static void tell(
        final String message, final Exception ex, final CommandLine command, final List<String> args)
    {
        say(message);
        if (tellsFailures(command) && args.stream().anyMatch(Messages::asksForJson))
        {
            Json.printError(message, ex);
        }
    }

    private static boolean tellsFailures(final CommandLine command)
    {
        return command.getCommand() instanceof ArchiveCommand || command.getCommand() instanceof BenchCommand ||
            null != command.getParent() && tellsFailures(command.getParent());
    }

    // What was parsed does not tell: a wrong value ends the parsing before the options behind it.
    private static boolean asksForJson(final String arg)
    {
        return arg.equals(JSON) || arg.startsWith(JSON + "=") && Boolean.parseBoolean(arg.substring(JSON.length() + 1));
    }

    /**
     * Tell the user something.
     *
     * @param message to show.
     */
    public static void say(final String message)
    {
        System.err.println("millrace: " + message);
    }

    private static String commandName(final CommandLine command)
    {
        return null == command.getParent() ? "" : commandName(command.getParent()) + command.getCommandName() + " ";
    }
}
