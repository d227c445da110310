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
package io.millrace.bridge.registry;

/**
 * A client's buffer that a server has mapped.
 *
 * @param client      that registered it.
 * @param kind        of it.
 * @param source      path of the file, or key of the device memory.
 * @param offset      of the first byte in the file.
 * @param lengthBytes of it.
 * @param address     of the first byte in this process.
 */
public record MappedBuffer(
    String client, BufferKind kind, String source, long offset, long lengthBytes, long address)
{
}
