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
package io.millrace.bridge;

import io.millrace.codecs.kv.FailurePolicy;

/**
 * What the receiver's side does about a transfer that failed. The sender states it, {@link KvTransferInfo} and
 * {@link KvFate} tell it.
 */
public enum KvFailurePolicy
{
    /**
     * The request fails.
     */
    FAIL(FailurePolicy.FAIL),

    /**
     * The receiver's side computes the blocks itself.
     */
    RECOMPUTE(FailurePolicy.RECOMPUTE);

    private final FailurePolicy wire;

    KvFailurePolicy(final FailurePolicy wire)
    {
        this.wire = wire;
    }

    /**
     * The value on the wire.
     *
     * @return of the schema.
     */
    public FailurePolicy wire()
    {
        return wire;
    }

    /**
     * The policy of a value on the wire.
     *
     * @param value raw, {@link #FAIL} stands for values of newer versions.
     * @return the policy.
     */
    public static KvFailurePolicy ofWireValue(final int value)
    {
        return RECOMPUTE.wire.value() == value ? RECOMPUTE : FAIL;
    }
}
