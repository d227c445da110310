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

import java.util.concurrent.TimeUnit;

/**
 * Settings of an {@link AclDevice}.
 *
 * @param <C> the concrete context.
 */
public abstract class AclSettings<C extends AclSettings<C>>
{
    private static final long DRAIN_TIMEOUT_NS_DEFAULT = TimeUnit.SECONDS.toNanos(5);
    private static final long ABORT_TIMEOUT_NS_DEFAULT = TimeUnit.SECONDS.toNanos(10);
    private static final int MAX_IN_FLIGHT_DEFAULT = 1024;

    private int deviceId;
    private String libraryPath =
        System.getProperty(AclDevice.Context.LIBRARY_PROP_NAME, System.getenv(AclDevice.Context.LIBRARY_ENV_NAME));
    private String aclConfigPath;
    private long drainTimeoutNs = DRAIN_TIMEOUT_NS_DEFAULT;
    private long abortTimeoutNs = ABORT_TIMEOUT_NS_DEFAULT;
    private int maxInFlight = MAX_IN_FLIGHT_DEFAULT;
    private boolean finalizeOnClose;

    /**
     * With defaults.
     */
    AclSettings()
    {
    }

    /**
     * This context.
     *
     * @return this for a fluent API.
     */
    abstract C self();

    /**
     * Set the deviceId.
     *
     * @param newDeviceId logical id, as this process sees its devices, from 0.
     * @return this for a fluent API.
     */
    public C deviceId(final int newDeviceId)
    {
        deviceId = newDeviceId;
        return self();
    }

    /**
     * Get the deviceId.
     *
     * @return logical id, as this process sees its devices, from 0.
     */
    public int deviceId()
    {
        return deviceId;
    }

    /**
     * Set the libraryPath.
     *
     * @param newLibraryPath of libascendcl.so; looked for where CANN is installed when null.
     * @return this for a fluent API.
     */
    public C libraryPath(final String newLibraryPath)
    {
        libraryPath = newLibraryPath;
        return self();
    }

    /**
     * Get the libraryPath.
     *
     * @return of libascendcl.so; looked for where CANN is installed when null.
     */
    public String libraryPath()
    {
        return libraryPath;
    }

    /**
     * Set the aclConfigPath.
     *
     * @param newAclConfigPath JSON file for aclInit; none when null, and not used when others initialised ACL.
     * @return this for a fluent API.
     */
    public C aclConfigPath(final String newAclConfigPath)
    {
        aclConfigPath = newAclConfigPath;
        return self();
    }

    /**
     * Get the aclConfigPath.
     *
     * @return JSON file for aclInit; none when null, and not used when others initialised ACL.
     */
    public String aclConfigPath()
    {
        return aclConfigPath;
    }

    /**
     * Set the drainTimeoutNs.
     *
     * @param newDrainTimeoutNs nanoseconds that free and unregister wait for copies of the region.
     * @return this for a fluent API.
     */
    public C drainTimeoutNs(final long newDrainTimeoutNs)
    {
        drainTimeoutNs = newDrainTimeoutNs;
        return self();
    }

    /**
     * Get the drainTimeoutNs.
     *
     * @return nanoseconds that free and unregister wait for copies of the region.
     */
    public long drainTimeoutNs()
    {
        return drainTimeoutNs;
    }

    /**
     * Set the abortTimeoutNs.
     *
     * @param newAbortTimeoutNs nanoseconds after which copies that have not ended are aborted with their stream;
     *                          longer than the time that owners of copies wait for them.
     * @return this for a fluent API.
     */
    public C abortTimeoutNs(final long newAbortTimeoutNs)
    {
        abortTimeoutNs = newAbortTimeoutNs;
        return self();
    }

    /**
     * Get the abortTimeoutNs.
     *
     * @return nanoseconds after which copies that have not ended are aborted with their stream.
     */
    public long abortTimeoutNs()
    {
        return abortTimeoutNs;
    }

    /**
     * Set the maxInFlight.
     *
     * @param newMaxInFlight batches that a queue takes before it is full, 1 and up.
     * @return this for a fluent API.
     */
    public C maxInFlight(final int newMaxInFlight)
    {
        maxInFlight = newMaxInFlight;
        return self();
    }

    /**
     * Get the maxInFlight.
     *
     * @return batches that a queue takes before it is full, 1 and up.
     */
    public int maxInFlight()
    {
        return maxInFlight;
    }

    /**
     * Set the finalizeOnClose.
     *
     * @param newFinalizeOnClose true to finalise ACL with the last device if it was initialised here. Some releases
     *                           initialise once per process only, so that no device can be opened afterwards.
     * @return this for a fluent API.
     */
    public C finalizeOnClose(final boolean newFinalizeOnClose)
    {
        finalizeOnClose = newFinalizeOnClose;
        return self();
    }

    /**
     * Get the finalizeOnClose.
     *
     * @return true to finalise ACL with the last device if it was initialised here.
     */
    public boolean finalizeOnClose()
    {
        return finalizeOnClose;
    }
}
