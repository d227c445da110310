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

import com.sun.jna.Library;

/**
 * libfabric's exported control plane. Addresses are {@code long}: only LP64 is supported.
 */
interface FabricApi extends Library
{
    int fi_version();

    int fi_getinfo(int version, String node, String service, long flags, long hints, long infoOut);

    void fi_freeinfo(long info);

    long fi_dupinfo(long info);

    int fi_fabric(long fabricAttr, long fabricOut, long context);

    String fi_strerror(int errno);
}
