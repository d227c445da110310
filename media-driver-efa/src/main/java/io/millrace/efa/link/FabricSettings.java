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

import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;

import java.util.List;

/**
 * What the handshake needs to know of this driver.
 *
 * @param choice      protocol and NICs in use.
 * @param context     concluded configuration.
 * @param incarnation random number of this driver's start.
 * @param hostId      same for drivers that can share memory.
 * @param authKeys    of the handshake, none for a handshake without a seal.
 */
record FabricSettings(
    ProtocolChoice choice, EfaContext context, long incarnation, long hostId, List<byte[]> authKeys)
{
}
