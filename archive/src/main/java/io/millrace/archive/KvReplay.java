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
package io.millrace.archive;

import java.util.concurrent.CompletableFuture;

import io.millrace.bridge.KvReceiver;
import org.agrona.CloseHelper;

/**
 * A range of a recording on its way into a {@link KvReceiver}, which is told of transfers as of live ones. A transfer
 * whose commit the range does not hold ends as failed, one whose begin it does not hold is refused. May be used by any
 * thread.
 */
public final class KvReplay implements AutoCloseable
{
    private final ArchiveSession session;
    private final ReplayFeed feed;
    private final FedReceiver receiver;

    KvReplay(final ArchiveSession session, final ReplayFeed feed, final FedReceiver receiver)
    {
        this.session = session;
        this.feed = feed;
        this.receiver = receiver;
    }

    /**
     * What is replayed.
     *
     * @return id of the recording.
     */
    public long recordingId()
    {
        return feed.recordingId();
    }

    /**
     * Where the range starts.
     *
     * @return stream position in bytes.
     */
    public long fromPosition()
    {
        return feed.fromPosition();
    }

    /**
     * Where the range ends; a frame that spans this position is replayed whole.
     *
     * @return stream position in bytes.
     */
    public long limitPosition()
    {
        return feed.limitPosition();
    }

    /**
     * How far the receiver is.
     *
     * @return stream position in bytes after what it consumed.
     */
    public long position()
    {
        return feed.position();
    }

    /**
     * Bytes of the recording that the receiver consumed: frames with their headers and padding, to compare with
     * {@link KvRecordingInfo#bytes()}.
     *
     * @return position - fromPosition.
     */
    public long bytesReplayed()
    {
        return feed.position() - feed.fromPosition();
    }

    /**
     * Transfers whose every layer landed and was checked.
     *
     * @return count up to now.
     */
    public int transfersCompleted()
    {
        return feed.transfersCompleted();
    }

    /**
     * Transfers that began and did not complete, for the reasons that the receiver's listener was told. Those that
     * failed when they were recorded are among them.
     *
     * @return count up to now.
     */
    public int transfersFailed()
    {
        return feed.transfersFailed();
    }

    /**
     * How the replay stands.
     *
     * @return the state; in a terminal one no transfer is in flight.
     */
    public KvReplayState state()
    {
        return feed.state();
    }

    /**
     * Why the replay did not complete.
     *
     * @return NONE unless {@link #state()} is terminal and not COMPLETED.
     */
    public KvArchiveError error()
    {
        return feed.error();
    }

    /**
     * {@link #error()} for a person: value, rule and remedy.
     *
     * @return the text, or null.
     */
    public String errorText()
    {
        return feed.errorText();
    }

    /**
     * The receiver, for its counters, or its invoker when it was set to have one.
     *
     * @return the receiver, closed with this.
     */
    public KvReceiver receiver()
    {
        return receiver.receiver();
    }

    /**
     * Completes, never exceptionally, in a terminal state, on the receiver's agent.
     *
     * @return future of this.
     */
    public CompletableFuture<KvReplayState> future()
    {
        return feed.future();
    }

    /**
     * Wait for a terminal state. The replay's own deadline brings one in any case while its receiver runs.
     *
     * @param timeoutNs nanoseconds to wait at most.
     * @return the state reached.
     */
    public KvReplayState await(final long timeoutNs)
    {
        return KvReplayState.await(feed.future(), timeoutNs, feed::state);
    }

    /**
     * Cancel the replay if it runs, and close the receiver. Blocks of completed transfers stay as they are.
     */
    public void close()
    {
        CloseHelper.closeAll(receiver, feed, session);
    }
}
