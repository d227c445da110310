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
package io.millrace.samples.report;

import io.millrace.samples.failure.CommandFailure;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

/**
 * A report as one HTML file that needs no other, readable on a phone and in the dark.
 */
public final class HtmlPage
{
    private static final String STYLE = "report.css";

    private final StringBuilder html = new StringBuilder();
    private boolean isInSection;

    /**
     * Begin a page.
     *
     * @param title of it.
     * @param lead  sentence below the title.
     */
    public HtmlPage(final String title, final String lead)
    {
        html.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">" +
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>").append(escape(title))
            .append("</title><style>\n").append(style()).append("</style></head><body><main>\n<h1>")
            .append(escape(title)).append("</h1>\n<p class=\"lead\">").append(escape(lead)).append("</p>\n");
    }

    /**
     * Check, before minutes of work, that a report can be made.
     *
     * @param file to be written.
     * @throws CommandFailure if it cannot be.
     */
    public static void check(final Path file)
    {
        try
        {
            if (Files.isDirectory(file))
            {
                throw CommandFailure.usage("--report " + file + " is a directory: it must be a file; name one");
            }
            final boolean isNew = !Files.exists(file);
            Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND).close();
            if (isNew)
            {
                Files.delete(file);
            }
        }
        catch (final IOException ex)
        {
            throw CommandFailure.usage("--report " + file + " cannot be written (" + CommandFailure.reason(ex) +
                "): it must be a file in a directory that exists and that you may write to; name another");
        }
        ChartStyle.check();
    }

    /**
     * End the section before, and begin one.
     *
     * @param title       of it.
     * @param description sentence below the title.
     * @return this for a fluent API.
     */
    public HtmlPage section(final String title, final String description)
    {
        endSection();
        isInSection = true;
        html.append("<section><h2>").append(escape(title)).append("</h2>\n");
        return description.isEmpty() ? this : text(description);
    }

    /**
     * Add a paragraph.
     *
     * @param text of it.
     * @return this for a fluent API.
     */
    public HtmlPage text(final String text)
    {
        html.append("<p>").append(escape(text)).append("</p>\n");
        return this;
    }

    /**
     * Add what went wrong.
     *
     * @param text to add.
     * @return this for a fluent API.
     */
    public HtmlPage failed(final String text)
    {
        html.append("<p class=\"failed\">").append(escape(text)).append("</p>\n");
        return this;
    }

    /**
     * Add a heading within a section.
     *
     * @param text of it.
     * @return this for a fluent API.
     */
    public HtmlPage heading(final String text)
    {
        html.append("<h3>").append(escape(text)).append("</h3>\n");
        return this;
    }

    /**
     * Add a chart.
     *
     * @param chart drawn by {@link ChartStyle}.
     * @return this for a fluent API.
     */
    public HtmlPage figure(final String chart)
    {
        html.append("<figure>").append(chart).append("</figure>\n");
        return this;
    }

    /**
     * Add a table of numbers.
     *
     * @param header of each column.
     * @param rows   cells of each row, the first its name. A line break makes what follows small.
     * @return this for a fluent API.
     */
    public HtmlPage table(final List<String> header, final List<List<String>> rows)
    {
        html.append("<div class=\"scroll\"><table><tr>");
        header.forEach((cell) -> html.append("<th>").append(escape(cell)).append("</th>"));
        html.append("</tr>\n");
        for (final List<String> row : rows)
        {
            html.append("<tr><th>").append(escape(row.getFirst())).append("</th>");
            row.stream().skip(1).forEach((cell) -> html.append("<td>").append(cell(cell)).append("</td>"));
            html.append("</tr>\n");
        }
        html.append("</table></div>\n");
        return this;
    }

    /**
     * Add figures, each in a frame of its own.
     *
     * @param figures values by name. A line break makes what follows small.
     * @return this for a fluent API.
     */
    public HtmlPage figures(final Map<String, String> figures)
    {
        html.append("<p class=\"ratios\">");
        figures.forEach((name, value) ->
        {
            final String[] parts = value.split("\n", 2);
            html.append("<span>").append(escape(name)).append(" <b>").append(escape(parts[0])).append("</b>")
                .append(1 == parts.length ? "" : " <small>" + escape(parts[1]) + "</small>").append("</span>");
        });
        html.append("</p>\n");
        return this;
    }

    /**
     * End the section before, and add what it ran in.
     *
     * @param environment values by name.
     * @return this for a fluent API.
     */
    public HtmlPage environment(final Map<String, String> environment)
    {
        section("Environment", "");
        html.append("<div class=\"scroll\"><table class=\"environment\">");
        environment.forEach((name, value) ->
            html.append("<tr><th>").append(escape(name)).append("</th><td>").append(escape(value))
            .append("</td></tr>\n"));
        html.append("</table></div>\n");
        return this;
    }

    /**
     * End the page and write it.
     *
     * @param footer sentence at its end.
     * @param file   to write to.
     * @throws CommandFailure if it cannot be written.
     */
    public void write(final String footer, final Path file)
    {
        endSection();
        html.append("<footer>").append(escape(footer)).append("</footer>\n</main></body></html>\n");
        try
        {
            Files.writeString(file, html, StandardCharsets.UTF_8);
        }
        catch (final IOException ex)
        {
            throw CommandFailure.failed("--report " + file + " could not be written: " + ex.getMessage(), ex);
        }
    }

    private void endSection()
    {
        html.append(isInSection ? "</section>\n" : "");
        isInSection = false;
    }

    private static String cell(final String text)
    {
        final String[] parts = text.split("\n", 2);
        return 1 == parts.length ? escape(text) : escape(parts[0]) + "<small>" + escape(parts[1]) + "</small>";
    }

    private static String style()
    {
        try (InputStream in = HtmlPage.class.getResourceAsStream(STYLE))
        {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    private static String escape(final String text)
    {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
