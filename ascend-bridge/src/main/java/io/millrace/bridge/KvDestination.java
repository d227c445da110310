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

/**
 * Where one receiver of a transfer stands.
 *
 * @param receiverId  random, of the receiver's instance.
 * @param state       PENDING or terminal.
 * @param error       NONE unless it ended without completing.
 * @param errorText   with the numbers, null unless it ended without completing.
 * @param layersAcked layers that it has in device memory, checked.
 */
public record KvDestination(long receiverId, KvTransferState state, KvError error, String errorText, int layersAcked)
{
}
