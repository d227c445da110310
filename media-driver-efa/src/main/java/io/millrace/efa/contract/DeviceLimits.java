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
 * What an EFA device takes.
 *
 * @param sendLength   longest message, one packet of the device, bytes.
 * @param injectLength longest injected message, bytes.
 * @param writeLength  longest write, bytes, 0 for a device without RMA.
 * @param regionLength longest region that peers may write to, bytes: a million pages.
 * @param txDepth      operations in flight, 0 for the provider's depth.
 * @param rxDepth      receives posted, 0 for the provider's depth.
 * @param cqDepth      completions that fit the queue, 0 for the provider's depth.
 */
record DeviceLimits(
    int sendLength, int injectLength, long writeLength, long regionLength, int txDepth, int rxDepth, int cqDepth)
{
    /** A device sends packets of about 8 KiB; this is what whole pages and Aeron's frames go into. */
    private static final int SEND_LENGTH = 8192;
    private static final int INJECT_LENGTH = 32;
    private static final long WRITE_LENGTH = 1L << 30;
    private static final long REGION_LENGTH = 4L << 30;
    /** A receive descriptor has 16 bits for the length. */
    static final int MAX_RECEIVE_LENGTH = 65535;

    static final DeviceLimits DEFAULT = read(WeatherFile.empty());

    static DeviceLimits read(final WeatherFile file)
    {
        return new DeviceLimits(
            (int)file.size("device.send.length", SEND_LENGTH, 1024, MAX_RECEIVE_LENGTH),
            (int)file.size("device.inject.length", INJECT_LENGTH, 0, 128),
            file.size("device.write.length", WRITE_LENGTH, 0, Integer.MAX_VALUE),
            file.size("device.region.length", REGION_LENGTH, 4096, Long.MAX_VALUE),
            file.number("device.tx.depth", 0, 0, 1 << 20),
            file.number("device.rx.depth", 0, 0, 1 << 20),
            file.number("device.cq.depth", 0, 0, 1 << 20));
    }

    static int depth(final int limit, final int provided)
    {
        return 0 == limit ? provided : Math.min(limit, provided);
    }
}
