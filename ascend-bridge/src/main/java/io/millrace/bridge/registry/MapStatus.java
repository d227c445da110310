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
 * Where a registration stands.
 */
public enum MapStatus
{
    /**
     * No live server: it is mapped when one starts.
     */
    UNSERVED,

    /**
     * The server has not looked at it yet.
     */
    REQUESTED,

    /**
     * The server can copy from and to it.
     */
    MAPPED,

    /**
     * The server could not map it and says why.
     */
    REFUSED,

    /**
     * It was unregistered, and the server may have it still: its memory is not the caller's yet.
     */
    UNMAPPING,

    /**
     * It was unregistered, and the server that had it has unmapped it or is dead.
     */
    UNREGISTERED
}
