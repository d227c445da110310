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
package io.millrace.bridge.device.acl;

/**
 * A call of libascendcl failed. The message has the call, the device, the code with its name, and the library's text.
 */
public final class AclException extends RuntimeException
{
    private static final long serialVersionUID = 1L;

    /**
     * Function that failed.
     */
    private final String call;

    /**
     * Error code.
     */
    private final int code;

    AclException(final String call, final String device, final int code, final String text)
    {
        super(call + " on " + device + " returned " + code + " " + AclError.name(code) +
            (null == text || text.isBlank() ? "" : ": " + text.strip()));
        this.call = call;
        this.code = code;
    }

    /**
     * Function that failed.
     *
     * @return its name.
     */
    public String call()
    {
        return call;
    }

    /**
     * Error code.
     *
     * @return of the library, never 0.
     */
    public int code()
    {
        return code;
    }
}
