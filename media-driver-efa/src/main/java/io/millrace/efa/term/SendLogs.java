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
package io.millrace.efa.term;

import org.agrona.BufferUtil;
import org.agrona.collections.Hashing;
import org.agrona.collections.Long2ObjectHashMap;

import java.nio.ByteBuffer;

/**
 * Registered logs of the publications of a channel. Owned by the Sender.
 */
public final class SendLogs
{
    private final Long2ObjectHashMap<SendLog> logByStream = new Long2ObjectHashMap<>();
    private long lastKey;
    private SendLog lastLog;

    /**
     * Create without logs.
     */
    public SendLogs()
    {
    }

    /**
     * Use a log.
     *
     * @param log to use.
     */
    public void add(final SendLog log)
    {
        logByStream.put(log.streamKey(), log);
        lastLog = null;
    }

    /**
     * Use a log no more.
     *
     * @param log to forget.
     */
    public void remove(final SendLog log)
    {
        logByStream.remove(log.streamKey(), log);
        lastLog = null;
    }

    /**
     * Log of a packet.
     *
     * @param packet direct buffer, from position to limit.
     * @return the log if the packet is data of a publication whose log is registered, else null.
     */
    public SendLog find(final ByteBuffer packet)
    {
        final long address = BufferUtil.address(packet) + packet.position();
        if (logByStream.isEmpty() || packet.remaining() < FrameHeader.LENGTH || !FrameHeader.isPlainData(address) ||
            FrameHeader.frameLength(address) <= 0)
        {
            return null;
        }

        final long key = Hashing.compoundKey(FrameHeader.sessionId(address), FrameHeader.streamId(address));
        if (null == lastLog || lastKey != key)
        {
            lastLog = logByStream.get(key);
            lastKey = key;
        }

        return lastLog;
    }
}
