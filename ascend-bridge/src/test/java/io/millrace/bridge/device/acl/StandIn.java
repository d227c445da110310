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

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import org.junit.jupiter.api.Assumptions;

/**
 * The stand-in library: compiled once per process, scripted through its own functions.
 */
public final class StandIn
{
    /**
     * Symbols that the library has.
     */
    public enum Symbols
    {
        /**
         * All that the bridge looks for and the stand-in implements.
         */
        NEW,

        /**
         * Those of 2020.
         */
        OF_2020
    }

    private static final long COMPILE_TIMEOUT_S = 60;
    private static final Map<Symbols, StandIn> INSTANCES = new EnumMap<>(Symbols.class);

    private final String path;
    private final NativeLibrary library;

    private StandIn(final String path)
    {
        this.path = path;
        library = NativeLibrary.getInstance(path);
    }

    /**
     * Compile and load, or skip the test when there is no compiler.
     *
     * @param symbols of it.
     * @return the library, with nothing scripted.
     */
    public static synchronized StandIn get(final Symbols symbols)
    {
        StandIn standIn = INSTANCES.get(symbols);
        if (null == standIn)
        {
            standIn = new StandIn(compile(symbols).toString());
            INSTANCES.put(symbols, standIn);
        }
        standIn.call("standin_reset");
        return standIn;
    }

    /**
     * Compile, or skip the test when there is no compiler.
     *
     * @param symbols of it.
     * @return path of the library.
     */
    public static Path compile(final Symbols symbols)
    {
        try (InputStream source = StandIn.class.getResourceAsStream("/standin/acl_standin.c"))
        {
            final Path directory = Files.createTempDirectory("millrace-standin");
            final Path code = directory.resolve("acl_standin.c");
            final Path path = directory.resolve("libascendcl.so");
            Files.copy(source, code);
            directory.toFile().deleteOnExit();
            code.toFile().deleteOnExit();
            path.toFile().deleteOnExit();
            final ProcessBuilder gcc = new ProcessBuilder("gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror",
                "-fPIC", "-shared", "-fvisibility=hidden", "-Wl,-Bsymbolic", "-pthread",
                Symbols.OF_2020 == symbols ? "-DSTANDIN_2020" : "-DSTANDIN_NEW", code.toString(),
                "-o", path.toString());
            final Process process = start(gcc.redirectErrorStream(true));
            final String output = new String(process.getInputStream().readAllBytes());
            if (!process.waitFor(COMPILE_TIMEOUT_S, TimeUnit.SECONDS) || 0 != process.exitValue())
            {
                process.destroyForcibly();
                throw new AssertionError("stand-in does not compile:\n" + output);
            }
            return path;
        }
        catch (final IOException | InterruptedException ex)
        {
            throw new AssertionError(ex);
        }
    }

    private static Process start(final ProcessBuilder gcc)
    {
        try
        {
            return gcc.start();
        }
        catch (final IOException ex)
        {
            Assumptions.assumeTrue(false, "gcc is needed to build the stand-in libascendcl: " + ex.getMessage());
            throw new AssertionError(ex);
        }
    }

    public String path()
    {
        return path;
    }

    /**
     * Settings of a device on this library.
     */
    public AclDevice.Context context(final int deviceId)
    {
        return new AclDevice.Context().libraryPath(path).deviceId(deviceId);
    }

    /**
     * After skip calls the next times calls of a function return code.
     */
    public void script(final String function, final long skip, final long times, final int code)
    {
        call("standin_script", function, skip, times, code);
    }

    public void hold(final boolean isHeld)
    {
        call("standin_hold", isHeld ? 1 : 0);
    }

    public void stick(final boolean isStuck)
    {
        call("standin_stick", isStuck ? 1 : 0);
    }

    public void delay(final long us)
    {
        call("standin_delay", us);
    }

    public void taskError(final long skip, final int code)
    {
        call("standin_task_error", skip, code);
    }

    public void partialBatch(final long copies, final int code)
    {
        call("standin_partial_batch", copies, code);
    }

    public void launchKernel(final long stream)
    {
        call("standin_launch", new Pointer(stream));
    }

    public void finishKernel()
    {
        call("standin_finish_kernel");
    }

    public long count(final String what)
    {
        return library.getFunction("standin_count").invokeLong(new Object[]{what});
    }

    public String layouts()
    {
        return library.getFunction("standin_layouts").invokeString(new Object[0], false);
    }

    /**
     * Call a function that returns int, or nothing.
     */
    public int call(final String function, final Object... arguments)
    {
        return library.getFunction(function).invokeInt(arguments);
    }

}
