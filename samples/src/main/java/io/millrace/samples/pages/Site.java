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
package io.millrace.samples.pages;

import io.millrace.samples.failure.CommandFailure;
import org.commonmark.Extension;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.ext.heading.anchor.HeadingAnchorExtension;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.Link;
import org.commonmark.node.Node;
import org.commonmark.parser.Parser;
import org.commonmark.renderer.html.HtmlRenderer;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Makes HTML of README, {@code docs/} and the Markdown that they link to: one file a page, each with its style and its
 * pictures in it. What else they link to is copied.
 */
public final class Site
{
    static final List<Extension> EXTENSIONS = List.of(TablesExtension.create(), HeadingAnchorExtension.create());

    private static final String STYLE = "/io/millrace/samples/pages/site.css";
    private static final Pattern TITLE = Pattern.compile("<h1[^>]*>(.*?)</h1>");
    private static final Pattern SECTION = Pattern.compile("<h2 id=\"([^\"]*)\">(.*?)</h2>");

    private final Path root;
    private final Parser parser = Parser.builder().extensions(EXTENSIONS).build();
    private final HtmlRenderer renderer = HtmlRenderer.builder().extensions(EXTENSIONS).build();
    private final Map<Path, Page> pages = new LinkedHashMap<>();

    /**
     * Find the pages, in the order in which README links to them.
     *
     * @param root directory with {@code README.md} and {@code docs}.
     * @throws CommandFailure if there are none.
     */
    public Site(final Path root)
    {
        this.root = root.toAbsolutePath().normalize();
        final Path readme = Path.of("README.md");
        if (!Files.isRegularFile(this.root.resolve(readme)) || !Files.isDirectory(this.root.resolve("docs")))
        {
            throw CommandFailure.usage("--source " + root + " has no README.md or no docs: it must be the root of a " +
                "checkout; name one");
        }
        add(readme);
        read(readme).accept(new AbstractVisitor()
        {
            @Override
            public void visit(final Link link)
            {
                if (link.getDestination().endsWith(".md") && !link.getDestination().contains(":"))
                {
                    add(Path.of(link.getDestination()));
                }
            }
        });
        try (Stream<Path> files = Files.list(this.root.resolve("docs")))
        {
            files.filter((file) -> file.toString().endsWith(".md")).sorted()
                .forEach((file) -> add(this.root.relativize(file)));
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    /**
     * Write all pages.
     *
     * @param out directory, made when there is none.
     * @return number of pages.
     * @throws IOException    when a file cannot be read or written.
     * @throws CommandFailure when a page links to what is not there.
     */
    public int write(final Path out) throws IOException
    {
        Files.createDirectories(out);
        final Map<Page, String> bodies = new LinkedHashMap<>();
        for (final Page page : pages.values())
        {
            final Node document = read(page.source());
            final PageLinks links = new PageLinks(root, page, pages);
            document.accept(links);
            bodies.put(page, renderer.render(document)
                .replace("<table>", "<div class=\"scroll\"><table>").replace("</table>", "</table></div>"));
            for (final Map.Entry<Path, String> copy : links.copies().entrySet())
            {
                final Path file = out.resolve(copy.getValue());
                Files.createDirectories(file.getParent());
                Files.write(file, Files.readAllBytes(root.resolve(copy.getKey())));
            }
        }
        final String style = style();
        for (final Page page : pages.values())
        {
            Files.writeString(out.resolve(page.fileName()), html(page, bodies, style));
        }
        return pages.size();
    }

    private void add(final Path source)
    {
        pages.putIfAbsent(source.normalize(), Page.of(source.normalize()));
    }

    private Node read(final Path source)
    {
        try
        {
            return parser.parse(Files.readString(root.resolve(source)));
        }
        catch (final IOException ex)
        {
            throw CommandFailure.failed(source + " cannot be read (" + ex + "): mend the link to it, or the file", ex);
        }
    }

    private static String html(final Page page, final Map<Page, String> bodies, final String style)
    {
        final String body = bodies.get(page);
        final StringBuilder html = new StringBuilder();
        // The list of pages comes last, so that a phone shows the page first.
        html.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" " +
            "content=\"width=device-width, initial-scale=1\"><title>").append(title(body)).append("</title><style>\n")
            .append(style).append("</style></head><body>\n<main>\n<a class=\"up\" href=\"#contents\">Contents</a>\n")
            .append(body).append("</main>\n<nav id=\"contents\"><ul>\n");
        bodies.forEach((other, text) ->
        {
            html.append("<li><a href=\"").append(other.fileName()).append('"')
                .append(other == page ? " class=\"here\"" : "").append('>').append(title(text)).append("</a>");
            if (other == page)
            {
                html.append("<ul>").append(String.join("", sections(text))).append("</ul>");
            }
            html.append("</li>\n");
        });
        return html.append("</ul></nav>\n</body></html>\n").toString();
    }

    private static List<String> sections(final String body)
    {
        final List<String> sections = new ArrayList<>();
        for (final Matcher section = SECTION.matcher(body); section.find();)
        {
            sections.add("<li><a href=\"#" + section.group(1) + "\">" + section.group(2) + "</a></li>");
        }
        return sections;
    }

    private static String title(final String body)
    {
        final Matcher title = TITLE.matcher(body);
        return title.find() ? title.group(1) : "Millrace";
    }

    private static String style() throws IOException
    {
        try (InputStream in = Site.class.getResourceAsStream(STYLE))
        {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
