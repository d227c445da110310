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

import java.io.File;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;

/**
 * The one libascendcl of a process: found, opened, probed and initialised once, counted by the devices that use it.
 */
final class AclLibrary
{
    private static final String NAME = "libascendcl.so";
    private static final int SCRATCH_BYTES = 64;
    private static final ThreadLocal<Memory> SCRATCH = ThreadLocal.withInitial(() -> new Memory(SCRATCH_BYTES));
    private static final Map<String, AclLibrary> OPENED = new HashMap<>();
    private static AclLibrary current;

    private final String path;
    private final NativeLibrary library;
    private final Map<AclFeature, Function> functions = new EnumMap<>(AclFeature.class);
    private final Map<Integer, Integer> deviceUsers = new HashMap<>();
    private boolean isInitialized;
    private boolean isInitializedHere;
    private int users;

    private AclLibrary(final String path, final NativeLibrary library)
    {
        this.path = path;
        this.library = library;
        for (final AclFeature feature : AclFeature.values())
        {
            final Function first = function(feature.symbols()[0]);
            boolean isThere = null != first;
            for (final String symbol : feature.symbols())
            {
                isThere &= null != function(symbol);
            }
            if (isThere)
            {
                functions.put(feature, first);
            }
        }
    }

    /**
     * Open, or use what is open.
     *
     * @param wanted     path or name of the library; null to look where CANN is installed.
     * @param configPath for aclInit, null for none.
     */
    static synchronized AclLibrary open(final String wanted, final String configPath)
    {
        final AclLibrary library = find(wanted);
        if (library != current)
        {
            if (null != current && current.users > 0)
            {
                throw new IllegalStateException("this process uses " + current.path + " and cannot use " +
                    library.path + " as well: close the devices of the one before");
            }
            library.bind();
            current = library;
        }
        library.initialize(configPath);
        library.users++;
        return library;
    }

    /**
     * A device closes.
     *
     * @param isFinal finalise when it was the last one and ACL was initialised here.
     */
    void release(final boolean isFinal)
    {
        synchronized (AclLibrary.class)
        {
            if (0 == --users && isFinal && isInitializedHere)
            {
                isInitialized = false;
                isInitializedHere = false;
                final Function counted = functions.get(AclFeature.COUNTED_FINALIZE);
                check("aclFinalize", null == counted ? AclCalls.aclFinalize() :
                    counted.invokeInt(new Object[]{Pointer.NULL}), path);
            }
        }
    }

    /**
     * Use a device on the calling thread. Whether the library counts these calls depends on its version: it sees one
     * reset after the last user of the device, and none when a framework had initialised ACL.
     */
    synchronized void setDevice(final int deviceId, final String deviceName)
    {
        check("aclrtSetDevice", AclCalls.aclrtSetDevice(deviceId), deviceName);
        deviceUsers.merge(deviceId, 1, Integer::sum);
    }

    synchronized void resetDevice(final int deviceId, final String deviceName)
    {
        if (isInitializedHere && 0 == deviceUsers.merge(deviceId, -1, Integer::sum))
        {
            check("aclrtResetDevice", AclCalls.aclrtResetDevice(deviceId), deviceName);
        }
    }

    String path()
    {
        return path;
    }

    boolean isInitializedHere()
    {
        return isInitializedHere;
    }

    boolean has(final AclFeature feature)
    {
        return functions.containsKey(feature);
    }

    Set<AclFeature> features()
    {
        final EnumSet<AclFeature> features = EnumSet.noneOf(AclFeature.class);
        features.addAll(functions.keySet());
        return Collections.unmodifiableSet(features);
    }

    /**
     * Call an optional function that is there.
     */
    int call(final AclFeature feature, final Object... arguments)
    {
        return functions.get(feature).invokeInt(arguments);
    }

    /**
     * Call a function of a feature by its name.
     */
    int call(final String name, final Object... arguments)
    {
        return function(name).invokeInt(arguments);
    }

    /**
     * Memory of the calling thread for out-parameters.
     */
    static Memory scratch()
    {
        return SCRATCH.get();
    }

    static long address(final Memory memory)
    {
        return Pointer.nativeValue(memory);
    }

    void check(final String call, final int code, final String device)
    {
        if (AclError.SUCCESS != code)
        {
            throw error(call, code, device);
        }
    }

    /**
     * The error of a call that has just failed on this thread: the library keeps the text for the thread's last call.
     */
    AclException error(final String call, final int code, final String device)
    {
        return new AclException(call, device, code, text(AclFeature.ERROR_TEXT));
    }

    String socName()
    {
        final String name = text(AclFeature.SOC_NAME);
        return null == name ? "unknown" : name;
    }

    String version()
    {
        if (!has(AclFeature.VERSION))
        {
            return "unknown";
        }
        final Memory out = scratch();
        final int code = call(AclFeature.VERSION, out, out.share(Integer.BYTES), out.share(2 * Integer.BYTES));
        return AclError.SUCCESS != code ? "unknown" :
            out.getInt(0) + "." + out.getInt(Integer.BYTES) + "." + out.getInt(2 * Integer.BYTES);
    }

