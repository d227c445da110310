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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class SiteTest
{
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final Pattern LINK = Pattern.compile("<a[^>]* href=\"([^\"]*)\"");

    @TempDir
    private Path out;

    @Test
    void everyLinkOfEveryPageLeadsSomewhere() throws IOException
    {
        final int pages = new Site(ROOT).write(out);
        final Set<Path> files = html();
        assertThat(files).hasSize(pages);
        int links = 0;
        for (final Path file : files)
        {
            for (final MatchResult link : LINK.matcher(Files.readString(file)).results().toList())
            {
                final String[] parts = link.group(1).split("#", 2);
                if (!parts[0].startsWith("http"))
                {
                    final Path target = parts[0].isEmpty() ? file : out.resolve(parts[0]);
                    assertThat(target).as(file.getFileName() + ": " + link.group(1)).isRegularFile();
                    if (parts.length > 1)
                    {
                        assertThat(Files.readString(target)).as(file.getFileName() + ": " + link.group(1))
                            .contains(" id=\"" + parts[1] + "\"");
                    }
                    links++;
                }
            }
        }
        assertThat(links).isGreaterThan(pages * pages);
    }

    @Test
    void everyPageIsThereAndNeedsNothingElse() throws IOException
    {
        new Site(ROOT).write(out);
        try (Stream<Path> docs = Files.list(ROOT.resolve("docs")))
        {
            final Set<String> names = docs.map((path) -> path.getFileName().toString())
                .filter((name) -> name.endsWith(".md")).map((name) -> name.replace(".md", ".html"))
                .collect(Collectors.toSet());
            names.addAll(Set.of("index.html", "packaging.html", "changelog.html"));
            assertThat(html()).map((path) -> path.getFileName().toString()).containsExactlyInAnyOrderElementsOf(names);
        }
        for (final Path page : html())
        {
            assertThat(Files.readString(page)).doesNotContainPattern("<img|<script|<link|@import|url\\((?!#)")
                .contains("prefers-color-scheme: dark", "width=device-width");
        }
        assertThat(Files.readString(out.resolve("index.html"))).contains("<svg ", "How a frame travels");
    }

    @Test
    void saysWhatIsMissing() throws IOException
    {
        assertThatThrownBy(() -> new Site(out)).isInstanceOf(CommandFailure.class)
            .hasMessageContainingAll("--source", "no README.md", "checkout");

        final Path docs = Files.createDirectory(out.resolve("docs"));
        Files.writeString(out.resolve("README.md"), "# Readme\n");
        Files.writeString(docs.resolve("a.md"), "# A\n[b](absent.txt)\n");
        assertThatThrownBy(() -> new Site(out).write(out.resolve("site"))).isInstanceOf(CommandFailure.class)
            .hasMessageContainingAll("docs/a.md", "absent.txt", "mend the link");
    }

    private Set<Path> html() throws IOException
    {
        try (Stream<Path> files = Files.list(out))
        {
            return files.filter((path) -> path.toString().endsWith(".html")).collect(Collectors.toSet());
        }
    }
}
