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
package io.millrace.bridge.device;

/**
 * A point on a producer's or consumer's compute stream. Copies of a batch that acquired it start only after that stream
 * reached the point.
 */
public interface KvEvent extends AutoCloseable
{
    /**
     * Has the compute stream reached the point.
     *
     * @return true when everything before the point is done.
     */
    boolean isReached();

    /**
     * Release the event. Batches that acquired it must have ended.
     */
    void close();
}
