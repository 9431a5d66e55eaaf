#define _GNU_SOURCE
#include "things.h"

#include <pthread.h>
#include <stdint.h>
#include <stddef.h>

#include "../knobs.h"
#include "../system.h"

/* So many handles pass before a place is used again, if it isn't asked for. */
#define PLACES 65536
#define PATIENCE_MS 10000

struct thing {
    void *body;
    enum kind kind;
    bool is_alive;
    int inside;   /* calls of the caller's */
    int borrowed; /* uses of our own threads */
    char unused[36]; /* a handle is the address of one of these; no other value between is one */
};

static const char *const names[KIND_COUNT] = {
    [0] = "nothing",
    [KIND_SERVICE] = "a service",
    [KIND_PARAMETER] = "a parameter",
    [KIND_FACTORY] = "a media node factory",
    [KIND_CONNECTION] = "a connection",
    [KIND_LOCAL_USER] = "a local user",
    [KIND_VIDEO_SENDER] = "a video frame sender",
    [KIND_AUDIO_SENDER] = "a PCM sender",
    [KIND_VIDEO_TRACK] = "a video track",
    [KIND_AUDIO_TRACK] = "an audio track",
    [KIND_VIDEO_OBSERVER] = "a video frame observer",
    [KIND_REMOTE_VIDEO_TRACK] = "a remote video track",
    [KIND_REMOTE_AUDIO_TRACK] = "a remote audio track",
    [KIND_IRIS_ENGINE] = "an engine",
    [KIND_IRIS_HANDLER] = "an event handler",
    [KIND_SCREEN_SOURCES] = "a list of screens and windows",
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct thing things[PLACES];
static size_t next_place;
static _Thread_local int callback_depth;

static struct thing *find(const void *handle) {
    uintptr_t at = (uintptr_t)handle, first = (uintptr_t)things;
    if (at < first || at >= first + sizeof things || (at - first) % sizeof things[0] != 0) {
        return NULL;
    }
    return &things[(at - first) / sizeof things[0]];
}

void *thing_make(enum kind kind, void *body) {
    pthread_mutex_lock(&lock);
    if (knob(KNOB_REUSE_HANDLES) != 0) {
        next_place = 0;
    }
    while (things[next_place].is_alive) {
        next_place = (next_place + 1) % PLACES;
    }
    struct thing *thing = &things[next_place];
    next_place = (next_place + 1) % PLACES;
    *thing = (struct thing){.body = body, .kind = kind, .is_alive = true};
    pthread_mutex_unlock(&lock);
    return thing;
}

void callback_begin(void) {
    callback_depth++;
}

void callback_end(void) {
    callback_depth--;
}

bool is_free_to_call(const char *caller) {
    if (callback_depth > 0) {
        complain("%s: called from inside a callback", caller);
        return false;
    }
    return true;
}

/* The lock is held. */
static struct thing *check(void *handle, enum kind kind, const char **fault) {
    struct thing *thing = find(handle);
    if (handle == NULL) {
        *fault = "NULL instead of %s";
    } else if (thing == NULL || thing->kind == 0) {
        *fault = "a handle that never was one, instead of %s";
    } else if (thing->kind != kind) {
        *fault = "a handle of another kind instead of %s";
    } else if (!thing->is_alive) {
        *fault = "%s that was destroyed before";
    } else {
        return thing;
    }
    return NULL;
}

static void say(const char *caller, const char *fault, enum kind kind) {
    char line[128];
    /* Our own four formats above, each with one %s. */
    size_t at = 0;
    for (const char *from = fault; *from != '\0' && at < sizeof line - 1; from++) {
        if (*from == '%') {
            for (const char *name = names[kind]; *name != '\0' && at < sizeof line - 1; name++) {
                line[at++] = *name;
            }
            from++;
        } else {
            line[at++] = *from;
        }
    }
    line[at] = '\0';
    complain("%s: %s", caller, line);
}

void *thing_enter(void *handle, enum kind kind, const char *caller) {
    if (!is_free_to_call(caller)) {
        return NULL;
    }
    const char *fault = NULL;
    pthread_mutex_lock(&lock);
    struct thing *thing = check(handle, kind, &fault);
    if (thing != NULL) {
        thing->inside++;
    }
    void *body = thing == NULL ? NULL : thing->body;
    pthread_mutex_unlock(&lock);
    if (thing == NULL) {
        say(caller, fault, kind);
    }
    return body;
}

void thing_leave(void *handle) {
    pthread_mutex_lock(&lock);
    struct thing *thing = find(handle);
    thing->inside--;
    pthread_mutex_unlock(&lock);
}

void *thing_borrow(void *handle, enum kind kind) {
    pthread_mutex_lock(&lock);
    struct thing *thing = find(handle);
    bool is_alive = thing != NULL && thing->is_alive && thing->kind == kind;
    if (is_alive) {
        thing->borrowed++;
    }
    void *body = is_alive ? thing->body : NULL;
    pthread_mutex_unlock(&lock);
    return body;
}

void thing_return(void *handle) {
    pthread_mutex_lock(&lock);
    find(handle)->borrowed--;
    pthread_mutex_unlock(&lock);
}

/* The lock is held. */
static bool wait_for_others(struct thing *thing) {
    bool waited = thing->inside > 0;
    for (int i = 0; i < PATIENCE_MS && thing->inside + thing->borrowed > 0; i++) {
        pthread_mutex_unlock(&lock);
        rest_ms(1);
        pthread_mutex_lock(&lock);
    }
    return waited;
}

void *thing_end(void *handle, enum kind kind, const char *caller) {
    if (!is_free_to_call(caller)) {
        return NULL;
    }
    const char *fault = NULL;
    pthread_mutex_lock(&lock);
    struct thing *thing = check(handle, kind, &fault);
    bool waited = false;
    void *body = NULL;
    if (thing != NULL) {
        thing->is_alive = false;
        waited = wait_for_others(thing);
        body = thing->body;
        thing->body = NULL;
    }
    pthread_mutex_unlock(&lock);
    if (thing == NULL) {
        say(caller, fault, kind);
    }
    if (waited) {
        complain("%s: another thread was inside a call with the handle", caller);
    }
    return body;
}

void thing_retire(void *handle) {
    pthread_mutex_lock(&lock);
    struct thing *thing = find(handle);
    if (thing != NULL && thing->is_alive) {
        thing->is_alive = false;
        wait_for_others(thing);
        thing->body = NULL;
    }
    pthread_mutex_unlock(&lock);
}

void *thing_body(void *handle, enum kind kind) {
    pthread_mutex_lock(&lock);
    struct thing *thing = find(handle);
    void *body = thing != NULL && thing->is_alive && thing->kind == kind ? thing->body : NULL;
    pthread_mutex_unlock(&lock);
    return body;
}

bool thing_is(const void *handle, enum kind kind) {
    pthread_mutex_lock(&lock);
    const struct thing *thing = find(handle);
    bool is = thing != NULL && thing->is_alive && thing->kind == kind;
    pthread_mutex_unlock(&lock);
    return is;
}

bool thing_was(const void *handle, enum kind kind) {
    pthread_mutex_lock(&lock);
    const struct thing *thing = find(handle);
    bool was = thing != NULL && thing->kind == kind;
    pthread_mutex_unlock(&lock);
    return was;
}
