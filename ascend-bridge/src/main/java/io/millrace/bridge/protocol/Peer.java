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
package io.millrace.bridge.protocol;

import io.aeron.Image;

/**
 * A receiver that answered a sender.
 *
 * @param receiverId      of its instance.
 * @param sessionId       of its reverse publication.
 * @param image           of its reverse publication.
 * @param protocolVersion newest that it speaks.
 * @param eagerBytes      that a transfer may send it before it granted blocks.
 */
record Peer(long receiverId, int sessionId, Image image, int protocolVersion, long eagerBytes)
{
}
