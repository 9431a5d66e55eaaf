#define _GNU_SOURCE
#include "knobs.h"

#include <ctype.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const knob_names[KNOB_COUNT] = {
    [KNOB_JOIN_SILENT] = "join_silent",
    [KNOB_JOIN_REASON] = "join_reason",
    [KNOB_JOIN_ERROR] = "join_error",
    [KNOB_LATE_CALLBACKS] = "late_callbacks",
    [KNOB_BURST] = "burst",
    [KNOB_NULL_STRINGS] = "null_strings",
    [KNOB_HUGE_STRIDES] = "huge_strides",
    [KNOB_ODD_SIZES] = "odd_sizes",
    [KNOB_ZERO_FRAMES] = "zero_frames",
    [KNOB_GARBAGE_FRAMES] = "garbage_frames",
    [KNOB_LOSE_CONNECTION] = "lose_connection",
    [KNOB_TOKEN_EXPIRES_IN] = "token_expires_in",
    [KNOB_KICK] = "kick",
    [KNOB_SAME_UID] = "same_uid",
    [KNOB_INIT_RESULT] = "init_result",
    [KNOB_PUBLISH_SILENT] = "publish_silent",
    [KNOB_REUSE_HANDLES] = "reuse_handles",
    [KNOB_UPDATE_ERROR] = "update_error",
    [KNOB_LASTING_REFUSAL] = "lasting_refusal",
    [KNOB_STRICT] = "strict",
};

static const char *const counter_names[COUNT_COUNT] = {
    [COUNT_SERVICES] = "services",
    [COUNT_CONNECTIONS] = "connections",
    [COUNT_TRACKS] = "tracks",
    [COUNT_SENDERS] = "senders",
    [COUNT_OBSERVERS] = "observers",
    [COUNT_THREADS] = "threads",
    [COUNT_FRAMES_SENT] = "frames_sent",
    [COUNT_PCM_SENT] = "pcm_sent",
    [COUNT_FRAMES_DELIVERED] = "frames_delivered",
    [COUNT_PCM_DELIVERED] = "pcm_delivered",
    [COUNT_ENCODERS_SET] = "encoders_set",
};

static const char *const text_names[TEXT_COUNT] = {
    [TEXT_APP_ID] = "app_id",
    [TEXT_CERTIFICATE] = "certificate",
    [TEXT_ROOM] = "room",
    [TEXT_VERSION] = "version",
};

/* A broken caller can complain without end; the first ones say what is wrong. */
#define COMPLAINTS 200
#define COMPLAINT_SIZE 256

static atomic_llong knobs[KNOB_COUNT];
static atomic_llong counters[COUNT_COUNT];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char texts[TEXT_COUNT][TEXT_SIZE];
static char complaints[COMPLAINTS][COMPLAINT_SIZE];
static int complaint_count;

static int find(const char *name, const char *const *names, int n) {
    for (int i = 0; name != NULL && i < n; i++) {
        if (strcmp(name, names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static const char *environment(const char *name) {
    char full[64] = "PARLEY_STANDIN_";
    size_t at = strlen(full);
    for (; *name != '\0' && at < sizeof full - 1; name++, at++) {
        full[at] = (char)toupper((unsigned char)*name);
    }
    full[at] = '\0';
    return getenv(full);
}

/* As in a program the knobs are set from outside, before the library could be asked anything. */
__attribute__((constructor)) static void read_environment(void) {
    for (int i = 0; i < KNOB_COUNT; i++) {
        const char *value = environment(knob_names[i]);
        if (value != NULL) {
            atomic_store(&knobs[i], strtoll(value, NULL, 10));
        }
    }
    for (int i = 0; i < TEXT_COUNT; i++) {
        const char *value = environment(text_names[i]);
        if (value != NULL) {
            standin_set_text(text_names[i], value);
        }
    }
}

long long knob(enum knob which) {
    return atomic_load(&knobs[which]);
}

void count(enum counter which, long long by) {
    atomic_fetch_add(&counters[which], by);
}

void text(enum text which, char into[TEXT_SIZE]) {
    pthread_mutex_lock(&lock);
    memcpy(into, texts[which], TEXT_SIZE);
    pthread_mutex_unlock(&lock);
}

void complain(const char *format, ...) {
    char line[COMPLAINT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (knob(KNOB_STRICT) != 0) {
        fprintf(stderr, "stand-in: %s\n", line);
        abort();
    }
    pthread_mutex_lock(&lock);
    if (complaint_count < COMPLAINTS) {
        memcpy(complaints[complaint_count], line, sizeof line);
    }
    complaint_count++;
    pthread_mutex_unlock(&lock);
}

int standin_set(const char *name, long long value) {
    int which = find(name, knob_names, KNOB_COUNT);
    if (which < 0) {
        return -1;
    }
    atomic_store(&knobs[which], value);
    return 0;
}

long long standin_get(const char *name) {
    int which = find(name, counter_names, COUNT_COUNT);
    if (which >= 0) {
        return atomic_load(&counters[which]);
    }
    which = find(name, knob_names, KNOB_COUNT);
    return which >= 0 ? knob((enum knob)which) : -1;
}

int standin_set_text(const char *name, const char *value) {
    int which = find(name, text_names, TEXT_COUNT);
    if (which < 0 || value == NULL || strlen(value) >= TEXT_SIZE) {
        return -1;
    }
    pthread_mutex_lock(&lock);
    strcpy(texts[which], value);
    pthread_mutex_unlock(&lock);
    return 0;
}

int standin_complaints(char *into, int size) {
    pthread_mutex_lock(&lock);
    int total = complaint_count;
    int at = 0;
    for (int i = 0; i < total && i < COMPLAINTS && into != NULL; i++) {
        int length = (int)strlen(complaints[i]) + 1;
        if (at + length >= size) {
            break;
        }
        at += snprintf(into + at, (size_t)(size - at), "%s\n", complaints[i]);
    }
    if (into != NULL && size > 0) {
        into[at] = '\0';
    }
    complaint_count = 0;
    pthread_mutex_unlock(&lock);
    return total;
}
