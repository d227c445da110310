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

import java.util.EnumSet;
import java.util.Set;

/**
 * What was found when a device was opened.
 *
 * @param device            such as {@code acl:0}.
 * @param physicalId        physical id of the device, the logical one where the library does not tell.
 * @param socName           name of the chip, or {@code unknown}.
 * @param version           of the interface, or {@code unknown}.
 * @param libraryPath       that was loaded.
 * @param isInitializedHere false when a framework had initialised ACL before: it is left alone at close.
 * @param features          that this library has.
 */
public record AclInfo(
    String device,
    int physicalId,
    String socName,
    String version,
    String libraryPath,
    boolean isInitializedHere,
    Set<AclFeature> features)
{
    /**
     * In one line.
     *
     * @return for a log.
     */
    public String toString()
    {
        final Set<AclFeature> missing = EnumSet.allOf(AclFeature.class);
        missing.removeAll(features);
        return device + " is " + socName + ", physical id " + physicalId + ", ACL " + version + " from " + libraryPath +
            ", initialised " + (isInitializedHere ? "here" : "by others") + "; has " + features +
            (missing.isEmpty() ? "" : ", lacks " + missing);
    }
}
