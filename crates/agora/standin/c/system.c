#define _GNU_SOURCE
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "knobs.h"

/* The smallest that a page can be. */
#define PAGE 4096u
/* Looked at in one call of the kernel; a picture of 720p has 338. */
#define PAGES 512

int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t now_ms(void) {
    return now_us() / 1000;
}

void make_condition(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void wait_ms(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanos = until.tv_nsec + (ms > 0 ? ms : 0) % 1000 * 1000000;
    until.tv_sec += (ms > 0 ? ms : 0) / 1000 + nanos / 1000000000;
    until.tv_nsec = nanos % 1000000000;
    pthread_cond_timedwait(condition, mutex, &until);
}

void rest_ms(int64_t ms) {
    struct timespec rest = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
}

struct beginning {
    char name[16];
    void *(*body)(void *);
    void *context;
};

static void *begin(void *argument) {
    struct beginning beginning = *(struct beginning *)argument;
    free(argument);
    pthread_setname_np(pthread_self(), beginning.name);
    void *end = beginning.body(beginning.context);
    count(COUNT_THREADS, -1);
    return end;
}

bool start_thread(pthread_t *thread, const char *name, void *(*body)(void *), void *context) {
    struct beginning *beginning = make(sizeof *beginning);
    copy_text(beginning->name, sizeof beginning->name, name);
    beginning->body = body;
    beginning->context = context;
    count(COUNT_THREADS, 1);
    if (pthread_create(thread, NULL, begin, beginning) != 0) {
        count(COUNT_THREADS, -1);
        free(beginning);
        return false;
    }
    return true;
}

void copy_text(char *into, size_t size, const char *from) {
    size_t length = from == NULL ? 0 : strnlen(from, size - 1);
    if (length > 0) {
        memcpy(into, from, length);
    }
    into[length] = '\0';
}

void *make(size_t size) {
    void *memory = calloc(1, size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

void poison(void *memory, size_t size) {
    if (memory == NULL) {
        return;
    }
    memset(memory, 0xDD, size);
    /* Without this the compiler may drop the write to memory that is about to be freed. */
    __asm__ volatile("" : : "r"(memory) : "memory");
    free(memory);
}

bool is_utf8(const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    while (*at != 0) {
        int more = *at < 0x80 ? 0 : *at >= 0xC2 && *at < 0xE0 ? 1 : *at >= 0xE0 && *at < 0xF0 ? 2 : *at >= 0xF0 && *at < 0xF5 ? 3 : -1;
        if (more < 0 || (*at == 0xE0 && at[1] < 0xA0) || (*at == 0xED && at[1] > 0x9F) || (*at == 0xF0 && at[1] < 0x90) ||
            (*at == 0xF4 && at[1] > 0x8F)) {
            return false;
        }
        for (at++; more > 0; more--, at++) {
            if ((*at & 0xC0) != 0x80) {
                return false;
            }
        }
    }
    return true;
}

bool is_readable(const void *memory, size_t size) {
    if (memory == NULL) {
        return false;
    }
    /* The kernel copies and answers EFAULT where we would be killed. One byte a page is enough, many pages a call. */
    uintptr_t first = (uintptr_t)memory, last = first + (size > 0 ? size - 1 : 0);
    if (last < first) {
        return false;
    }
    char bytes[PAGES];
    struct iovec pages[PAGES];
    for (uintptr_t at = first; at <= last;) {
        unsigned long n = 0;
        for (; n < PAGES && at <= last; at = (at | (PAGE - 1)) + 1) {
            pages[n++] = (struct iovec){(void *)at, 1};
        }
        struct iovec into = {bytes, n};
        ssize_t got = process_vm_readv(getpid(), &into, 1, pages, n, 0);
        if (got < 0 && errno != EFAULT) {
            /* Where this call is forbidden (some containers) nothing can be said. */
            return true;
        }
        if (got != (ssize_t)n) {
            return false;
        }
    }
    return true;
}
