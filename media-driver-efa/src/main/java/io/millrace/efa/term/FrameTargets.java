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

import org.agrona.collections.Hashing;
import org.agrona.collections.Long2ObjectHashMap;

/**
 * Images of a link's peer into which frames may be written. Owned by the Sender.
 */
public final class FrameTargets
{
    private final Long2ObjectHashMap<FrameTarget> targetByStream = new Long2ObjectHashMap<>();
    private long lastKey;
    private FrameTarget lastTarget;

    /**
     * Create without targets.
     */
    public FrameTargets()
    {
    }

    /**
     * Use a target instead of what the stream had before.
     *
     * @param target to use.
     */
    public void add(final FrameTarget target)
    {
        final FrameTarget previous = targetByStream.put(target.streamKey(), target);
        if (null != previous)
        {
            previous.end();
        }
        lastTarget = null;
    }

    /**
     * Write to a target no more.
     *
     * @param target to forget.
     */
    public void remove(final FrameTarget target)
    {
        target.end();
        targetByStream.remove(target.streamKey(), target);
        lastTarget = null;
    }

    /**
     * Write to no target any more.
     */
    public void clear()
    {
        targetByStream.forEach((key, target) -> target.end());
        targetByStream.clear();
        lastTarget = null;
    }

    /**
     * Target of a data packet.
     *
     * @param packet at its address.
     * @param length in bytes.
     * @return the target, or null.
     */
    public FrameTarget find(final long packet, final int length)
    {
        if (targetByStream.isEmpty() || length < FrameHeader.LENGTH)
        {
            return null;
        }

        final long key = Hashing.compoundKey(FrameHeader.sessionId(packet), FrameHeader.streamId(packet));
        if (null == lastTarget || lastKey != key)
        {
            lastTarget = targetByStream.get(key);
            lastKey = key;
        }

        return lastTarget;
    }
}
