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
/*
 * Stand-in for libascendcl, written from the documented facts of its C interface. It lets tests run the whole binding
 * without an NPU. Differences that matter: no speed, and all faults are scripted through the standin_ functions.
 * Compiled with -DSTANDIN_2020 it has the symbols of 2020 only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define API __attribute__((visibility("default")))

typedef int aclError;
typedef void *aclrtStream, *aclrtEvent, *aclrtContext, *aclrtDrvMemHandle;

enum aclrtMemcpyKind { HOST_TO_HOST, HOST_TO_DEVICE, DEVICE_TO_HOST, DEVICE_TO_DEVICE, KIND_DEFAULT };
enum aclrtMemLocationType { LOCATION_HOST, LOCATION_DEVICE, LOCATION_UNREGISTERED, LOCATION_MANAGED, LOCATION_HOST_NUMA };
enum aclrtMemMallocPolicy { MALLOC_HUGE_FIRST };
enum aclrtEventRecordedStatus { RECORDED_NOT_READY, RECORDED_COMPLETE };
enum aclrtEventStatus { EVENT_COMPLETE, EVENT_NOT_READY };

typedef struct { uint32_t id; enum aclrtMemLocationType type; } aclrtMemLocation;
typedef struct { aclrtMemLocation location; uint32_t pageSize; uint32_t rsv[4]; } aclrtPtrAttributes;
typedef struct { aclrtMemLocation dstLoc; aclrtMemLocation srcLoc; uint8_t rsv[16]; } aclrtMemcpyBatchAttr;

enum
{
    SUCCESS = 0, UNINITIALIZE = 100001, REPEAT_INITIALIZE = 100002, REPEAT_FINALIZE = 100037, PARAM_INVALID = 107000,
    INVALID_DEVICEID = 107001, CONTEXT_NULL = 107002, STREAM_CONTEXT = 107003, INVALID_HANDLE = 107017,
    STREAM_ABORT = 107023, MEMORY_ALLOCATION = 207001, FEATURE_NOT_SUPPORT = 207000,
    HOST_MEMORY_NOT_REGISTERED = 507911, STREAM_SYNC_TIMEOUT = 507046
};

#define MAX_DEVICES 16
#define MAX_SCRIPTS 64
#define MAX_RANGES 65536
#define MAX_BATCH 4096
#define IPC_KEY_LENGTH 65
#define PINNED 0x10000000u

/* ---- state, under one lock; one condition for every change -------------------------------------------------- */

struct context { int device; };

struct range
{
    char *address;
    size_t length;
    char *backing;
    int device;             /* -1: host memory */
    int fd;
    char key[IPC_KEY_LENGTH];
};

struct event { uint64_t recorded; uint64_t done; int error; };

enum task_kind { COPY, RECORD, WAIT, KERNEL };

struct task
{
    struct task *next;
    enum task_kind kind;
    struct event *event;
    uint64_t generation;
    size_t count;
    struct { char *dst; const char *src; size_t length; } copies[];
};

struct stream
{
    struct context *context;
    struct task *head, *tail;
    int busy, aborted, closing, error;
    pthread_t thread;
};

