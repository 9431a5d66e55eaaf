/* How peers come, send, stop and go. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../knobs.h"
#include "../system.h"
#include "course.h"
#include "service.h"
#include "tell.h"
#include "things.h"

/* Messages of on_user_info_updated. */
enum { INFO_MUTE_AUDIO = 0, INFO_MUTE_VIDEO = 1 };
#define DECRYPTION_FAILED 1

static int elapsed(const struct connection *c) {
    return (int)(now_ms() - c->connect_ms);
}

static void want(struct connection *c, const char *uid, bool video, bool sound) {
    world_read();
    if (c->room != NULL) {
        room_want(c->room, uid, video, sound);
    }
    world_release();
}

void course_joined(struct connection *c, const char *uid, bool is_readable) {
    struct peer *peer = make(sizeof *peer);
    copy_text(peer->uid, sizeof peer->uid, uid);
    peer->since_ms = now_ms();
    pthread_mutex_lock(&c->lock);
    bool is_refused = knob(KNOB_LASTING_REFUSAL) != 0 && strcmp(c->refused_video, uid) == 0;
    bool video = peer->wants_video = c->subscribes_video && !is_refused;
    bool sound = peer->wants_sound = c->subscribes_sound;
    if (peer_find(c, uid) != NULL) {
        /* Told of twice: the room promises that it doesn't happen. */
        free(peer);
        pthread_mutex_unlock(&c->lock);
        return;
    }
    peer->next = c->peers;
    c->peers = peer;
    pthread_mutex_unlock(&c->lock);
    tell_user(c, ON_USER_JOINED, uid, 0, 0, 0);
    if (!is_readable) {
        tell_encryption_error(c, DECRYPTION_FAILED);
    }
    want(c, uid, video, sound);
}

/* One medium of one peer. */
struct medium {
    bool is_video;
    uint32_t bit;
};
static const struct medium media[2] = {{true, STATE_VIDEO}, {false, STATE_AUDIO}};

/* Brings the track of one medium in line with what the peer sends and we subscribed to. */
static void settle(struct connection *c, const char *uid, const struct medium *medium, int reason_on, int reason_off) {
    pthread_mutex_lock(&c->lock);
    struct peer *peer = peer_find(c, uid);
    if (peer == NULL) {
        pthread_mutex_unlock(&c->lock);
        return;
    }
    void **track = medium->is_video ? &peer->video_track : &peer->sound_track;
    bool wanted = (medium->is_video ? peer->wants_video : peer->wants_sound) && (peer->state & medium->bit) != 0;
    bool begins = wanted && *track == NULL, ends = !wanted && *track != NULL;
    void *handle = *track;
    if (begins) {
        handle = *track = thing_make(medium->is_video ? KIND_REMOTE_VIDEO_TRACK : KIND_REMOTE_AUDIO_TRACK, c);
        *(medium->is_video ? &peer->has_shown : &peer->has_sounded) = false;
        peer->have = medium->is_video ? peer->have : 0;
    }
    struct picture *late = NULL;
    if (ends) {
        *track = NULL;
        if (medium->is_video) {
            late = peer->latest;
            peer->latest = NULL;
        } else {
            peer->volume = 0;
        }
    }
    pthread_mutex_unlock(&c->lock);
    picture_drop(late);
    if (begins) {
        tell_user(c, medium->is_video ? ON_VIDEO_SUBSCRIBE : ON_AUDIO_SUBSCRIBE, uid, 1, 2, 0);
        tell_subscribed(c, medium->is_video, uid, handle);
        tell_track_state(c, medium->is_video, uid, handle, TRACK_STARTING, reason_on, elapsed(c));
        tell_user(c, medium->is_video ? ON_VIDEO_SUBSCRIBE : ON_AUDIO_SUBSCRIBE, uid, 2, 3, 0);
    } else if (ends) {
        tell_track_state(c, medium->is_video, uid, handle, TRACK_STOPPED, reason_off, elapsed(c));
        thing_retire(handle);
    }
}

