#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../system.h"
#include "service.h"
#include "tell.h"
#include "things.h"

/* Real libraries pad the rows, so that the next one begins at a round address. */
static int padded(int width) {
    return (width + 63) / 64 * 64 + 64;
}

static int stride_of(int width) {
    return knob(KNOB_HUGE_STRIDES) != 0 ? width * 4 + 4096 : padded(width);
}

static unsigned char *lend_plane(const unsigned char *from, int from_stride, int width, int height, int stride) {
    unsigned char *plane = malloc((size_t)stride * (size_t)height);
    if (plane == NULL) {
        abort();
    }
    copy_plane(plane, stride, from, from_stride, width, height);
    return plane;
}

/* Spoils the figures of a frame as the knobs say. */
static void spoil(agora_video_frame *frame) {
    static atomic_int turn;
    if (knob(KNOB_ZERO_FRAMES) != 0) {
        frame->width = frame->height = 0;
    }
    if (knob(KNOB_GARBAGE_FRAMES) == 0) {
        return;
    }
    switch (atomic_fetch_add(&turn, 1) % 5) {
    case 0:
        frame->y_buffer = frame->u_buffer = frame->v_buffer = NULL;
        break;
    case 1:
        frame->width = -frame->width;
        frame->height = -frame->height;
        break;
    case 2:
        frame->y_stride = frame->width / 2;
        break;
    case 3:
        frame->u_buffer = NULL;
        frame->rotation = 45;
        break;
    default:
        frame->width = frame->height = INT32_MAX;
        break;
    }
}

static bool video_table(struct connection *c, void **handle, agora_video_frame_observer2 *table) {
    pthread_mutex_lock(&c->lock);
    *handle = c->observers.video;
    pthread_mutex_unlock(&c->lock);
    struct video_observer *observer = *handle == NULL ? NULL : thing_borrow(*handle, KIND_VIDEO_OBSERVER);
    if (observer == NULL) {
        return false;
    }
    *table = observer->table;
    check_original(observer->at, table, sizeof *table, "the video frame observer");
    thing_return(*handle);
    return true;
}

void tell_picture(struct connection *c, const char *uid_text, struct picture *picture) {
    agora_video_frame_observer2 table;
    void *observer;
    if (!video_table(c, &observer, &table) || table.on_frame == NULL) {
        return;
    }
    int width = picture->width, height = picture->height;
    if (knob(KNOB_ODD_SIZES) != 0) {
        width -= width % 2 == 0 && width > 1;
        height -= height % 2 == 0 && height > 1;
    }
    int from_chroma = (picture->width + 1) / 2, from_chroma_rows = (picture->height + 1) / 2;
    int chroma = (width + 1) / 2, chroma_rows = (height + 1) / 2;
    int y_stride = stride_of(width), c_stride = stride_of(chroma);
    const unsigned char *y = picture->data, *u = y + (size_t)picture->width * (size_t)picture->height;
    const unsigned char *v = u + (size_t)from_chroma * (size_t)from_chroma_rows;
    unsigned char *planes[3] = {
        lend_plane(y, picture->width, width, height, y_stride),
        lend_plane(u, from_chroma, chroma, chroma_rows, c_stride),
        lend_plane(v, from_chroma, chroma, chroma_rows, c_stride),
    };
    agora_video_frame *frame = make(sizeof *frame);
    char *uid = lend(uid_text), *channel = lend(c->channel);
    for (long long n = knob(KNOB_BURST) > 1 ? knob(KNOB_BURST) : 1; n > 0 && video_table(c, &observer, &table); n--) {
        *frame = (agora_video_frame){
            .type = 1,
            .width = width,
            .height = height,
            .y_stride = y_stride,
            .u_stride = c_stride,
            .v_stride = c_stride,
            .y_buffer = planes[0],
            .u_buffer = planes[1],
            .v_buffer = planes[2],
            .rotation = picture->rotation,
            .render_time_ms = now_ms(),
        };
        spoil(frame);
        count(COUNT_FRAMES_DELIVERED, 1);
        callback_begin();
        table.on_frame(observer, channel, uid, frame);
        callback_end();
    }
    poison(planes[0], (size_t)y_stride * (size_t)height);
    poison(planes[1], (size_t)c_stride * (size_t)chroma_rows);
    poison(planes[2], (size_t)c_stride * (size_t)chroma_rows);
    poison(frame, sizeof *frame);
    take_back(uid);
    take_back(channel);
}

static bool sound_table(struct connection *c, agora_audio_frame_observer *table) {
    pthread_mutex_lock(&c->lock);
    const agora_audio_frame_observer *at = c->observers.sound_at;
    *table = c->observers.sound;
    if (at != NULL) {
        check_original(at, table, sizeof *table, "the audio frame observer");
    }
    bool is_wanted = at != NULL && c->sound_wanted;
    pthread_mutex_unlock(&c->lock);
    return is_wanted && table->on_playback_audio_frame_before_mixing != NULL;
}

static void spoil_sound(agora_audio_frame *frame) {
    static atomic_int turn;
    if (knob(KNOB_ZERO_FRAMES) != 0) {
        frame->samples_per_channel = 0;
    }
    if (knob(KNOB_GARBAGE_FRAMES) == 0) {
        return;
    }
    switch (atomic_fetch_add(&turn, 1) % 4) {
    case 0:
        frame->buffer = NULL;
        break;
    case 1:
        frame->samples_per_channel = -frame->samples_per_channel;
        break;
    case 2:
        frame->channels = 0;
        break;
    default:
        frame->bytes_per_sample = 7;
        frame->samples_per_sec = -1;
        break;
    }
}

void tell_sound(struct connection *c, const char *uid_text, const struct sound *sound) {
    agora_audio_frame_observer table;
    if (!sound_table(c, &table)) {
        return;
    }
    if (table.on_get_audio_frame_position != NULL) {
        callback_begin();
        int position = table.on_get_audio_frame_position(c->user);
        callback_end();
        if ((position & 8) == 0) {
            return;
        }
    }
    size_t size = (size_t)(sound->samples * sound->channels) * sizeof(int16_t);
    int16_t *samples = make(size);
    memcpy(samples, sound->data, size);
    agora_audio_frame *frame = make(sizeof *frame);
    char *uid = lend(uid_text), *channel = lend(c->channel);
    for (long long n = knob(KNOB_BURST) > 1 ? knob(KNOB_BURST) : 1; n > 0 && sound_table(c, &table); n--) {
        *frame = (agora_audio_frame){
            .samples_per_channel = sound->samples,
            .bytes_per_sample = 2,
            .channels = sound->channels,
            .samples_per_sec = sound->rate,
            .buffer = samples,
            .render_time_ms = now_ms(),
            .presentation_ms = sound->time_ms,
        };
        spoil_sound(frame);
        count(COUNT_PCM_DELIVERED, 1);
        callback_begin();
        int32_t answer = table.on_playback_audio_frame_before_mixing(c->user, channel, uid, frame);
        callback_end();
        if (answer != 1) {
            complain("on_playback_audio_frame_before_mixing answered %d instead of 1", answer);
        }
    }
    poison(samples, size);
    poison(frame, sizeof *frame);
    take_back(uid);
    take_back(channel);
}
