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

/**
 * Error numbers of libfabric, positive. Calls return them negated. Source: {@code rdma/fi_errno.h} and Linux errno.
 */
public final class FabricErrors
{
    /** No such file, device or shared memory object. */
    public static final int ENOENT = 2;
    /** Input/output error. */
    public static final int EIO = 5;
    /** Endpoint is closed. */
    public static final int EBADF = 9;
    /** Nothing now: poll and try again on the next duty cycle. */
    public static final int EAGAIN = 11;
    /** Out of memory, or of what may be pinned. */
    public static final int ENOMEM = 12;
    /** Something still refers to the object. */
    public static final int EBUSY = 16;
    /** No such device. */
    public static final int ENODEV = 19;
    /** Invalid argument. */
    public static final int EINVAL = 22;
    /** No space left, in {@code /dev/shm} for shm. */
    public static final int ENOSPC = 28;
    /** Call is not implemented by the provider. */
    public static final int ENOSYS = 38;
    /** No provider fits the hints. */
    public static final int ENODATA = 61;
    /** Message is longer than the endpoint carries. */
    public static final int EMSGSIZE = 90;
    /** Option or access is not supported. */
    public static final int EOPNOTSUPP = 95;
    /** Connection aborted by, or lost to, the peer. */
    public static final int ECONNABORTED = 103;
    /** Peer's endpoint is gone. */
    public static final int ENOTCONN = 107;
    /** Peer cannot be reached. */
    public static final int EHOSTUNREACH = 113;
    /** Remote I/O error. */
    public static final int EREMOTEIO = 121;
    /** Operation was cancelled as its endpoint closed. */
    public static final int ECANCELED = 125;
    /** Unspecified provider error. */
    public static final int EOTHER = 256;
    /** Buffer for the result is too small. */
    public static final int ETOOSMALL = 257;
    /** An error entry waits on the queue. */
    public static final int EAVAIL = 259;
    /** Received message was longer than its buffer. */
    public static final int ETRUNC = 265;
    /** Queue was overrun. */
    public static final int EOVERRUN = 268;
    /** Receiver had no buffer posted. */
    public static final int ENORX = 269;

    private FabricErrors()
    {
    }

    /**
     * Text for an error number: libfabric's own where the library is loaded.
     *
     * @param errno positive, or negative as returned.
     * @return text, never null.
     */
    public static String text(final int errno)
    {
        return LibFabric.errorText(Math.abs(errno));
    }
}
