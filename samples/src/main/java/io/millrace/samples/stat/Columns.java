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
package io.millrace.samples.stat;

import java.util.ArrayList;
import java.util.List;

/**
 * Columns as wide as their longest cell. The first and the last are aligned left, those between right.
 */
public final class Columns
{
    private static final String GAP = "  ";

    private final List<String[]> rows = new ArrayList<>();

    /**
     * Create a table.
     *
     * @param header of each column.
     */
    public Columns(final String... header)
    {
        rows.add(header);
    }

    /**
     * Add a row.
     *
     * @param cells as many as the header has.
     */
    public void row(final String... cells)
    {
        rows.add(cells);
    }

    boolean isEmpty()
    {
        return 1 == rows.size();
    }

    /**
     * Lay out what was added.
     *
     * @return the header, then the rows.
     */
    public List<String> lines()
    {
        final int columns = rows.get(0).length;
        final int[] widths = new int[columns];
        for (final String[] row : rows)
        {
            for (int i = 0; i < columns; i++)
            {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }

        final List<String> lines = new ArrayList<>();
        for (final String[] row : rows)
        {
            final StringBuilder line = new StringBuilder();
            for (int i = 0; i < columns; i++)
            {
                final int padding = widths[i] - row[i].length();
                final boolean isLeft = 0 == i || columns - 1 == i;
                line.append(0 == i ? "" : GAP)
                    .repeat(' ', isLeft ? 0 : padding)
                    .append(row[i])
                    .repeat(' ', isLeft ? padding : 0);
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }
}
