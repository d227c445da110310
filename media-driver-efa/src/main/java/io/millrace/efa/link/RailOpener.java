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
package io.millrace.efa.link;

import io.millrace.efa.rail.Rail;

/**
 * Opens rails for an agent.
 */
interface RailOpener
{
    /**
     * Number of rails of each role.
     *
     * @return rails, 0 on UDP.
     */
    int rails();

    /**
     * Open a rail and give it its counters. Slow: for the fabric conductor only.
     *
     * @param railSet told what happens on the rail.
     * @param role    whose rail it is.
     * @param index   of the rail.
     * @return the rail, all receives posted.
     * @throws io.millrace.efa.libfabric.FabricException when the NIC cannot be opened.
     */
    Rail open(RailSet railSet, AgentRole role, int index);

    /**
     * Close a rail that no agent touches any more.
     *
     * @param rail to close.
     */
    void close(Rail rail);
}
