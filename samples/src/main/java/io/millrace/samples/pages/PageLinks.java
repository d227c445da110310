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
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.HtmlInline;
import org.commonmark.node.Image;
import org.commonmark.node.Link;
import org.commonmark.node.Node;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Turns the links of a page into links of the site: to pages, to copies of files, to nothing where they lead to a
 * directory. Pictures are put in place of links to them.
 */
final class PageLinks extends AbstractVisitor
{
    private static final String COPIES = "files/";

    private final Path root;
    private final Page page;
    private final Map<Path, Page> pages;
    private final Map<Path, String> copies = new LinkedHashMap<>();

    PageLinks(final Path root, final Page page, final Map<Path, Page> pages)
    {
        this.root = root;
        this.page = page;
        this.pages = pages;
    }

    /**
     * Files that the page links to.
     *
     * @return names in the site by path in the checkout.
     */
    Map<Path, String> copies()
    {
        return copies;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void visit(final Link link)
    {
        visitChildren(link);
        final String destination = link.getDestination();
        if (destination.startsWith("#") || destination.matches("[a-z]+:.*"))
        {
            return;
        }
        final int hash = destination.indexOf('#');
        final Path target = target(hash < 0 ? destination : destination.substring(0, hash));
        final Page other = pages.get(target);
        if (null != other)
        {
            link.setDestination(other.fileName() + (hash < 0 ? "" : destination.substring(hash)));
        }
        else if (Files.isDirectory(root.resolve(target)))
        {
            for (Node child = link.getFirstChild(); null != child; child = link.getFirstChild())
            {
                link.insertBefore(child);
            }
            link.unlink();
        }
        else
        {
            // A browser shows text, and would offer to save a file of a type that it does not know.
            link.setDestination(copies.computeIfAbsent(target, (path) -> COPIES + path + ".txt"));
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void visit(final Image image)
    {
        try
        {
            final HtmlInline picture = new HtmlInline();
            picture.setLiteral(Files.readString(root.resolve(target(image.getDestination()))));
            image.insertBefore(picture);
            image.unlink();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    private Path target(final String destination)
    {
        final Path parent = page.source().getParent();
        final Path target = (null == parent ? Path.of(destination) : parent.resolve(destination)).normalize();
        if (!Files.exists(root.resolve(target)))
        {
            throw CommandFailure.failed(page.source() + " links to " + destination + ", which is not there: mend the " +
                "link");
        }
        return target;
    }
}
