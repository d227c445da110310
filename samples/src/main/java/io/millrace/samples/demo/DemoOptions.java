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
package io.millrace.samples.demo;

import java.nio.file.Path;

/**
 * What the user asked of a demonstration.
 *
 * @param requests       to transfer, or 0 for as many as move 2 GiB.
 * @param trace          file of requests, or null to generate them.
 * @param model          shape of the KV cache.
 * @param tokensPerBlock of a KV block.
 * @param protocol       word for the drivers, or null for their default.
 * @param rails          of each driver, or 0 for their default.
 * @param seed           of generated requests and of all content.
 * @param directory      for the drivers' files, or null for shared memory.
 * @param archive        whether to record the stream and replay it.
 * @param archiveParent  directory for what is recorded, or null for that of temporary files.
 * @param silenceMs      longest time without progress.
 * @param verbose        whether to show what the children write to standard error.
 */
public record DemoOptions(
    long requests,
    Path trace,
    String model,
    int tokensPerBlock,
    String protocol,
    int rails,
    long seed,
    Path directory,
    boolean archive,
    Path archiveParent,
    long silenceMs,
    boolean verbose)
{
}
