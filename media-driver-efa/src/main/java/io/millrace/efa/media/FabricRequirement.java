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
package io.millrace.efa.media;

import io.aeron.AeronCounters;
import io.aeron.ErrorCode;
import io.aeron.driver.NetworkPublication;
import io.aeron.driver.exceptions.InvalidChannelException;
import io.aeron.driver.media.UdpChannel;
import io.aeron.exceptions.ControlProtocolException;
import io.millrace.efa.EfaConfiguration;
import io.millrace.efa.ProtocolChoice;
import org.agrona.concurrent.status.CountersReader;

import java.util.regex.Pattern;

/**
 * Reads the {@code fabric} parameter of a channel.
 */
final class FabricRequirement
{
    private static final Pattern REQUIRED = Pattern.compile(
        "[?|]" + EfaConfiguration.FABRIC_PARAM_NAME + "=" + EfaConfiguration.FABRIC_REQUIRED + "(?=[| ]|$)");

    private FabricRequirement()
    {
    }

    /**
     * Does a publication ask for rails? Publications share the endpoint of their channel and remember the URI of the
     * first of them; the URI of each stands in the labels of its counters. Where it does not fit one, that of the first
     * counts as well.
     *
     * @param publication of the channel.
     * @param counters    of the media driver.
     * @return true for {@code fabric=required}.
     */
    static boolean isRequired(final NetworkPublication publication, final CountersReader counters)
    {
        final int counterId = counters.findByTypeIdAndRegistrationId(
            AeronCounters.DRIVER_SENDER_LIMIT_TYPE_ID, publication.subscribableRegistrationId());
        final String label = counterId >= 0 ? counters.getCounterLabel(counterId) : "";
        return REQUIRED.matcher(label).find() ||
            (counterId < 0 || label.length() >= CountersReader.MAX_LABEL_LENGTH) &&
            REQUIRED.matcher(publication.channel()).find();
    }

    /**
     * Can the channel have what it asks for?
     *
     * @param udpChannel with the parameter, or without.
     * @param choice     of the driver.
     * @throws ControlProtocolException which the client sees, for another value or when the driver has no rails.
     */
    static void check(final UdpChannel udpChannel, final ProtocolChoice choice)
    {
        final String value = udpChannel.channelUri().get(EfaConfiguration.FABRIC_PARAM_NAME);
        if (null == value)
        {
            return;
        }

        if (!EfaConfiguration.FABRIC_REQUIRED.equals(value))
        {
            throw new InvalidChannelException(EfaConfiguration.FABRIC_PARAM_NAME + "=" + value + " of " +
                udpChannel.originalUriString() + ": the only value is " + EfaConfiguration.FABRIC_REQUIRED);
        }

        if (!choice.isFabric() || udpChannel.isMulticast())
        {
            throw new ControlProtocolException(
                ErrorCode.INVALID_CHANNEL, EfaConfiguration.FABRIC_PARAM_NAME + "=" + value + " of " +
                udpChannel.originalUriString() + " cannot be met, as " + (udpChannel.isMulticast() ?
                "multicast has no rails" : "this driver is on protocol udp: " + choice.reason()));
        }
    }
}
