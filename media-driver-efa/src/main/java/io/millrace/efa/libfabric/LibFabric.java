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

import com.sun.jna.Library;
import com.sun.jna.Native;

import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The process's libfabric.
 */
public final class LibFabric
{
    /** System property: file, or directory with {@code libfabric.so.1}, to load instead of the usual places. */
    public static final String PATH_PROP_NAME = "millrace.libfabric.path";

    /**
     * Environment variable for the same, looked at when the property is not set.
     */
    public static final String PATH_ENV_NAME = "MILLRACE_LIBFABRIC_PATH";

    /** Oldest version that works, as {@link FabricFlags#version(int, int)}. */
    public static final int MIN_VERSION = FabricFlags.version(1, 17);

    /** Newest behaviour that this binding was written for; later libraries behave like it when asked to. */
    private static final int MAX_API_VERSION = FabricFlags.version(2, 6);
    private static final int FIRST_WITH_EFA_ABORTS = FabricFlags.version(2, 0);
    private static final String FILE_NAME = "libfabric.so.1";
    private static final List<String> DIRECTORIES = List.of("/opt/amazon/efa/lib64", "/opt/amazon/efa/lib");
    private static final int RTLD_NOW = 2;
    private static final String REMEDY = "install libfabric 1.17 or later (package libfabric1 on Debian and Ubuntu, " +
        "libfabric on Red Hat, or AWS's EFA installer) or set " + PATH_PROP_NAME;

    private static LibFabric instance;
    private static FabricUnavailableException failure;

    private final FabricApi api;
    private final int version;
    private final String path;
    private final NicFinder nicFinder;
    private final EndpointOpener endpointOpener;

    private LibFabric(final FabricApi api, final int version)
    {
        this.api = api;
        this.version = version;
        path = loadedPath();
        nicFinder = new NicFinder(api, Math.min(version, MAX_API_VERSION));
        endpointOpener = new EndpointOpener(api);
    }

    /**
     * Load libfabric once; later calls return the same instance or fail with the same sentence.
     *
     * @return the process's libfabric.
     * @throws FabricUnavailableException with one sentence: missing, too old, or not 64-bit Linux.
     */
    public static synchronized LibFabric load()
    {
        if (null != failure)
        {
            throw new FabricUnavailableException(failure.getMessage(), failure);
        }
        if (null == instance)
        {
            try
            {
                instance = open();
            }
            catch (final FabricUnavailableException ex)
            {
                failure = ex;
                throw ex;
            }
            catch (final LinkageError ex)
            {
                // JNA's own library or native access itself: neither has to do with what is installed.
                failure = new FabricUnavailableException("libfabric cannot be called, JNA or native access fails (" +
                    rootCause(ex) + "): allow execution in java.io.tmpdir or set jna.tmpdir, and pass " +
                    "--enable-native-access=ALL-UNNAMED", ex);
                throw failure;
            }
        }
        return instance;
    }

    /**
     * Whether {@link #load()} succeeds.
     *
     * @return true if it does.
     */
    public static boolean isAvailable()
    {
        return null == unavailabilityCause();
    }

    /**
     * Why {@link #load()} fails.
     *
     * @return one sentence, or null if it succeeds.
     */
    public static String unavailabilityCause()
    {
        try
        {
            load();
            return null;
        }
        catch (final FabricUnavailableException ex)
        {
            return ex.getMessage();
        }
    }

    /**
     * Was it said which libfabric to use?
     *
     * @return true when {@link #PATH_PROP_NAME} or {@link #PATH_ENV_NAME} names a place.
     */
    public static boolean isNamed()
    {
        return null != namedPath();
    }

    /**
     * Version of the API that the library implements.
     *
     * @return {@code fi_version()}, see {@link FabricFlags#version(int, int)}.
     */
    public int version()
    {
        return version;
    }

    /**
     * Version as text.
     *
     * @return such as {@code 1.17}.
     */
    public String versionText()
    {
        return versionText(version);
    }

    /**
     * File of the library.
     *
     * @return path as the kernel has mapped it.
     */
    public String path()
    {
        return path;
    }

    /**
     * NICs of a provider that can carry messages and RMA.
     *
     * @param provider to ask for.
     * @return NICs, for tcp one for each interface with loopback last; empty if the provider or its devices are absent.
     */
    public List<FabricNic> nics(final FabricProvider provider)
    {
        return SignalGuard.guarded(() -> nicFinder.find(provider));
    }

