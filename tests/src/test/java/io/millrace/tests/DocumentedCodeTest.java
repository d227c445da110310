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

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Compiles the Java of README and pages, so that what a reader copies exists.
 */
class DocumentedCodeTest
{
    private static final Pattern BLOCK = Pattern.compile("^```java\\n(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL);

    private static final Pattern WHOLE = Pattern.compile("\\A// \\S+\\nimport ");

    /**
     * What the pages leave to their reader.
     */
    private static final String BEFORE = """
        import io.aeron.*;
        import io.millrace.bridge.*;
        import io.millrace.bridge.device.*;
        import io.millrace.bridge.reshard.*;
        import io.millrace.bridge.session.*;
        import io.millrace.efa.*;
        import java.util.List;
        import java.util.concurrent.CompletableFuture;
        import org.agrona.DirectBuffer;
        import org.agrona.concurrent.IdleStrategy;

        abstract class Page
        {
            DirectBuffer buffer;
            int length, tpRank;
            long requestId, timeoutNs;
            IdleStrategy idleStrategy;
            String data, answers;
            KvDevice npu, device;
            PagedKvCache cache;
            KvLayout layout;
            KvBlocks blocks;
            CacheShape shape;
            Sharding sharding;
            KvSessionListener listener;
            Aeron aeron;

            void code() throws Exception
            {
        """;

    private static final class Source extends SimpleJavaFileObject
    {
        private final String text;

        Source(final String text)
        {
            super(URI.create("string:///Page.java"), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(final boolean ignoreEncodingErrors)
        {
            return text;
        }
    }

    static List<String> blocks() throws IOException
    {
        final List<Path> pages = new ArrayList<>(List.of(Tool.ROOT.resolve("README.md")));
        try (Stream<Path> files = Files.list(Tool.ROOT.resolve("docs")))
        {
            files.filter((file) -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
        }
        final List<String> blocks = new ArrayList<>();
        for (final Path page : pages)
        {
            for (final Matcher block = BLOCK.matcher(Files.readString(page)); block.find();)
            {
                blocks.add("// " + page.getFileName() + "\n" + block.group(1));
            }
        }
        assertThat(blocks).hasSizeGreaterThan(3);
        return blocks;
    }

    @ParameterizedTest
    @MethodSource("blocks")
    void compiles(final String block, @TempDir final Path classes)
    {
        final StringWriter messages = new StringWriter();
        // What begins with its imports is whole.
        final boolean isWhole = WHOLE.matcher(block).find();
        final List<JavaFileObject> sources = List.of(new Source(isWhole ? block : BEFORE + block + "}}"));
        final List<String> options =
            List.of("-d", classes.toString(), "-cp", System.getProperty("java.class.path"), "-proc:none");
        assertThat(ToolProvider.getSystemJavaCompiler().getTask(messages, null, null, options, null, sources).call())
            .as(() -> messages + block).isTrue();
    }
}
