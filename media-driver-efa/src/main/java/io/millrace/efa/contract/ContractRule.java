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
package io.millrace.efa.contract;

/**
 * Rules of EFA that software providers do not enforce.
 */
public enum ContractRule
{
    /** A send carries at most one packet of the device. */
    SEND_LENGTH("a message is longer than the device sends, which segments writes but no messages"),
    /** Inject carries what fits a work request. */
    INJECT_LENGTH("an injected message is longer than fits a work request"),
    /** A write carries at most the device's limit, none on a device without RMA. */
    RMA_LENGTH("a write is longer than the device writes"),
    /** An immediate has 32 bits. */
    IMMEDIATE_WIDTH("an immediate has more than the 32 bits that EFA carries, which cuts the rest"),
    /** Receives, writes and sends past the inject length need a descriptor. */
    DESCRIPTOR_MISSING("an operation has no descriptor"),
    /** The descriptor's region is open. */
    DESCRIPTOR_DEAD("a descriptor is not that of an open region of this endpoint"),
    /** The region covers the buffer. */
    DESCRIPTOR_RANGE("a region does not cover the buffer"),
    /** The region was registered for the operation. */
    REGION_ACCESS("a region was not registered for the operation"),
    /** A region is closed after its operations. */
    REGION_CLOSED_IN_FLIGHT("a region was closed with operations in flight, after which the NIC still uses it"),
    /** An operation has a context. */
    CONTEXT_MISSING("an operation has no context, so that its completion is never reported"),
    /** 64 bytes of context belong to one operation. */
    CONTEXT_REUSED("a context was used again before the completion of its operation"),
    /** The provider writes to the context. */
    CONTEXT_WRITTEN("the 64 bytes of a context were written to before the completion of its operation"),
    /** The buffer is read until the completion. */
    BUFFER_CHANGED("a buffer was changed before the completion of its operation, which reads it until then"),
    /** A posted buffer is the NIC's. */
    BUFFER_POSTED_TWICE("a receive buffer was posted again before its completion"),
    /** Addresses are those of the address vector. */
    ADDRESS_UNKNOWN("an address was never inserted or is removed; EFA ends the process with SIGSEGV"),
    /** Addresses are removed after their operations. */
    ADDRESS_REMOVED_IN_FLIGHT(
        "an address was removed with operations in flight to it, whose completions look it up; EFA ends the process"),
    /** The target of a write knows who writes. */
    INITIATOR_UNKNOWN("a write to a peer that has not inserted this endpoint's address, EFA refuses it"),
    /** Completions of all operations fit. */
    QUEUE_DEPTH("operations in flight exceed the completion queue, which EFA does not protect"),
    /** Completions of peers' writes fit, too. */
    QUEUE_OVERRUN("more completions than fit the completion queue, the rest is lost"),
    /** One thread at a time. */
    THREAD("two threads are in the endpoint at a time"),
    /** Closed is closed. */
    USED_AFTER_CLOSE("an operation on an endpoint that is closed");

    private final String text;

    ContractRule(final String text)
    {
        this.text = text;
    }

    /**
     * What breaks the rule.
     *
     * @return a clause for people.
     */
    public String text()
    {
        return text;
    }
}
