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

import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.pages.Site;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * {@code ./millrace pages}.
 */
@Command(
    name = "pages",
    sortOptions = false,
    description = "Makes a site of README and docs, to read without a network.",
    footer = {
        "",
        "Exit status: 0 written, 1 a file cannot be read or written,",
        "2 wrong option or value." })
public final class PagesCommand implements Callable<Integer>
{
    @Option(names = "--out", paramLabel = "DIR", defaultValue = "target/pages",
        description = "For the pages, made when there is none. Default: target/pages.")
    private Path out;

    @Option(names = "--source", paramLabel = "DIR", defaultValue = "",
        description = "Checkout with README.md and docs. Default: here.")
    private Path source;

    @Option(names = "--json", description = "Print one JSON object: first page, number of pages.")
    private boolean json;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        final Site site = new Site(source);
        final Path index = out.resolve("index.html");
        final int pages;
        try
        {
            pages = site.write(out);
        }
        catch (final IOException ex)
        {
            throw CommandFailure.failed("--out " + out + " could not be written (" + CommandFailure.reason(ex) +
                "): it must be a directory that you may write to; name another", ex);
        }
        if (json)
        {
            Json.print(Map.of("index", index.toString(), "pages", pages));
        }
        else
        {
            Output.print(pages + " pages, from " + index + "\n");
        }
        return 0;
    }
}
