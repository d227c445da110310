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
package io.millrace.tests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A command line of a page, in a fence marked {@code sh}.
 *
 * @param page    that has it.
 * @param reason  why it is not run, empty if it is.
 * @param text    to run, without comment and ampersand.
 * @param comment behind it.
 * @param isBackground whether it runs until the page ends.
 */
record PageCommand(Path page, String reason, String text, String comment, boolean isBackground)
{
    private static final String FENCE = "```";

    /**
     * Pages with commands.
     */
    static List<Path> pages() throws IOException
    {
        final List<Path> pages = new ArrayList<>(
            List.of(Tool.ROOT.resolve("README.md"), Tool.ROOT.resolve("packaging/README.md")));
        try (Stream<Path> files = Files.list(Tool.ROOT.resolve("docs")))
        {
            files.filter((file) -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
        }
        return pages;
    }

    /**
     * Commands of a page, in order.
     *
     * @param page to read.
     * @return commands; those in fences that are not marked have {@code null} for reason.
     */
    static List<PageCommand> of(final Path page) throws IOException
    {
        final List<PageCommand> commands = new ArrayList<>();
        String fence = null;
        for (final String line : Files.readAllLines(page))
        {
            if (line.startsWith(FENCE))
            {
                fence = null == fence ? line.substring(FENCE.length()).trim() : null;
            }
            else if (null != fence && (fence.isEmpty() || fence.split(" ")[0].equals("sh")) && !line.isBlank())
            {
                commands.add(of(page, fence.isEmpty() ? null : fence.substring(2).trim(), line));
            }
        }
        return commands;
    }

    private static PageCommand of(final Path page, final String reason, final String line)
    {
        final String[] parts = line.split("\\s+#\\s", 2);
        final String text = parts[0].trim();
        final boolean isBackground = text.endsWith("&");
        return new PageCommand(page, reason, isBackground ? text.substring(0, text.length() - 1).trim() : text,
            parts.length > 1 ? parts[1] : "", isBackground);
    }

    @Override
    public String toString()
    {
        return page.getFileName() + ": " + text;
    }
}
