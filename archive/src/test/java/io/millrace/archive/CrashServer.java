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

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

import io.aeron.driver.MediaDriver;

/**
 * A process with a media driver, or with an archive on one, that serves until it is killed.
 */
final class CrashServer
{
    private static final long LIVENESS_NS = TimeUnit.SECONDS.toNanos(3);

    private CrashServer()
    {
    }

    /**
     * Serve.
     *
     * @param args what to be, directory of the driver, directory of the recordings.
     */
    public static void main(final String[] args) throws Exception
    {
        final AutoCloseable server = "DRIVER".equals(args[0]) ?
            MediaDriver.launch(Rig.driverContext()
                .aeronDirectoryName(args[1])
                .clientLivenessTimeoutNs(LIVENESS_NS)) :
            MillraceArchive.attach(args[1], Rig.archiveContext(Path.of(args[2]).toFile()));
        System.out.println("ready");
        ChildJvm.heard().take();
        server.close();
    }
}
