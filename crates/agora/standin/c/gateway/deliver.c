/* The two media threads of a connection: pictures as they come, sound every ten milliseconds. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../system.h"
#include "connection.h"
#include "tell.h"

/* More than this much of a peer's sound waits: play faster to catch up. */
#define CATCH_UP_MS 80

/* Who waited longest, so that nobody is kept waiting by somebody busier. */
static struct peer *with_picture(struct connection *c) {
    struct peer *first = NULL;
    for (struct peer *peer = c->peers; peer != NULL; peer = peer->next) {
        if (peer->latest != NULL && peer->video_track != NULL && (first == NULL || peer->turn < first->turn)) {
            first = peer;
        }
    }
    return first;
}

/* Has a picture been shown of this size before? If not, the event thread says so. */
static void note_picture(struct connection *c, const char *uid, const struct picture *picture) {
    pthread_mutex_lock(&c->lock);
    struct peer *peer = peer_find(c, uid);
    bool is_news = false, is_first = false;
    if (peer != NULL) {
        is_first = !peer->has_shown;
        is_news = is_first || peer->width != picture->width || peer->height != picture->height || peer->rotation != picture->rotation;
        peer->has_shown = true;
        peer->width = picture->width;
        peer->height = picture->height;
        peer->rotation = picture->rotation;
        peer->pictures++;
        peer->video.pictures++;
    }
    pthread_mutex_unlock(&c->lock);
    if (is_news) {
        struct event event = {.type = EVENT_PICTURE, .due_ms = now_ms(), .a = picture->width, .b = picture->height,
                              .c = picture->rotation | (is_first ? 1 << 16 : 0)};
        copy_text(event.uid, sizeof event.uid, uid);
        post(c, &event, NULL, 0);
    }
}

void *run_video(void *context) {
    struct connection *c = context;
    char uid[LONGEST_UID] = "";
    uint64_t turn = 0;
    pthread_mutex_lock(&c->lock);
    while (!c->is_ending) {
        struct peer *peer = with_picture(c);
        if (peer == NULL) {
            wait_ms(&c->video_ready, &c->lock, 1000);
            continue;
        }
        struct picture *picture = peer->latest;
        peer->latest = NULL;
        copy_text(uid, sizeof uid, peer->uid);
        peer->turn = ++turn;
        pthread_mutex_unlock(&c->lock);
        note_picture(c, uid, picture);
        tell_picture(c, uid, picture);
        picture_drop(picture);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* Ten milliseconds of one peer. */
struct block {
    char uid[LONGEST_UID];
    struct sound sound;
    int16_t samples[480 * 2 * 4]; /* 192 kHz in stereo */
};

static void take_block(struct peer *peer, struct block *block) {
    int part = peer->rate / 100;
    size_t frame = (size_t)peer->channels * sizeof(int16_t);
    copy_text(block->uid, sizeof block->uid, peer->uid);
    memcpy(block->samples, peer->samples, (size_t)part * frame);
    peer->have -= part;
    memmove(peer->samples, (char *)peer->samples + (size_t)part * frame, (size_t)peer->have * frame);
    block->sound = (struct sound){peer->rate, peer->channels, part, peer->sound_ms - (int64_t)peer->have * 1000 / peer->rate, block->samples};
    int level = loudness(&block->sound);
    peer->volume = level > peer->volume ? level : (peer->volume * 7 + level) / 8;
}

static void deliver_block(struct connection *c, struct block *block, int rate, int channels) {
    if (rate == block->sound.rate && channels == block->sound.channels) {
        tell_sound(c, block->uid, &block->sound);
        return;
    }
    int16_t converted[480 * 2 * 4];
    int samples = rate / 100;
    convert_sound(&block->sound, converted, samples, channels);
    struct sound sound = {rate, channels, samples, block->sound.time_ms, converted};
    tell_sound(c, block->uid, &sound);
}

/* Plays what is due; the lock is held, and given away while the caller's code runs. */
static void play(struct connection *c, struct block *block) {
    /* A peer may come or go while the lock is away: they are found again by their order. */
    for (int i = 0;; i++) {
        struct peer *peer = c->peers;
        for (int n = 0; n < i && peer != NULL; n++) {
            peer = peer->next;
        }
        if (peer == NULL) {
            return;
        }
        int blocks = peer->have * 1000 / (peer->rate > 0 ? peer->rate : 1) > CATCH_UP_MS ? 2 : 1;
        char uid[LONGEST_UID];
        copy_text(uid, sizeof uid, peer->uid);
        for (; blocks > 0; blocks--) {
            peer = peer_find(c, uid);
            if (peer == NULL || peer->sound_track == NULL || peer->rate == 0 || peer->have < peer->rate / 100) {
                break;
            }
            take_block(peer, block);
            bool is_first = !peer->has_sounded;
            peer->has_sounded = true;
            int rate = c->sound_rate, channels = c->sound_channels;
            pthread_mutex_unlock(&c->lock);
            if (is_first) {
                struct event event = {.type = EVENT_SOUND, .due_ms = now_ms()};
                copy_text(event.uid, sizeof event.uid, uid);
                post(c, &event, NULL, 0);
            }
            if (rate > 0) {
                deliver_block(c, block, rate, channels);
            }
            pthread_mutex_lock(&c->lock);
        }
    }
}

void *run_sound(void *context) {
    struct connection *c = context;
    struct block *block = make(sizeof *block);
    int64_t next = now_ms();
    pthread_mutex_lock(&c->lock);
    while (!c->is_ending) {
        bool is_quiet = c->peers == NULL;
        int64_t now = now_ms();
        /* After a pause of the machine there is no use in making up for all of it. */
        next = next + 10 < now - 100 ? now : next + 10;
        wait_ms(&c->changed, &c->lock, is_quiet ? 100 : next - now);
        while (!c->is_ending && !is_quiet && now_ms() < next) {
            wait_ms(&c->changed, &c->lock, next - now_ms());
        }
        play(c, block);
    }
    pthread_mutex_unlock(&c->lock);
    free(block);
    return NULL;
}