struct script { char call[64]; long skip; long times; int code; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct context defaults[MAX_DEVICES];
static struct range ranges[MAX_RANGES];
static struct script scripts[MAX_SCRIPTS];
static size_t range_count;
static int script_count, initialized, set_count[MAX_DEVICES], live_streams, live_events, stuck_count;
static uint32_t device_count = 4;
static int held, stuck, task_error;
static long task_error_skip, copy_delay_us, kernels_allowed, tasks_done, batch_calls, single_calls, wait_calls;
static long batch_stop = -1;
static int batch_code;
static __thread struct context *current;
static __thread char message[512];

static int fail(int code, const char *call, const char *detail)
{
    snprintf(message, sizeof message, "EE9999: %s: %s", call, detail);
    return code;
}

static int scripted(const char *call)
{
    for (int i = 0; i < script_count; i++)
    {
        struct script *s = &scripts[i];
        if (0 == strcmp(s->call, call) && s->times > 0)
        {
            if (s->skip > 0)
            {
                s->skip--;
                continue;
            }
            s->times--;
            return s->code;
        }
    }
    return 0;
}

#define ENTER(call) \
    do { \
        pthread_mutex_lock(&lock); \
        const int code_ = scripted(#call); \
        if (code_) { pthread_mutex_unlock(&lock); return fail(code_, #call, "scripted"); } \
    } while (0)
#define LEAVE(result) do { const int result_ = (result); pthread_mutex_unlock(&lock); return result_; } while (0)
#define REFUSE(call, code, detail) do { pthread_mutex_unlock(&lock); return fail(code, #call, detail); } while (0)
#define NEED_CONTEXT(call) do { if (!current) REFUSE(call, CONTEXT_NULL, "the thread has no context"); } while (0)

static struct range *find(const void *address, size_t length)
{
    const char *a = address;
    for (size_t i = 0; i < range_count; i++)
    {
        struct range *r = &ranges[i];
        if (a >= r->address && a < r->address + r->length)
        {
            return length <= (size_t)(r->address + r->length - a) ? r : NULL;
        }
    }
    return NULL;
}

static int add_range(char *address, size_t length, char *backing, int device, int fd)
{
    if (MAX_RANGES == range_count)
    {
        return 0;
    }
    ranges[range_count++] = (struct range){address, length, backing, device, fd, ""};
    return 1;
}

static void remove_range(struct range *r)
{
    *r = ranges[--range_count];
}

/* ---- streams ------------------------------------------------------------------------------------------------ */

static void nap(long us)
{
    const struct timespec t = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&t, NULL);
}

static void run_copies(struct task *t)
{
    if (copy_delay_us > 0)
    {
        pthread_mutex_unlock(&lock);
        nap(copy_delay_us);
        pthread_mutex_lock(&lock);
    }
    for (size_t i = 0; i < t->count; i++)
    {
        memcpy(t->copies[i].dst, t->copies[i].src, t->copies[i].length);
    }
}

static int runnable(struct stream *s, struct task *t)
{
    switch (t->kind)
    {
        case COPY: return !held || s->closing;
        case WAIT: return t->event->done >= t->generation || s->closing;
        case KERNEL: return kernels_allowed > 0 || s->closing;
        default: return 1;
    }
}

static void *serve(void *argument)
{
    struct stream *s = argument;
    pthread_mutex_lock(&lock);
    for (;;)
    {
        while (!(s->closing && !s->head) && (!s->head || !runnable(s, s->head)))
        {
            pthread_cond_wait(&changed, &lock);
        }
        struct task *t = s->head;
        if (!t)
        {
            break;
        }
        s->head = t->next;
        s->tail = s->head ? s->tail : NULL;
        s->busy = 1;
        stuck_count++;
        while (stuck && COPY == t->kind)
        {
            pthread_cond_wait(&changed, &lock);
        }
        stuck_count--;
        if (COPY == t->kind && !s->error)
        {
            tasks_done++;
            if (task_error && 0 == task_error_skip--)
            {
                s->error = task_error;
                task_error = 0;
            }
            else
            {
                run_copies(t);
            }
        }
        else if (KERNEL == t->kind)
        {
            kernels_allowed--;
        }
        else if (RECORD == t->kind)
        {
            t->event->error = s->error;
            t->event->done = s->error ? t->event->done : t->generation;
        }
        s->busy = 0;
        free(t);
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
    return NULL;
}

static struct task *push(struct stream *s, enum task_kind kind, size_t count)
{
    struct task *t = calloc(1, sizeof *t + count * sizeof t->copies[0]);
    t->kind = kind;
    t->count = count;
    if (s->tail)
    {
        s->tail->next = t;
    }
    else
    {
        s->head = t;
    }
    s->tail = t;
    return t;
}

static int usable(const struct stream *s)
{
    return NULL == s ? INVALID_HANDLE : s->context != current ? STREAM_CONTEXT : s->aborted ? STREAM_ABORT : SUCCESS;
}

static int wait_idle(struct stream *s, long timeout_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += timeout_ms / 1000;
    end.tv_nsec += timeout_ms % 1000 * 1000000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    while (s->head || s->busy)
    {
        if (timeout_ms < 0)
        {
            pthread_cond_wait(&changed, &lock);
        }
        else if (ETIMEDOUT == pthread_cond_timedwait(&changed, &lock, &end))
        {
            return STREAM_SYNC_TIMEOUT;
        }
    }
    return s->aborted ? STREAM_ABORT : s->error;
}

/* Addresses as the copy engine sees them; NULL when the direction does not fit the memory. */
static char *resolve(const void *address, size_t length, int isDevice, int mustBePinned)
{
    struct range *r = find(address, length);
    if (isDevice)
    {
        return r && r->device == current->device ? r->backing + ((const char *)address - r->address) : NULL;
    }
    return (r && r->device >= 0) || (!r && mustBePinned) ? NULL : (char *)address;
}

static int is_device(int kind, int isDestination)
{
    return isDestination ? HOST_TO_DEVICE == kind || DEVICE_TO_DEVICE == kind :
        DEVICE_TO_HOST == kind || DEVICE_TO_DEVICE == kind;
}

/* ---- the interface of 2020 ---------------------------------------------------------------------------------- */

API aclError aclInit(const char *configPath)
{
    (void)configPath;
    ENTER(aclInit);
    if (initialized++)
    {
        initialized = 1;
        REFUSE(aclInit, REPEAT_INITIALIZE, "initialized before");
    }
    LEAVE(SUCCESS);
}

API aclError aclFinalize(void)
{
    ENTER(aclFinalize);
    if (!initialized)
    {
        REFUSE(aclFinalize, REPEAT_FINALIZE, "not initialized");
    }
    initialized = 0;
    LEAVE(SUCCESS);
}

API aclError aclrtGetDeviceCount(uint32_t *count)
{
    ENTER(aclrtGetDeviceCount);
    *count = device_count;
    LEAVE(SUCCESS);
}

API aclError aclrtSetDevice(int32_t device)
{
    ENTER(aclrtSetDevice);
    if (!initialized)
    {
        REFUSE(aclrtSetDevice, UNINITIALIZE, "aclInit was not called");
    }
    if (device < 0 || (uint32_t)device >= device_count)
    {
        REFUSE(aclrtSetDevice, INVALID_DEVICEID, "no such device");
    }
    set_count[device]++;
    defaults[device].device = device;
    current = &defaults[device];
    LEAVE(SUCCESS);
}

API aclError aclrtResetDevice(int32_t device)
{
    ENTER(aclrtResetDevice);
    if (device < 0 || (uint32_t)device >= device_count || 0 == set_count[device])
    {
        REFUSE(aclrtResetDevice, INVALID_DEVICEID, "device is not set");
    }
    set_count[device]--;
    LEAVE(SUCCESS);
}

API aclError aclrtGetDevice(int32_t *device)
{
    ENTER(aclrtGetDevice);
    NEED_CONTEXT(aclrtGetDevice);
    *device = current->device;
    LEAVE(SUCCESS);
}

API aclError aclrtCreateContext(aclrtContext *context, int32_t device)
{
    ENTER(aclrtCreateContext);
    struct context *c = calloc(1, sizeof *c);
    c->device = device;
    *context = current = c;
    LEAVE(SUCCESS);
}

API aclError aclrtDestroyContext(aclrtContext context)
{
    ENTER(aclrtDestroyContext);
    current = current == context ? NULL : current;
    free(context);
    LEAVE(SUCCESS);
}

API aclError aclrtSetCurrentContext(aclrtContext context)
{
    ENTER(aclrtSetCurrentContext);
    if (!context)
    {
        REFUSE(aclrtSetCurrentContext, CONTEXT_NULL, "context is null");
    }
    current = context;
    LEAVE(SUCCESS);
}

API aclError aclrtGetCurrentContext(aclrtContext *context)
{
    ENTER(aclrtGetCurrentContext);
    NEED_CONTEXT(aclrtGetCurrentContext);
    *context = current;
    LEAVE(SUCCESS);
}

static int map_device(void **address, size_t length, int fd)
{
    char *backing = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    /* The address that users see can be neither read nor written: a slip of the host faults. */
    char *fake = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (MAP_FAILED == backing || MAP_FAILED == fake || !add_range(fake, length, backing, current->device, fd))
    {
        return MEMORY_ALLOCATION;
    }
    *address = fake;
    return SUCCESS;
}

API aclError aclrtMalloc(void **address, size_t size, enum aclrtMemMallocPolicy policy)
{
    (void)policy;
    ENTER(aclrtMalloc);
    NEED_CONTEXT(aclrtMalloc);
    const int fd = memfd_create("standin", MFD_CLOEXEC);
    if (0 == size || fd < 0 || ftruncate(fd, (off_t)size) || map_device(address, size, fd))
    {
        REFUSE(aclrtMalloc, MEMORY_ALLOCATION, "no memory");
    }
    LEAVE(SUCCESS);
}

API aclError aclrtFree(void *address)
{
    ENTER(aclrtFree);
    NEED_CONTEXT(aclrtFree);
    struct range *r = find(address, 1);
    if (!r || r->address != address || r->device < 0)
    {
        REFUSE(aclrtFree, PARAM_INVALID, "not an allocation");
    }
    munmap(r->backing, r->length);
    munmap(r->address, r->length);
    close(r->fd);
    remove_range(r);
    LEAVE(SUCCESS);
}

API aclError aclrtMallocHost(void **address, size_t size)
{
    ENTER(aclrtMallocHost);
    NEED_CONTEXT(aclrtMallocHost);
    void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!memory || !add_range(memory, size, memory, -1, -1))
    {
        REFUSE(aclrtMallocHost, MEMORY_ALLOCATION, "no memory");
    }
    memset(memory, 0xA5, size);
    *address = memory;
    LEAVE(SUCCESS);
}

API aclError aclrtFreeHost(void *address)
{
    ENTER(aclrtFreeHost);
    struct range *r = find(address, 1);
    if (!r || r->address != address || r->device >= 0)
    {
        REFUSE(aclrtFreeHost, PARAM_INVALID, "not an allocation");
    }
    remove_range(r);
    free(address);
    LEAVE(SUCCESS);
}

API aclError aclrtMemcpy(void *dst, size_t destMax, const void *src, size_t count, enum aclrtMemcpyKind kind)
{
    ENTER(aclrtMemcpy);
    NEED_CONTEXT(aclrtMemcpy);
    char *to = resolve(dst, count, is_device(kind, 1), 0);
    const char *from = resolve(src, count, is_device(kind, 0), 0);
    if (count > destMax || !to || !from)
    {
        REFUSE(aclrtMemcpy, PARAM_INVALID, "range is not memory of that kind on this device");
    }
    memcpy(to, from, count);
    LEAVE(SUCCESS);
}

API aclError aclrtMemcpyAsync(
    void *dst, size_t destMax, const void *src, size_t count, enum aclrtMemcpyKind kind, aclrtStream stream)
{
    ENTER(aclrtMemcpyAsync);
    NEED_CONTEXT(aclrtMemcpyAsync);
    const int code = usable(stream);
    if (code)
    {
        REFUSE(aclrtMemcpyAsync, code, "stream cannot be used here");
    }
    if (HOST_TO_HOST == kind)
    {
        REFUSE(aclrtMemcpyAsync, FEATURE_NOT_SUPPORT, "host to host");
    }
    char *to = resolve(dst, count, is_device(kind, 1), 1);
    const char *from = resolve(src, count, is_device(kind, 0), 1);
    if (count > destMax || !to || !from)
    {
        REFUSE(aclrtMemcpyAsync, PARAM_INVALID, "range is not pinned or device memory of that kind");
    }
    struct task *t = push(stream, COPY, 1);
    t->copies[0].dst = to;
    t->copies[0].src = from;
    t->copies[0].length = count;
    single_calls++;
    pthread_cond_broadcast(&changed);
    LEAVE(SUCCESS);
}

API aclError aclrtCreateStream(aclrtStream *stream)
{
    ENTER(aclrtCreateStream);
    NEED_CONTEXT(aclrtCreateStream);
    struct stream *s = calloc(1, sizeof *s);
    s->context = current;
    live_streams++;
    pthread_create(&s->thread, NULL, serve, s);
    *stream = s;
    LEAVE(SUCCESS);
}

/* A scripted failure of these two destroys all the same, so that nothing is left over for the next test. */
API aclError aclrtDestroyStream(aclrtStream stream)
{
    pthread_mutex_lock(&lock);
    const int code = scripted("aclrtDestroyStream");
    struct stream *s = stream;
    s->closing = 1;
    live_streams--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    pthread_join(s->thread, NULL);
    free(s);
    return code ? fail(code, "aclrtDestroyStream", "scripted") : SUCCESS;
}

API aclError aclrtSynchronizeStream(aclrtStream stream)
{
    ENTER(aclrtSynchronizeStream);
    NEED_CONTEXT(aclrtSynchronizeStream);
    LEAVE(wait_idle(stream, -1));
}

API aclError aclrtStreamWaitEvent(aclrtStream stream, aclrtEvent event)
{
    ENTER(aclrtStreamWaitEvent);
    NEED_CONTEXT(aclrtStreamWaitEvent);
    struct event *e = event;
    const int code = usable(stream);
    if (code || !e)
    {
        REFUSE(aclrtStreamWaitEvent, code ? code : INVALID_HANDLE, "stream or event cannot be used here");
    }
    struct task *t = push(stream, WAIT, 0);
    t->event = e;
    t->generation = e->recorded;
    wait_calls++;
    pthread_cond_broadcast(&changed);
    LEAVE(SUCCESS);
}

API aclError aclrtCreateEvent(aclrtEvent *event)
{
    ENTER(aclrtCreateEvent);
    NEED_CONTEXT(aclrtCreateEvent);
    live_events++;
    *event = calloc(1, sizeof(struct event));
    LEAVE(SUCCESS);
}

API aclError aclrtDestroyEvent(aclrtEvent event)
{
    pthread_mutex_lock(&lock);
    const int code = scripted("aclrtDestroyEvent");
    live_events--;
    free(event);
    pthread_mutex_unlock(&lock);
    return code ? fail(code, "aclrtDestroyEvent", "scripted") : SUCCESS;
}

API aclError aclrtRecordEvent(aclrtEvent event, aclrtStream stream)
{
    ENTER(aclrtRecordEvent);
    NEED_CONTEXT(aclrtRecordEvent);
    const int code = usable(stream);
    if (code)
    {
        REFUSE(aclrtRecordEvent, code, "stream cannot be used here");
    }
    struct event *e = event;
    struct task *t = push(stream, RECORD, 0);
    e->error = 0;
    t->event = e;
    t->generation = ++e->recorded;
    pthread_cond_broadcast(&changed);
    LEAVE(SUCCESS);
}

API aclError aclrtQueryEvent(aclrtEvent event, enum aclrtEventStatus *status)
{
    ENTER(aclrtQueryEvent);
    NEED_CONTEXT(aclrtQueryEvent);
    const struct event *e = event;
    if (e->error)
    {
        REFUSE(aclrtQueryEvent, e->error, "a task before the event failed");
    }
    *status = e->done >= e->recorded && e->recorded ? EVENT_COMPLETE : EVENT_NOT_READY;
    LEAVE(SUCCESS);
}

/* ---- newer symbols ------------------------------------------------------------------------------------------ */

#ifndef STANDIN_2020

API const char *aclGetRecentErrMsg(void)
{
    return message[0] ? message : NULL;
}

API const char *aclrtGetSocName(void)
{
    return current ? "StandIn910" : NULL;
}

API aclError aclrtGetVersion(int32_t *major, int32_t *minor, int32_t *patch)
{
    *major = 1;
    *minor = 17;
    *patch = 0;
    return SUCCESS;
}

/* Physical ids differ from logical ones, so that a mix-up shows. */
API aclError aclrtGetPhyDevIdByLogicDevId(int32_t logical, int32_t *physical)
{
    ENTER(aclrtGetPhyDevIdByLogicDevId);
    *physical = logical + 8;
    LEAVE(SUCCESS);
}

API aclError aclrtQueryEventStatus(aclrtEvent event, enum aclrtEventRecordedStatus *status)
{
    ENTER(aclrtQueryEventStatus);
    NEED_CONTEXT(aclrtQueryEventStatus);
    const struct event *e = event;
    if (e->error)
    {
        REFUSE(aclrtQueryEventStatus, e->error, "a task before the event failed");
    }
    *status = e->done >= e->recorded && e->recorded ? RECORDED_COMPLETE : RECORDED_NOT_READY;
    LEAVE(SUCCESS);
}

API aclError aclrtSynchronizeStreamWithTimeout(aclrtStream stream, int32_t timeout)
{
    ENTER(aclrtSynchronizeStreamWithTimeout);
    NEED_CONTEXT(aclrtSynchronizeStreamWithTimeout);
    LEAVE(wait_idle(stream, timeout));
}

API aclError aclrtStreamAbort(aclrtStream stream)
{
    ENTER(aclrtStreamAbort);
    struct stream *s = stream;
    s->aborted = 1;
    while (s->head)
    {
        struct task *t = s->head;
        s->head = t->next;
        free(t);
    }
    s->tail = NULL;
    pthread_cond_broadcast(&changed);
    LEAVE(SUCCESS);
}

static int async_copy(
    struct task *t, size_t index, void *dst, size_t destMax, const void *src, size_t count, int kind)
{
    char *to = resolve(dst, count, is_device(kind, 1), 1);
    const char *from = resolve(src, count, is_device(kind, 0), 1);
    if (count > destMax || !to || !from)
    {
        return PARAM_INVALID;
    }
    t->copies[index].dst = to;
    t->copies[index].src = from;
    t->copies[index].length = count;
    return SUCCESS;
}

API aclError aclrtMemcpyBatchAsync(
    void **dsts, size_t *destMaxs, void **srcs, size_t *sizes, size_t numBatches, aclrtMemcpyBatchAttr *attrs,
    size_t *attrsIndexes, size_t numAttrs, size_t *failIndex, aclrtStream stream)
{
    ENTER(aclrtMemcpyBatchAsync);
    NEED_CONTEXT(aclrtMemcpyBatchAsync);
    *failIndex = SIZE_MAX;
    const int code = usable(stream);
    if (code)
    {
        REFUSE(aclrtMemcpyBatchAsync, code, "stream cannot be used here");
    }
    if (numBatches < 1 || numBatches > MAX_BATCH || 1 != numAttrs || 0 != attrsIndexes[0])
    {
        REFUSE(aclrtMemcpyBatchAsync, PARAM_INVALID, "numBatches or attributes");
    }
    const int isToHost = LOCATION_HOST == attrs->dstLoc.type;
    const aclrtMemLocation *device = isToHost ? &attrs->srcLoc : &attrs->dstLoc;
    const aclrtMemLocation *host = isToHost ? &attrs->dstLoc : &attrs->srcLoc;
    if (LOCATION_DEVICE != device->type || (int)device->id != current->device || LOCATION_HOST != host->type)
    {
        REFUSE(aclrtMemcpyBatchAsync, PARAM_INVALID, "locations");
    }

    batch_calls++;
    const size_t stop = batch_stop >= 0 && (size_t)batch_stop < numBatches ? (size_t)batch_stop : numBatches;
    struct task *t = calloc(1, sizeof *t + numBatches * sizeof t->copies[0]);
    for (size_t i = 0; i < stop; i++)
    {
        if (async_copy(t, i, dsts[i], destMaxs[i], srcs[i], sizes[i], isToHost ? DEVICE_TO_HOST : HOST_TO_DEVICE))
        {
            free(t);
            *failIndex = i;
            REFUSE(aclrtMemcpyBatchAsync, PARAM_INVALID, "range is not pinned or device memory of that kind");
        }
    }
    struct task *pushed = push(stream, COPY, stop);
    memcpy(pushed->copies, t->copies, stop * sizeof t->copies[0]);
    free(t);
    pthread_cond_broadcast(&changed);
    if (stop < numBatches)
    {
        *failIndex = stop;
        batch_stop = -1;
        REFUSE(aclrtMemcpyBatchAsync, batch_code, "scripted partial batch");
    }
    LEAVE(SUCCESS);
}

API aclError aclrtHostRegisterV2(void *address, uint64_t size, uint32_t flag)
{
    ENTER(aclrtHostRegisterV2);
    NEED_CONTEXT(aclrtHostRegisterV2);
    if (!(flag & PINNED) || find(address, 1) || !add_range(address, size, address, -2, -1))
    {
        REFUSE(aclrtHostRegisterV2, PARAM_INVALID, "flag or range");
    }
    LEAVE(SUCCESS);
}

API aclError aclrtHostUnregister(void *address)
{
    ENTER(aclrtHostUnregister);
    struct range *r = find(address, 1);
    if (!r || -2 != r->device)
    {
        REFUSE(aclrtHostUnregister, HOST_MEMORY_NOT_REGISTERED, "not registered");
    }
    remove_range(r);
    LEAVE(SUCCESS);
}

API aclError aclrtPointerGetAttributes(const void *address, aclrtPtrAttributes *attributes)
{
    ENTER(aclrtPointerGetAttributes);
    const struct range *r = find(address, 1);
    memset(attributes, 0, sizeof *attributes);
    attributes->location.type = !r ? LOCATION_UNREGISTERED : r->device >= 0 ? LOCATION_DEVICE : LOCATION_HOST;
    attributes->location.id = r && r->device >= 0 ? (uint32_t)r->device : 0;
    attributes->pageSize = 4096;
    LEAVE(SUCCESS);
}

API aclError aclrtIpcMemGetExportKey(void *address, size_t size, char *key, size_t length, uint64_t flags)
{
    (void)flags;
    ENTER(aclrtIpcMemGetExportKey);
    struct range *r = find(address, size);
    if (!r || r->device < 0 || length < IPC_KEY_LENGTH)
    {
        REFUSE(aclrtIpcMemGetExportKey, PARAM_INVALID, "not device memory, or key buffer too short");
    }
    snprintf(key, length, "/proc/%d/fd/%d:%zu", (int)getpid(), r->fd, r->length);
    LEAVE(SUCCESS);
}

API aclError aclrtIpcMemImportByKey(void **address, const char *key, uint64_t flags)
{
    (void)flags;
    ENTER(aclrtIpcMemImportByKey);
    NEED_CONTEXT(aclrtIpcMemImportByKey);
    char path[IPC_KEY_LENGTH];
    size_t size = 0;
    const int fields = sscanf(key, "%64[^:]:%zu", path, &size);
    const int fd = 2 == fields ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0 || map_device(address, size, fd))
    {
        REFUSE(aclrtIpcMemImportByKey, PARAM_INVALID, "key");
    }
    snprintf(ranges[range_count - 1].key, IPC_KEY_LENGTH, "%s", key);
    LEAVE(SUCCESS);
}

API aclError aclrtIpcMemClose(const char *key)
{
    ENTER(aclrtIpcMemClose);
    for (size_t i = 0; i < range_count; i++)
    {
        struct range *r = &ranges[i];
        if (0 == strcmp(r->key, key))
        {
            munmap(r->backing, r->length);
            munmap(r->address, r->length);
            close(r->fd);
            remove_range(r);
            LEAVE(SUCCESS);
        }
    }
    REFUSE(aclrtIpcMemClose, PARAM_INVALID, "key");
}

#endif

/* ---- what tests say to it ----------------------------------------------------------------------------------- */

/* Forget scripts and open all gates; devices, memory and streams stay. */
API void standin_reset(void)
{
    pthread_mutex_lock(&lock);
    script_count = held = stuck = task_error = 0;
    copy_delay_us = task_error_skip = kernels_allowed = tasks_done = batch_calls = single_calls = wait_calls = 0;
    batch_stop = -1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* After skip calls the next times calls of a function return code. */
API void standin_script(const char *call, long skip, long times, int code)
{
    pthread_mutex_lock(&lock);
    struct script *s = &scripts[script_count++ % MAX_SCRIPTS];
    script_count = script_count > MAX_SCRIPTS ? MAX_SCRIPTS : script_count;
    snprintf(s->call, sizeof s->call, "%s", call);
    s->skip = skip;
    s->times = times;
    s->code = code;
    pthread_mutex_unlock(&lock);
}

/* Copies are not begun while held. */
API void standin_hold(int on)
{
    pthread_mutex_lock(&lock);
    held = on;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Copies that were begun do not end while stuck, aborts notwithstanding. */
API void standin_stick(int on)
{
    pthread_mutex_lock(&lock);
    stuck = on;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

API void standin_delay(long us)
{
    pthread_mutex_lock(&lock);
    copy_delay_us = us;
    pthread_mutex_unlock(&lock);
}

/* After skip copy tasks one fails on the device with code. */
API void standin_task_error(long skip, int code)
{
    pthread_mutex_lock(&lock);
    task_error_skip = skip;
    task_error = code;
    pthread_mutex_unlock(&lock);
}

/* The next batch of more copies than this takes the first of them and returns code. */
API void standin_partial_batch(long copies, int code)
{
    pthread_mutex_lock(&lock);
    batch_stop = copies;
    batch_code = code;
    pthread_mutex_unlock(&lock);
}

/* A compute kernel: later tasks of the stream wait for it until it is finished. */
API void standin_launch(void *stream)
{
    pthread_mutex_lock(&lock);
    push(stream, KERNEL, 0);
    pthread_mutex_unlock(&lock);
}

API void standin_finish_kernel(void)
{
    pthread_mutex_lock(&lock);
    kernels_allowed++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

API long standin_count(const char *what)
{
    pthread_mutex_lock(&lock);
    const long count =
        0 == strcmp(what, "batches") ? batch_calls : 0 == strcmp(what, "singles") ? single_calls :
        0 == strcmp(what, "waits") ? wait_calls : 0 == strcmp(what, "tasks") ? tasks_done :
        0 == strcmp(what, "streams") ? live_streams : 0 == strcmp(what, "events") ? live_events :
        0 == strcmp(what, "ranges") ? (long)range_count : 0 == strcmp(what, "initialized") ? initialized :
        0 == strcmp(what, "stuck") ? stuck_count : 0 == strcmp(what, "sets") ? set_count[0] : -1;
    pthread_mutex_unlock(&lock);
    return count;
}

/* Sizes and offsets as this compiler sees them, "name=value" lines. */
API const char *standin_layouts(void)
{
    static char text[4096];
    snprintf(text, sizeof text,
        "aclrtMemLocation=%zu\naclrtMemLocation.id=%zu\naclrtMemLocation.type=%zu\n"
        "aclrtPtrAttributes=%zu\naclrtPtrAttributes.location=%zu\naclrtPtrAttributes.pageSize=%zu\n"
        "aclrtMemcpyBatchAttr=%zu\naclrtMemcpyBatchAttr.dstLoc=%zu\naclrtMemcpyBatchAttr.srcLoc=%zu\n"
        "enum=%zu\nsize_t=%zu\npointer=%zu\n"
        "HOST_TO_DEVICE=%d\nDEVICE_TO_HOST=%d\nLOCATION_HOST=%d\nLOCATION_DEVICE=%d\nLOCATION_UNREGISTERED=%d\n"
        "MALLOC_HUGE_FIRST=%d\nRECORDED_NOT_READY=%d\nRECORDED_COMPLETE=%d\nEVENT_COMPLETE=%d\nEVENT_NOT_READY=%d\n"
        "HOST_REGISTER_PINNED=%u\nIPC_KEY_LENGTH=%d\nMAX_BATCH=%d\n",
        sizeof(aclrtMemLocation), offsetof(aclrtMemLocation, id), offsetof(aclrtMemLocation, type),
        sizeof(aclrtPtrAttributes), offsetof(aclrtPtrAttributes, location), offsetof(aclrtPtrAttributes, pageSize),
        sizeof(aclrtMemcpyBatchAttr), offsetof(aclrtMemcpyBatchAttr, dstLoc), offsetof(aclrtMemcpyBatchAttr, srcLoc),
        sizeof(enum aclrtMemcpyKind), sizeof(size_t), sizeof(void *),
        HOST_TO_DEVICE, DEVICE_TO_HOST, LOCATION_HOST, LOCATION_DEVICE, LOCATION_UNREGISTERED,
        MALLOC_HUGE_FIRST, RECORDED_NOT_READY, RECORDED_COMPLETE, EVENT_COMPLETE, EVENT_NOT_READY,
        PINNED, IPC_KEY_LENGTH, MAX_BATCH);
    return text;
}
