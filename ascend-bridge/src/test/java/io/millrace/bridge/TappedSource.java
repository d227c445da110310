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

import java.util.ArrayList;
import java.util.List;

import io.aeron.logbuffer.ControlledFragmentHandler;
import io.millrace.codecs.kv.KvMessages;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Keeps a copy of every message that a receiver takes.
 */
final class TappedSource implements KvSource
{
    final List<byte[]> messages = new ArrayList<>();
    private final KvSource source;

    TappedSource(final KvSource source)
    {
        this.source = source;
    }

    public int controlledPoll(final ControlledFragmentHandler handler, final int fragmentLimit)
    {
        return source.controlledPoll(
            (buffer, offset, length, header) ->
            {
                final ControlledFragmentHandler.Action action = handler.onFragment(buffer, offset, length, header);
                if (ControlledFragmentHandler.Action.ABORT != action)
                {
                    final byte[] bytes = new byte[length];
                    buffer.getBytes(offset, bytes);
                    messages.add(bytes);
                }
                return action;
            },
            fragmentLimit);
    }

    /**
     * Messages of a template so far.
     */
    long count(final int templateId)
    {
        return messages.stream().filter(bytes -> templateId == templateId(bytes)).count();
    }

    static int templateId(final byte[] message)
    {
        return KvMessages.check(new UnsafeBuffer(message), 0, message.length);
    }
}
