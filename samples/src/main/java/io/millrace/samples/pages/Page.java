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

import java.nio.file.Path;
import java.util.Locale;

/**
 * A Markdown file and the page that is made of it.
 *
 * @param source   relative to the root of the checkout.
 * @param fileName of the page.
 */
record Page(Path source, String fileName)
{
    private static final String README = "README.md";
    private static final String DOCS = "docs";

    static Page of(final Path source)
    {
        final Path parent = source.getParent();
        final String name = source.getFileName().toString();
        if (README.equals(name))
        {
            return new Page(source, null == parent ? "index.html" : parent.toString().replace('/', '-') + ".html");
        }
        final String stem = name.substring(0, name.lastIndexOf('.')).toLowerCase(Locale.ROOT);
        return new Page(source, (null == parent || parent.toString().equals(DOCS) ? "" :
            parent.toString().replace('/', '-') + "-") + stem + ".html");
    }
}
