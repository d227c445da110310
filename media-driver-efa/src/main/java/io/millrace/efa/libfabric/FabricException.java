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
 * A libfabric call failed: the text names the call, the error, the value concerned and the remedy.
 */
public class FabricException extends RuntimeException
{
    private static final long serialVersionUID = 1L;

    private final String call;
    private final int errno;

    /**
     * A call failed.
     *
     * @param call   that failed, such as {@code fi_mr_reg}.
     * @param errno  positive or negative error number.
     * @param detail the value concerned and the remedy, may be empty.
     */
    public FabricException(final String call, final int errno, final String detail)
    {
        super(call + " failed: " + FabricErrors.text(errno) + " (" + Math.abs(errno) + ")" +
            (detail.isEmpty() ? "" : ", " + detail));
        this.call = call;
        this.errno = Math.abs(errno);
    }

    /**
     * Name of the call that failed.
     *
     * @return name.
     */
    public String call()
    {
        return call;
    }

    /**
     * Error number.
     *
     * @return positive, see {@link FabricErrors}.
     */
    public int errno()
    {
        return errno;
    }
}
