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

import com.sun.jna.LastErrorException;
import com.sun.jna.Library;
import com.sun.jna.Native;

/**
 * The few calls of libc the binding needs.
 */
interface LibC extends Library
{
    /** The one instance. */
    LibC INSTANCE = Native.load("c", LibC.class);

    int PROT_READ_WRITE = 3;
    int MAP_SHARED = 0x01;
    int MAP_PRIVATE_ANONYMOUS = 0x22;
    int MAP_FIXED = 0x10;
    int MAP_NORESERVE = 0x4000;
    long MAP_FAILED = -1L;
    int O_RDWR_CLOEXEC = 0x80002;
    int MREMAP_MAYMOVE = 1;
    int ESRCH = 3;

    int setenv(String name, String value, int overwrite);

    String getenv(String name);

    long strdup(String text);

    int sigaction(int signal, long newAction, long oldAction);

    int dladdr(long address, long infoOut);

    int geteuid();

    int getrlimit(int resource, long limitsOut);

    long mmap(long address, long length, int protection, int flags, int fd, long offset) throws LastErrorException;

    int getpagesize();

    int munmap(long address, long length);

    int open(String path, int flags);

    int posix_fallocate(int fd, long offset, long length);

    int close(int fd);

    long mremap(long address, long length, long newLength, int flags) throws LastErrorException;

    int kill(int pid, int signal) throws LastErrorException;

    int pthread_spin_trylock(long lock);

    int pthread_spin_unlock(long lock);
}