void course_state(struct connection *c, const char *uid, uint32_t state) {
    pthread_mutex_lock(&c->lock);
    struct peer *peer = peer_find(c, uid);
    uint32_t before = peer == NULL ? 0 : peer->state;
    if (peer != NULL) {
        peer->state = state;
    }
    pthread_mutex_unlock(&c->lock);
    if (peer == NULL) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        bool is_on = (state & media[i].bit) != 0;
        if (((before ^ state) & media[i].bit) != 0) {
            tell_user(c, ON_USER_INFO_UPDATED, uid, media[i].is_video ? INFO_MUTE_VIDEO : INFO_MUTE_AUDIO, !is_on, 0);
        }
        settle(c, uid, &media[i], 0, TRACK_REMOTE_MUTED);
    }
}

void course_subscription(struct connection *c, const char *uid) {
    pthread_mutex_lock(&c->lock);
    struct peer *peer = peer_find(c, uid);
    bool video = peer != NULL && peer->wants_video, sound = peer != NULL && peer->wants_sound;
    pthread_mutex_unlock(&c->lock);
    want(c, uid, video, sound);
    for (int i = 0; i < 2; i++) {
        settle(c, uid, &media[i], TRACK_LOCAL_UNMUTED, TRACK_LOCAL_MUTED);
    }
}

void course_left(struct connection *c, const char *uid, int end) {
    pthread_mutex_lock(&c->lock);
    struct peer *peer = peer_find(c, uid);
    if (peer != NULL) {
        peer->state = 0;
    }
    pthread_mutex_unlock(&c->lock);
    if (peer == NULL) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        settle(c, uid, &media[i], 0, TRACK_OFFLINE);
    }
    tell_user(c, ON_USER_LEFT, uid, end == ROOM_QUIT ? 0 : 1, 0, 0);
    pthread_mutex_lock(&c->lock);
    struct peer **at = &c->peers;
    while (*at != NULL && *at != peer) {
        at = &(*at)->next;
    }
    if (*at == peer) {
        *at = peer->next;
    }
    pthread_mutex_unlock(&c->lock);
    peer_free(peer);
}

static void *track_of(struct connection *c, const char *uid, bool is_video) {
    pthread_mutex_lock(&c->lock);
    struct peer *peer = peer_find(c, uid);
    void *track = peer == NULL ? NULL : is_video ? peer->video_track : peer->sound_track;
    pthread_mutex_unlock(&c->lock);
    return track;
}

void course_picture(struct connection *c, const char *uid, int width, int height, int rotation) {
    void *track = track_of(c, uid, true);
    bool is_first = (rotation & 1 << 16) != 0;
    if (track == NULL) {
        return;
    }
    if (is_first) {
        tell_user(c, ON_FIRST_VIDEO_DECODED, uid, width, height, elapsed(c));
        tell_user(c, ON_FIRST_VIDEO_FRAME, uid, width, height, elapsed(c));
        tell_track_state(c, true, uid, track, TRACK_DECODING, TRACK_REMOTE_UNMUTED, elapsed(c));
        tell_user(c, ON_FIRST_VIDEO_RENDERED, uid, width, height, elapsed(c));
    }
    tell_user(c, ON_VIDEO_SIZE_CHANGED, uid, width, height, rotation & 0xFFFF);
}

void course_sound(struct connection *c, const char *uid) {
    void *track = track_of(c, uid, false);
    if (track == NULL) {
        return;
    }
    tell_user(c, ON_FIRST_AUDIO_DECODED, uid, elapsed(c), 0, 0);
    tell_user(c, ON_FIRST_AUDIO_FRAME, uid, elapsed(c), 0, 0);
    tell_track_state(c, false, uid, track, TRACK_DECODING, TRACK_REMOTE_UNMUTED, elapsed(c));
}