    /**
     * Ask for an event.
     *
     * @return 1 when it is reached, 0 when not, the negative of the code when asking failed.
     */
    int queryEvent(final long event)
    {
        final Memory out = scratch();
        final boolean isNew = has(AclFeature.EVENT_STATUS);
        final int code = isNew ? AclCalls.EventStatus.aclrtQueryEventStatus(event, address(out)) :
            AclCalls.Event.aclrtQueryEvent(event, address(out));
        return AclError.SUCCESS != code ? -code :
            (isNew ? AclAbi.RECORDED_COMPLETE : AclAbi.EVENT_COMPLETE) == out.getInt(0) ? 1 : 0;
    }

    private String text(final AclFeature feature)
    {
        final Function function = functions.get(feature);
        final Pointer text = null == function ? null : function.invokePointer(new Object[0]);
        return null == text ? null : text.getString(0);
    }

    private Function function(final String name)
    {
        try
        {
            return library.getFunction(name);
        }
        catch (final UnsatisfiedLinkError ex)
        {
            return null;
        }
    }

    private void initialize(final String configPath)
    {
        if (isInitialized)
        {
            return;
        }
        final int code = null == configPath ? AclCalls.aclInit(0) : initializeFrom(configPath);
        isInitializedHere = AclError.SUCCESS == code;
        if (AclError.REPEAT_INITIALIZE != code && AclError.REPEATED_INIT != code)
        {
            check("aclInit", code, path);
        }
        isInitialized = true;
    }

    private static int initializeFrom(final String configPath)
    {
        try (Memory text = new Memory(configPath.length() * 4L + 1))
        {
            text.setString(0, configPath);
            return AclCalls.aclInit(address(text));
        }
    }

    private void bind()
    {
        final List<String> missing = new ArrayList<>();
        for (final Method method : AclCalls.class.getDeclaredMethods())
        {
            if (Modifier.isNative(method.getModifiers()) && null == function(method.getName()))
            {
                missing.add(method.getName());
            }
        }
        if (!has(AclFeature.EVENT_STATUS) && null == function("aclrtQueryEvent"))
        {
            missing.add("aclrtQueryEvent");
        }
        if (!missing.isEmpty())
        {
            throw new IllegalStateException(path + " lacks " + missing + ", which each libascendcl since 2020 has: " +
                "set " + AclDevice.Context.LIBRARY_PROP_NAME + " to another one");
        }

        register(AclCalls.class, true);
        register(AclCalls.EventStatus.class, has(AclFeature.EVENT_STATUS));
        register(AclCalls.Event.class, !has(AclFeature.EVENT_STATUS));
        register(AclCalls.Batch.class, has(AclFeature.BATCH_COPY_ASYNC));
    }

    private void register(final Class<?> calls, final boolean isThere)
    {
        if (Native.registered(calls))
        {
            Native.unregister(calls);
        }
        if (isThere)
        {
            Native.register(calls, library);
        }
    }

    private static AclLibrary find(final String wanted)
    {
        if (8 != Native.POINTER_SIZE || 8 != Native.SIZE_T_SIZE)
        {
            throw new IllegalStateException("libascendcl is bound for 64-bit Linux, this process has pointers of " +
                Native.POINTER_SIZE + " and size_t of " + Native.SIZE_T_SIZE + " bytes");
        }

        final StringBuilder tried = new StringBuilder();
        for (final String candidate : null == wanted ? candidates() : List.of(wanted))
        {
            final AclLibrary opened = OPENED.get(candidate);
            if (null != opened)
            {
                return opened;
            }
            if (candidate.indexOf('/') >= 0 && !new File(candidate).exists())
            {
                tried.append("\n  ").append(candidate).append(": no such file");
                continue;
            }
            try
            {
                final AclLibrary library = new AclLibrary(candidate, NativeLibrary.getInstance(candidate));
                OPENED.put(candidate, library);
                return library;
            }
            catch (final UnsatisfiedLinkError ex)
            {
                tried.append("\n  ").append(candidate).append(": ")
                    .append(ex.getMessage().lines().findFirst().orElse(""));
            }
        }
        throw new IllegalStateException("libascendcl was not found:" + tried +
            "\nInstall CANN and source its set_env.sh, or set " + AclDevice.Context.LIBRARY_PROP_NAME + " or " +
            AclDevice.Context.LIBRARY_ENV_NAME + " to the path of " + NAME + "; without an NPU use the device 'host'");
    }

    private static List<String> candidates()
    {
        final List<String> candidates = new ArrayList<>();
        for (final String variable : new String[]{"ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME"})
        {
            final String home = System.getenv(variable);
            if (null != home && !home.isBlank())
            {
                candidates.add(home + "/lib64/" + NAME);
            }
        }
        final String arch = "amd64".equals(System.getProperty("os.arch")) ? "x86_64" : System.getProperty("os.arch");
        candidates.add("/usr/local/Ascend/ascend-toolkit/latest/lib64/" + NAME);
        candidates.add("/usr/local/Ascend/ascend-toolkit/latest/" + arch + "-linux/lib64/" + NAME);
        candidates.add("/usr/local/Ascend/nnrt/latest/lib64/" + NAME);
        candidates.add(NAME);
        return candidates;
    }
}
