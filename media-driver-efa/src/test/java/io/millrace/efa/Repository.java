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
package io.millrace.efa;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The code and the documents, for tests that compare them.
 */
final class Repository
{
    static final Path ROOT = root();

    private Repository()
    {
    }

    private static Path root()
    {
        Path path = Path.of("").toAbsolutePath();
        while (!Files.isExecutable(path.resolve("millrace")))
        {
            path = path.getParent();
        }
        return path;
    }

    /**
     * All classes of a module, not initialised.
     */
    static List<Class<?>> classes(final String module)
    {
        final Path classes = ROOT.resolve(module).resolve("target/classes");
        try (Stream<Path> files = Files.walk(classes))
        {
            return files.map((file) -> classes.relativize(file).toString())
                .filter((file) -> file.endsWith(".class") && !file.endsWith("-info.class"))
                .<Class<?>>map((file) -> load(file.replace('/', '.').replaceAll("\\.class$", "")))
                .toList();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    private static Class<?> load(final String name)
    {
        try
        {
            return Class.forName(name, false, Repository.class.getClassLoader());
        }
        catch (final ClassNotFoundException ex)
        {
            throw new IllegalStateException(ex);
        }
    }

    static Object constant(final Field field)
    {
        try
        {
            field.setAccessible(true);
            return field.get(null);
        }
        catch (final IllegalAccessException ex)
        {
            throw new IllegalStateException(ex);
        }
    }

    /**
     * Rows of a document's tables by the text of their first cell.
     *
     * @param document in Markdown.
     * @param prefix   of the first cell, without the marks around it.
     * @return cells of each row.
     */
    static Map<String, List<String>> table(final Path document, final String prefix) throws IOException
    {
        final Map<String, List<String>> rows = new LinkedHashMap<>();
        for (final String line : Files.readAllLines(document))
        {
            if (line.startsWith("|"))
            {
                final List<String> cells =
                    Arrays.stream(line.substring(1).split("\\|")).map(String::strip).toList();
                final String first = cells.get(0).replace("`", "");
                if (first.startsWith(prefix) && null != rows.put(first, cells))
                {
                    throw new AssertionError("two rows for " + first + " in " + document);
                }
            }
        }
        return rows;
    }
}
