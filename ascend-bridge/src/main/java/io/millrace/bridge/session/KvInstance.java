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
package io.millrace.bridge.session;

import java.util.regex.Pattern;

import io.millrace.bridge.reshard.CacheShape;
import io.millrace.bridge.reshard.ReshardPlan;
import io.millrace.bridge.reshard.Sharding;

/**
 * What an instance tells of itself. One instance is one tensor-parallel rank.
 *
 * @param name               unique among live instances, 1 to 64 printable ASCII characters without spaces.
 * @param role               of it.
 * @param modelTag           names the model and its weights, at most 64 printable ASCII characters.
 * @param shape              of the model's whole cache.
 * @param sharding           of it over the ranks of this side.
 * @param tpRank             0 to {@code sharding.tpSize() - 1}.
 * @param protocolVersion    newest session protocol it speaks, 1 to 65534.
 * @param minProtocolVersion oldest session protocol it speaks, 1 and up.
 * @param software           version of its software.
 */
public record KvInstance(
    String name,
    KvRole role,
    String modelTag,
    CacheShape shape,
    Sharding sharding,
    int tpRank,
    int protocolVersion,
    int minProtocolVersion,
    String software)
{
    private static final Pattern NAME = Pattern.compile("[!-~]{1,64}");
    private static final Pattern TAG = Pattern.compile("[ -~]{0,64}");

    /**
     * Check the ranges.
     */
    public KvInstance
    {
        if (null == name || !NAME.matcher(name).matches() || null == modelTag || !TAG.matcher(modelTag).matches() ||
            null == software || !TAG.matcher(software).matches())
        {
            throw new IllegalArgumentException("name '" + name + "' must be 1 to 64 printable ASCII characters " +
                "without spaces, modelTag '" + modelTag + "' and software '" + software + "' at most 64");
        }
        if (null == role || null == shape || null == sharding)
        {
            throw new IllegalArgumentException(
                "role=" + role + ", shape=" + shape + " and sharding=" + sharding + " must be set");
        }
        sharding.check(shape);
        if (tpRank < 0 || tpRank >= sharding.tpSize())
        {
            throw new IllegalArgumentException(
                "tpRank=" + tpRank + " is out of range: use 0 to " + (sharding.tpSize() - 1));
        }
        if (minProtocolVersion < 1 || protocolVersion < minProtocolVersion)
        {
            throw new IllegalArgumentException("protocol versions " + minProtocolVersion + " to " + protocolVersion +
                " must be 1 or more, in order");
        }
    }

    /**
     * Refuse a peer that speaks no version of the protocol that this one speaks.
     *
     * @param peerName     of the peer.
     * @param peerSoftware of the peer.
     * @param peerVersion  newest that the peer speaks.
     * @param peerMin      oldest that it speaks.
     * @throws SessionException that names both.
     */
    void checkVersion(final String peerName, final String peerSoftware, final int peerVersion, final int peerMin)
    {
        if (Math.min(protocolVersion, peerVersion) < Math.max(minProtocolVersion, peerMin))
        {
            throw new SessionException(SessionError.VERSION_MISMATCH, name + " (software " + software +
                ") speaks session protocol " + minProtocolVersion + " to " + protocolVersion + ", " + peerName +
                " (software " + peerSoftware + ") speaks " + peerMin + " to " + peerVersion +
                ": upgrade the older side");
        }
    }

    /**
     * Refuse a peer that no transfer can work with.
     *
     * @param peer other instance.
     * @throws SessionException that names what both have.
     */
    void check(final KvInstance peer)
    {
        if (!role.matches(peer.role))
        {
            throw new SessionException(SessionError.ROLE_MISMATCH, name + " and " + peer.name + " are both " + role +
                ": connect instances that prefill to instances that decode");
        }
        if (!modelTag.equals(peer.modelTag) || !shape.equals(peer.shape))
        {
            throw new SessionException(SessionError.MODEL_MISMATCH, name + " has model '" + modelTag + "' of " + shape +
                ", " + peer.name + " has '" + peer.modelTag + "' of " + peer.shape + ": serve the same model on both");
        }
    }

    /**
     * How this instance's side sends to a peer's side.
     *
     * @param peer other instance.
     * @return the plan.
     */
    public ReshardPlan planTo(final KvInstance peer)
    {
        return ReshardPlan.of(shape, sharding, peer.sharding);
    }
}