    /**
     * Why {@link #nics(FabricProvider)} is empty.
     *
     * @param provider that is absent.
     * @return one sentence with the remedy.
     */
    public String absenceCause(final FabricProvider provider)
    {
        final String library = "libfabric " + versionText() + " at " + path;
        return switch (provider)
        {
            case EFA -> Files.isDirectory(Path.of("/sys/class/infiniband")) ?
                library + " finds no usable EFA device: compare with fi_info -p efa" :
                "this machine has no EFA device (/sys/class/infiniband is absent): attach an EFA interface";
            case SHM -> ShmRegionFile.hasSpace() ?
                library + " has no shm provider: install a build that has it" :
                "shm needs " + ShmRegionFile.NEEDED_BYTES + " free bytes in /dev/shm: free or enlarge it";
            case TCP -> library + " has neither a tcp nor a net provider: install a build that has one";
        };
    }

    /**
     * Open an endpoint with its own fabric, domain, queues and address vector.
     *
     * @param nic     of {@link #nics(FabricProvider)}.
     * @param options sizes.
     * @return endpoint, ready for operations.
     * @throws FabricException if a call fails; what was opened before it is closed.
     */
    public FabricEndpoint open(final FabricNic nic, final EndpointOptions options)
    {
        try
        {
            return endpointOpener.open(nic, options);
        }
        finally
        {
            Reference.reachabilityFence(nic);
        }
    }

    static synchronized String errorText(final int errno)
    {
        return null != instance ? instance.api.fi_strerror(errno) : "error " + errno;
    }

    private static String rootCause(final Throwable throwable)
    {
        Throwable cause = throwable;
        while (null != cause.getCause())
        {
            cause = cause.getCause();
        }
        return String.valueOf(cause).lines().findFirst().orElse("");
    }

    private static LibFabric open()
    {
        final String platform = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        if (!platform.equals("Linux amd64") && !platform.equals("Linux aarch64"))
        {
            throw new FabricUnavailableException(
                "libfabric is used on Linux amd64 and aarch64 only, this is " + platform);
        }

        FabricEnvironment.prepare();
        final FabricApi api = SignalGuard.guarded(LibFabric::loadFirst);
        final int version = api.fi_version();
        if (version < MIN_VERSION)
        {
            throw new FabricUnavailableException(
                "libfabric " + versionText(version) + " at " + loadedPath() + " is too old: " + REMEDY);
        }
        final String hazard =
            version < FIRST_WITH_EFA_ABORTS ? null : FabricEnvironment.hazard(LibC.INSTANCE::getenv);
        if (null != hazard)
        {
            throw new FabricUnavailableException(hazard);
        }
        return new LibFabric(api, version);
    }

    private static FabricApi loadFirst()
    {
        final List<String> failures = new ArrayList<>();
        for (final String file : places())
        {
            try
            {
                final FabricApi api =
                    Native.load(file, FabricApi.class, Map.of(Library.OPTION_OPEN_FLAGS, RTLD_NOW));
                api.fi_version();
                return api;
            }
            catch (final UnsatisfiedLinkError ex)
            {
                // JNA appends what each of its own attempts said, the first line is the loader's.
                failures.add(file + ": " + ex.getMessage().lines().findFirst().orElse("").trim());
            }
        }
        throw new FabricUnavailableException("libfabric cannot be loaded (" + String.join("; ", failures) + "): " +
            REMEDY);
    }

    private static String namedPath()
    {
        final String property = System.getProperty(PATH_PROP_NAME);
        final String path = null != property ? property : System.getenv(PATH_ENV_NAME);
        return null == path || path.isBlank() ? null : path;
    }

    private static List<String> places()
    {
        final String property = namedPath();
        if (null != property)
        {
            final Path path = Path.of(property);
            final Path file = Files.isDirectory(path) ? path.resolve(FILE_NAME) : path;
            if (!Files.isRegularFile(file))
            {
                throw new FabricUnavailableException("libfabric is not at " + file + ", which " + PATH_PROP_NAME +
                    "=" + property + " names: correct or remove the property, or the variable " + PATH_ENV_NAME);
            }
            return List.of(file.toAbsolutePath().toString());
        }

        final List<String> places = new ArrayList<>();
        for (final String directory : DIRECTORIES)
        {
            final Path file = Path.of(directory, FILE_NAME);
            if (Files.isRegularFile(file))
            {
                places.add(file.toString());
            }
        }
        places.add(FILE_NAME);
        return places;
    }

    private static String loadedPath()
    {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps")))
        {
            return lines
                .filter((line) -> line.contains("/libfabric.so"))
                .map((line) -> line.substring(line.indexOf('/')))
                .findFirst()
                .orElse(FILE_NAME);
        }
        catch (final IOException ex)
        {
            return FILE_NAME;
        }
    }

    private static String versionText(final int version)
    {
        return (version >>> 16) + "." + (version & 0xFFFF);
    }
}
