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
 * What became of a request that a receiver was told to expect.
 *
 * @param requestId of the serving system.
 * @param state     terminal.
 * @param error     NONE when completed.
 * @param text      with the numbers, null when completed.
 * @param policy    of the sender; FAIL when no transfer began.
 * @param transfer  null when no transfer began.
 */
public record KvFate(
    long requestId,
    KvTransferState state,
    KvError error,
    String text,
    KvFailurePolicy policy,
    KvInboundTransfer transfer)
{
}
