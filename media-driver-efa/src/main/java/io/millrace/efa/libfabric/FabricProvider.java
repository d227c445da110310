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
package io.millrace.efa.libfabric;

import java.util.List;

/**
 * Providers of libfabric that can carry frames, one for each protocol word.
 */
public enum FabricProvider
{
    /** AWS Elastic Fabric Adapter. */
    EFA("efa", List.of(new Candidate("efa", "efa-direct"), new Candidate("efa", "efa"))),
    /** Shared memory of one host. */
    SHM("shm", List.of(new Candidate("shm", null))),
    /** TCP: native from libfabric 2, the {@code net} provider of 1.17, or the {@code ofi_rxm} layer over tcp. */
    TCP("tcp", List.of(new Candidate("tcp", null), new Candidate("net", null), new Candidate("tcp;ofi_rxm", null)));

    /**
     * A provider and fabric to ask for.
     *
     * @param providerName exact name in the answer.
     * @param fabricName   to ask for, or null for any.
     */
    record Candidate(String providerName, String fabricName)
    {
    }

    private final String word;
    private final List<Candidate> candidates;

    FabricProvider(final String word, final List<Candidate> candidates)
    {
        this.word = word;
        this.candidates = candidates;
    }

    /**
     * Protocol word.
     *
     * @return {@code efa}, {@code shm} or {@code tcp}.
     */
    public String word()
    {
        return word;
    }

    List<Candidate> candidates()
    {
        return candidates;
    }
}
