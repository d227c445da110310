/*
 * Copyright 2026 The Millrace Authors.
 * Licensed under the Apache License, Version 2.0: see LICENSE.
 *
 * The sample plain-aeron in C: publishes numbers and counts those that arrive. It knows Aeron's C client and nothing
 * else; what carries the numbers is the driver's business.
 */
#include <aeronc.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STREAM_ID (5001)
#define FRAGMENT_LIMIT (16)
#define SILENCE_S (30)

static time_t last_s;

static time_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, aeron_errmsg());
    exit(1);
}

static void idle(const char *what)
{
    if (now_s() - last_s > SILENCE_S)
    {
        fprintf(stderr, "nothing moved for %d s while %s\n", SILENCE_S, what);
        exit(1);
    }
    sched_yield();
}

static void on_number(void *clientd, const uint8_t *buffer, size_t length, aeron_header_t *header)
{
    int64_t number;
    int64_t *next = clientd;
    (void)header;
    memcpy(&number, buffer, sizeof(number));
    if (sizeof(number) != length || number != (*next)++)
    {
        fprintf(stderr, "number %" PRId64 " came as number %" PRId64 "\n", number, *next - 1);
        exit(1);
    }
}

static void publish(aeron_t *aeron, const char *channel, const int64_t messages)
{
    aeron_async_add_exclusive_publication_t *async = NULL;
    aeron_exclusive_publication_t *publication = NULL;
    if (aeron_async_add_exclusive_publication(&async, aeron, channel, STREAM_ID) < 0)
    {
        fail("publication");
    }
    while (NULL == publication)
    {
        if (aeron_async_add_exclusive_publication_poll(&publication, async) < 0)
        {
            fail("publication");
        }
        idle("adding the publication");
    }
    for (int64_t number = 0; number < messages;)
    {
        if (aeron_exclusive_publication_offer(
            publication, (const uint8_t *)&number, sizeof(number), NULL, NULL) > 0)
        {
            number++;
            last_s = now_s();
        }
        else
        {
            idle("publishing");
        }
    }
    while (aeron_exclusive_publication_is_connected(publication))
    {
        idle("the subscriber has yet to leave");
    }
    aeron_exclusive_publication_close(publication, NULL, NULL);
    printf("published %" PRId64 "\n", messages);
}

static void subscribe(aeron_t *aeron, const char *channel, const int64_t messages)
{
    int64_t next = 0;
    aeron_async_add_subscription_t *async = NULL;
    aeron_subscription_t *subscription = NULL;
    if (aeron_async_add_subscription(&async, aeron, channel, STREAM_ID, NULL, NULL, NULL, NULL) < 0)
    {
        fail("subscription");
    }
    while (NULL == subscription)
    {
        if (aeron_async_add_subscription_poll(&subscription, async) < 0)
        {
            fail("subscription");
        }
        idle("adding the subscription");
    }
    while (next < messages)
    {
        if (aeron_subscription_poll(subscription, on_number, &next, FRAGMENT_LIMIT) > 0)
        {
            last_s = now_s();
        }
        else
        {
            idle("receiving");
        }
    }
    aeron_subscription_close(subscription, NULL, NULL);
    printf("received %" PRId64 "\n", next);
}

int main(const int argc, char *argv[])
{
    aeron_context_t *context = NULL;
    aeron_t *aeron = NULL;
    const int64_t messages = argc == 5 ? atoll(argv[4]) : 0;
    const int is_publisher = argc == 5 && 0 == strcmp("publish", argv[1]);
    if (messages <= 0 || (!is_publisher && 0 != strcmp("subscribe", argv[1])))
    {
        fprintf(stderr, "usage: plain_aeron publish|subscribe DIR CHANNEL MESSAGES\n");
        return 2;
    }
    last_s = now_s();
    if (aeron_context_init(&context) < 0 || aeron_context_set_dir(context, argv[2]) < 0 ||
        aeron_init(&aeron, context) < 0 || aeron_start(aeron) < 0)
    {
        fail("connecting");
    }
    if (is_publisher)
    {
        publish(aeron, argv[3], messages);
    }
    else
    {
        subscribe(aeron, argv[3], messages);
    }
    aeron_close(aeron);
    aeron_context_close(context);
    return 0;
}
