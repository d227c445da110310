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

/**
 * One measurement as a child process is told of it.
 *
 * @param kind           of the case.
 * @param transport      to run on.
 * @param isServer       whether this child is the side that echoes or receives.
 * @param aeronDirectory of the driver.
 * @param protocol       word for Millrace's driver and for raw libfabric.
 * @param threading      of the driver.
 * @param cores          of this child: its own thread's first, then the driver's.
 * @param size           of a message in bytes.
 * @param mtu            of the channels in bytes.
 * @param termLength     of the channels in bytes.
 * @param toServer       channel from client to server.
 * @param toClient       channel from server to client.
 * @param ratePerSecond  of messages, for {@code rtt}.
 * @param trace          file of requests for {@code kvTrace}, or null to generate them.
 * @param warmupMs       before anything counts.
 * @param durationMs     that counts.
 */
record Order(
    CaseKind kind,
    Transport transport,
    boolean isServer,
    String aeronDirectory,
    String protocol,
    Threading threading,
    int[] cores,
    int size,
    int mtu,
    int termLength,
    String toServer,
    String toClient,
    int ratePerSecond,
    String trace,
    long warmupMs,
    long durationMs)
{
}
