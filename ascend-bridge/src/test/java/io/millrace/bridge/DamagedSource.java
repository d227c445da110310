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

import java.util.function.Predicate;

import io.aeron.logbuffer.ControlledFragmentHandler;
import io.millrace.codecs.kv.KvChunkDecoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.MessageHeaderDecoder;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Passes fragments on as copies, and flips one payload bit of the chunks that a predicate picks.
 */
final class DamagedSource implements KvSource
{
    private final KvSource source;
    private final Predicate<KvChunkDecoder> isDamaged;
    private final UnsafeBuffer copy = new UnsafeBuffer(new byte[1 << 17]);
    private final MessageHeaderDecoder messageHeader = new MessageHeaderDecoder();
    private final KvChunkDecoder chunk = new KvChunkDecoder();

    DamagedSource(final KvSource source, final Predicate<KvChunkDecoder> isDamaged)
    {
        this.source = source;
        this.isDamaged = isDamaged;
    }

    public int controlledPoll(final ControlledFragmentHandler handler, final int fragmentLimit)
    {
        return source.controlledPoll(
            (buffer, offset, length, header) ->
            {
                copy.putBytes(0, buffer, offset, length);
                if (KvChunkDecoder.TEMPLATE_ID == KvMessages.check(copy, 0, length) &&
                    isDamaged.test(chunk.wrapAndApplyHeader(copy, 0, messageHeader)))
                {
                    final int index = chunk.limit() + (int)chunk.payloadLength() / 2;
                    copy.putByte(index, (byte)(copy.getByte(index) ^ 0x10));
                }
                return handler.onFragment(copy, 0, length, header);
            },
            fragmentLimit);
    }
}
