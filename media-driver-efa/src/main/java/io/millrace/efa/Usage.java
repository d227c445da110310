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
package io.millrace.efa;

/**
 * What a person who starts the driver from its jar is told.
 */
final class Usage
{
    static final String TEXT = """
        Usage: java [-Dname=value ...] -jar millrace-media-driver-efa-VERSION-all.jar [file.properties ...]
        Runs a media driver until SIGTERM or SIGINT.

          -Daeron.dir=DIR                       directory of the driver; default: Aeron's, /dev/shm/aeron-USER
          -Dmillrace.efa.protocol=PROTOCOL      auto (default), efa, tcp, shm or udp
          -Dmillrace.libfabric.path=FILE        libfabric.so.1 to load
          -Daeron.threading.mode=MODE           DEDICATED (default), SHARED_NETWORK or SHARED
          -Daeron.dir.delete.on.shutdown=true   removes the directory at the end

        Takes all properties of Aeron's driver and of Millrace (docs/configuration.md), before -jar or in files, which
        win. `./millrace driver` removes the directory at the end, and prints its configuration with --print-config.
        """;

    private Usage()
    {
    }

    /**
     * Answers what is no name of a file.
     *
     * @param args of the driver.
     * @return null for nothing but files, else the status to end with.
     */
    static Integer answer(final String... args)
    {
        for (final String arg : args)
        {
            if ("-h".equals(arg) || "--help".equals(arg))
            {
                System.out.print(TEXT);
                return 0;
            }
            if (arg.startsWith("-"))
            {
                System.err.println("millrace: " + arg + " is no file of properties: options of the JVM, such as " +
                    "-Dname=value, go before -jar; --help tells more");
                return 2;
            }
        }
        return null;
    }
}
