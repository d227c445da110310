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
package io.millrace.samples.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * One side of a measurement, on any transport. All of it belongs to one thread.
 */
interface Node extends AutoCloseable
{
    /**
     * Takes what arrives.
     */
    interface Handler
    {
        /**
         * A message, or a part of one.
         *
         * @param first  first eight bytes of a message that begins here.
         * @param second next eight bytes of it.
         * @param length of this part in bytes.
         * @param begins whether a message begins here.
         * @param ends   whether a message ends here.
         */
        void onFragment(long first, long second, int length, boolean begins, boolean ends);
    }

    /**
     * What the other side has to know.
     *
     * @param event to put it into.
     */
    void describe(ObjectNode event);

    /**
     * Learn of the other side.
     *
     * @param peer what it described.
     */
    void connect(JsonNode peer);

    /**
     * Whether messages of both directions take the way that is to be measured.
     *
     * @return true once they do.
     */
    boolean isConnected();

    /**
     * A duty cycle of all that this process has to do but {@link #poll}.
     */
    void work();

    /**
     * The part of {@link #work()} that may be done while a message is handled.
     */
    void progress();

    /**
     * Send a message of the order's size.
     *
     * @param first  first eight bytes.
     * @param second next eight bytes.
     * @return false if there is no room now.
     */
    boolean offer(long first, long second);

    /**
     * Take what arrived.
     *
     * @param handler of it.
     * @return parts taken.
     */
    int poll(Handler handler);

    /**
     * Check that nothing took another way than the one measured.
     *
     * @throws IllegalStateException if something did.
     */
    void verify();

    /**
     * {@inheritDoc}
     */
    void close();
}
