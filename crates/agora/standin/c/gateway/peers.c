/* What the room tells, on its own thread: put into queues and slots, nothing more. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../system.h"
#include "connection.h"
#include "things.h"

/* So much sound waits at most, in milliseconds: what is older is dropped, as late sound is worse than none. */
#define MOST_SOUND_MS 300

struct peer *peer_find(struct connection *c, const char *uid) {
    for (struct peer *peer = c->peers; peer != NULL; peer = peer->next) {
        if (strcmp(peer->uid, uid) == 0) {
            return peer;
        }
    }
    return NULL;
}

void peer_free(struct peer *peer) {
    if (peer->video_track != NULL) {
        thing_retire(peer->video_track);
    }
    if (peer->sound_track != NULL) {
        thing_retire(peer->sound_track);
    }
    picture_drop(peer->latest);
    free(peer->samples);
    free(peer);
}

void post(struct connection *c, const struct event *event, const void *data, size_t size) {
    struct event *copy = make(sizeof *copy + size);
    *copy = *event;
    copy->size = size;
    if (size > 0) {
        memcpy(copy->data, data, size);
    }
    pthread_mutex_lock(&c->lock);
    copy->attempt = c->attempt;
    struct event **at = &c->events;
    /* By time, and in the order of coming for the same time. */
    while (*at != NULL && (*at)->due_ms <= copy->due_ms) {
        at = &(*at)->next;
    }
    copy->next = *at;
    *at = copy;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static void post_about(struct connection *c, enum event_type type, const char *uid, int64_t a, int64_t b) {
    struct event event = {.type = type, .due_ms = now_ms(), .a = a, .b = b};
    copy_text(event.uid, sizeof event.uid, uid);
    post(c, &event, NULL, 0);
}

static void on_entered(void *c) {
    post_about(c, EVENT_ENTERED, "", 0, 0);
}

static void on_failed(void *c, const char *why) {
    post_about(c, EVENT_REFUSED, why, 0, 0);
}

static void on_replaced(void *c) {
    post_about(c, EVENT_REPLACED, "", 0, 0);
}

static void on_joined(void *c, const char *uid, bool is_readable) {
    post_about(c, EVENT_JOINED, uid, is_readable, 0);
}

static void on_left(void *c, const char *uid, enum room_end end) {
    post_about(c, EVENT_LEFT, uid, end, 0);
}

static void on_state(void *c, const char *uid, uint32_t before, uint32_t now) {
    (void)before;
    post_about(c, EVENT_STATE, uid, now, 0);
}

static void on_message(void *context, const char *uid, int stream, const void *data, size_t size, int64_t sent_ms) {
    struct connection *c = context;
    struct event event = {.type = EVENT_MESSAGE, .due_ms = now_ms(), .a = stream, .b = sent_ms};
    copy_text(event.uid, sizeof event.uid, uid);
    if (!atomic_load(&c->is_paused)) {
        post(c, &event, data, size);
    }
}

static void on_picture(void *context, const char *uid, struct picture *picture) {
    struct connection *c = context;
    if (atomic_load(&c->is_paused)) {
        return;
    }
    struct picture *old = NULL;
    pthread_mutex_lock(&c->lock);
    struct peer *peer = peer_find(c, uid);
    if (peer != NULL && peer->video_track != NULL) {
        old = peer->latest;
        picture_hold(picture);
        peer->latest = picture;
        peer->video.bytes += i420_size(picture->width, picture->height);
        pthread_cond_signal(&c->video_ready);
    }
    pthread_mutex_unlock(&c->lock);
    picture_drop(old);
}

static void on_sound(void *context, const char *uid, const struct sound *sound) {
    struct connection *c = context;
    if (atomic_load(&c->is_paused)) {
        return;
    }
    pthread_mutex_lock(&c->lock);
    struct peer *peer = peer_find(c, uid);
    if (peer != NULL && peer->sound_track != NULL) {
        int most = sound->rate * MOST_SOUND_MS / 1000;
        if (peer->rate != sound->rate || peer->channels != sound->channels) {
            free(peer->samples);
            /* Twice as much, as a block may be long. */
            peer->samples = make((size_t)(most + sound->rate) * (size_t)sound->channels * sizeof(int16_t));
            peer->rate = sound->rate;
            peer->channels = sound->channels;
            peer->have = 0;
        }
        size_t frame = (size_t)peer->channels * sizeof(int16_t);
        memcpy((char *)peer->samples + (size_t)peer->have * frame, sound->data, (size_t)sound->samples * frame);
        peer->have += sound->samples;
        peer->sound_ms = sound->time_ms;
        if (peer->have > most) {
            int surplus = peer->have - most;
            memmove(peer->samples, (char *)peer->samples + (size_t)surplus * frame, (size_t)most * frame);
            peer->have = most;
        }
    }
    pthread_mutex_unlock(&c->lock);
}

struct room_listener room_listener(struct connection *c) {
    return (struct room_listener){
        .context = c,
        .on_entered = on_entered,
        .on_failed = on_failed,
        .on_replaced = on_replaced,
        .on_joined = on_joined,
        .on_left = on_left,
        .on_state = on_state,
        .on_picture = on_picture,
        .on_sound = on_sound,
        .on_message = on_message,
    };
}
