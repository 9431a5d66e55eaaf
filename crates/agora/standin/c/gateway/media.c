/* Senders and tracks: how frames come in. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../checks.h"
#include "../system.h"
#include "service.h"
#include "things.h"

#define TOO_LARGE 8192

static agora_handle make_sender(agora_handle factory, enum kind kind, const char *caller) {
    if (thing_enter(factory, KIND_FACTORY, caller) == NULL) {
        return NULL;
    }
    struct sender *sender = make(sizeof *sender);
    sender->handle = thing_make(kind, sender);
    count(COUNT_SENDERS, 1);
    thing_leave(factory);
    return sender->handle;
}

EXPORT agora_handle agora_media_node_factory_create_video_frame_sender(agora_handle factory) {
    return make_sender(factory, KIND_VIDEO_SENDER, __func__);
}

EXPORT agora_handle agora_media_node_factory_create_audio_pcm_data_sender(agora_handle factory) {
    return make_sender(factory, KIND_AUDIO_SENDER, __func__);
}

static void destroy_sender(agora_handle handle, enum kind kind, const char *caller) {
    struct sender *sender = thing_end(handle, kind, caller);
    if (sender == NULL) {
        return;
    }
    world_write();
    struct track *track = sender->track;
    if (track != NULL) {
        track->sender = NULL;
    }
    world_release();
    if (track != NULL) {
        complain("%s: a track is fed by this sender; destroy the track first", caller);
    }
    poison(sender, sizeof *sender);
    count(COUNT_SENDERS, -1);
}

EXPORT void agora_video_frame_sender_destroy(agora_handle handle) {
    destroy_sender(handle, KIND_VIDEO_SENDER, __func__);
}

EXPORT void agora_audio_pcm_data_sender_destroy(agora_handle handle) {
    destroy_sender(handle, KIND_AUDIO_SENDER, __func__);
}

static agora_handle make_track(agora_handle service_handle, agora_handle sender_handle, bool is_video, const char *caller) {
    struct service *service = thing_enter(service_handle, KIND_SERVICE, caller);
    if (service == NULL) {
        return NULL;
    }
    struct sender *sender = thing_enter(sender_handle, is_video ? KIND_VIDEO_SENDER : KIND_AUDIO_SENDER, caller);
    struct track *track = NULL;
    if (sender == NULL) {
        thing_leave(service_handle);
        return NULL;
    }
    bool is_possible = service->is_ready && (is_video ? service->config.enable_video : service->config.enable_audio_processor) == 1;
    world_write();
    if (is_possible && sender->track == NULL) {
        track = make(sizeof *track);
        track->service = service;
        track->sender = sender;
        track->handle = thing_make(is_video ? KIND_VIDEO_TRACK : KIND_AUDIO_TRACK, track);
        sender->track = track;
        service->tracks++;
        count(COUNT_TRACKS, 1);
    }
    world_release();
    if (!is_possible) {
        complain("%s: the service was not initialized for this", caller);
    } else if (track == NULL) {
        complain("%s: the sender feeds another track already", caller);
    }
    thing_leave(sender_handle);
    thing_leave(service_handle);
    return track == NULL ? NULL : track->handle;
}

EXPORT agora_handle agora_service_create_custom_video_track_frame(agora_handle service, agora_handle sender) {
    return make_track(service, sender, true, __func__);
}

EXPORT agora_handle agora_service_create_custom_audio_track_pcm(agora_handle service, agora_handle sender) {
    return make_track(service, sender, false, __func__);
}

static void destroy_track(agora_handle handle, bool is_video, const char *caller) {
    struct track *track = thing_end(handle, is_video ? KIND_VIDEO_TRACK : KIND_AUDIO_TRACK, caller);
    if (track == NULL) {
        return;
    }
    world_write();
    struct connection *publisher = track->publisher;
    if (publisher != NULL) {
        pthread_mutex_lock(&publisher->lock);
        (is_video ? &publisher->video : &publisher->sound)->track = NULL;
        pthread_mutex_unlock(&publisher->lock);
        struct event event = {.type = EVENT_PUBLISH, .due_ms = now_ms()};
        post(publisher, &event, NULL, 0);
    }
    if (track->sender != NULL) {
        track->sender->track = NULL;
    }
    track->service->tracks--;
    world_release();
    if (publisher != NULL) {
        complain("%s: the track is published", caller);
    }
    poison(track, sizeof *track);
    count(COUNT_TRACKS, -1);
}

EXPORT void agora_local_video_track_destroy(agora_handle handle) {
    destroy_track(handle, true, __func__);
}

EXPORT void agora_local_audio_track_destroy(agora_handle handle) {
    destroy_track(handle, false, __func__);
}

static int32_t set_enabled(agora_handle handle, bool is_video, int32_t enabled, const char *caller) {
    struct track *track = thing_enter(handle, is_video ? KIND_VIDEO_TRACK : KIND_AUDIO_TRACK, caller);
    if (track == NULL) {
        return -ERROR_ARGUMENT;
    }
    bool is_right = check_range(enabled, 0, 1, "enabled", caller);
    if (is_right) {
        world_write();
        track->is_enabled = enabled == 1;
        if (track->publisher != NULL) {
            struct event event = {.type = EVENT_ENABLED, .due_ms = now_ms()};
            post(track->publisher, &event, NULL, 0);
        }
        world_release();
    }
    thing_leave(handle);
    return is_right ? 0 : -ERROR_ARGUMENT;
}

EXPORT int32_t agora_local_video_track_set_enabled(agora_handle handle, int32_t enabled) {
    return set_enabled(handle, true, enabled, __func__);
}

EXPORT int32_t agora_local_audio_track_set_enabled(agora_handle handle, int32_t enabled) {
    return set_enabled(handle, false, enabled, __func__);
}

EXPORT int32_t agora_local_video_track_set_video_encoder_config(agora_handle handle, const agora_video_encoder_config *config) {
    if (thing_enter(handle, KIND_VIDEO_TRACK, __func__) == NULL) {
        return -ERROR_ARGUMENT;
    }
    bool is_right = check_structure(config, sizeof *config, _Alignof(agora_video_encoder_config), "the configuration", __func__) &&
                    check_range(config->codec_type, 0, 20, "codec_type", __func__) &&
                    check_range(config->dimensions.width, 16, TOO_LARGE, "width", __func__) &&
                    check_range(config->dimensions.height, 16, TOO_LARGE, "height", __func__) &&
                    check_range(config->frame_rate, 1, 60, "frame_rate", __func__) &&
                    check_range(config->orientation_mode, 0, 2, "orientation_mode", __func__) &&
                    check_range(config->degradation_preference, -1, 100, "degradation_preference", __func__) &&
                    check_range(config->mirror_mode, 0, 2, "mirror_mode", __func__) && check_range(config->encode_alpha, 0, 1, "encode_alpha", __func__);
    /* 0 and -1 let the library choose; less than this is a figure in kilobits. */
    if (is_right && config->bitrate > 0) {
        is_right = check_range(config->bitrate, 10000, 100000000, "bitrate (bits a second)", __func__);
    }
    thing_leave(handle);
    return is_right ? 0 : -ERROR_ARGUMENT;
}

static void set_number(agora_handle handle, int32_t value, int32_t most, int32_t *(*field)(struct track *), const char *what, const char *caller) {
    struct track *track = thing_enter(handle, KIND_AUDIO_TRACK, caller);
    if (track != NULL) {
        if (check_range(value, 0, most, what, caller)) {
            world_write();
            *field(track) = value;
            world_release();
        }
        thing_leave(handle);
    }
}

static int32_t *send_delay(struct track *track) {
    return &track->send_delay_ms;
}

static int32_t *most_frames(struct track *track) {
    return &track->most_frames;
}

EXPORT void agora_local_audio_track_set_send_delay_ms(agora_handle handle, int32_t delay_ms) {
    set_number(handle, delay_ms, 10000, send_delay, "the delay", __func__);
}

EXPORT void agora_local_audio_track_set_max_bufferd_frame_number(agora_handle handle, int32_t frames) {
    set_number(handle, frames, INT32_MAX, most_frames, "the number of frames", __func__);
}

EXPORT int32_t agora_local_audio_track_clear_sender_buffer(agora_handle handle) {
    if (thing_enter(handle, KIND_AUDIO_TRACK, __func__) == NULL) {
        return -ERROR_ARGUMENT;
    }
    thing_leave(handle);
    return 0;
}

/* The connection that takes what this sender sends; NULL while it goes nowhere. The world is held. */
static struct connection *way_of(const struct sender *sender, bool is_video) {
    struct track *track = sender->track;
    struct connection *c = track == NULL || !track->is_enabled ? NULL : track->publisher;
    if (c == NULL || c->room == NULL || atomic_load(&c->is_paused)) {
        return NULL;
    }
    pthread_mutex_lock(&c->lock);
    bool is_published = (is_video ? c->video : c->sound).state == PUBLISH_DONE;
    pthread_mutex_unlock(&c->lock);
    return is_published ? c : NULL;
}

static bool is_frame(const agora_external_video_frame *frame, const char *caller) {
    if (!check_structure(frame, sizeof *frame, _Alignof(agora_external_video_frame), "the frame", caller) ||
        !check_range(frame->type, 1, 1, "type", caller) || !check_range(frame->format, 1, 1, "format", caller) ||
        !check_range(frame->stride, 1, TOO_LARGE, "stride", caller) || !check_range(frame->height, 1, TOO_LARGE, "height", caller)) {
        return false;
    }
    bool is_cropped_well = frame->crop_left >= 0 && frame->crop_right >= 0 && frame->crop_top >= 0 && frame->crop_bottom >= 0 &&
                           (int64_t)frame->crop_left + frame->crop_right < frame->stride &&
                           (int64_t)frame->crop_top + frame->crop_bottom < frame->height;
    if (!is_cropped_well) {
        complain("%s: nothing is left after cropping", caller);
        return false;
    }
    if (frame->rotation != 0 && frame->rotation != 90 && frame->rotation != 180 && frame->rotation != 270) {
        complain("%s: rotation is %d", caller, frame->rotation);
        return false;
    }
    bool has_extras = frame->egl_context != NULL || frame->texture_id != 0 || frame->metadata_size < 0 || frame->metadata_size > 1024 ||
                      (frame->metadata_size > 0 && frame->metadata_buffer == NULL) || frame->fill_alpha_buffer > 1;
    if (has_extras) {
        complain("%s: a field that isn't used holds something", caller);
        return false;
    }
    return check_memory(frame->buffer, i420_size(frame->stride, frame->height), "the picture's buffer", caller);
}

/* The picture without its cropped borders. */
static struct picture *picture_from(const agora_external_video_frame *frame) {
    int width = frame->stride - frame->crop_left - frame->crop_right, height = frame->height - frame->crop_top - frame->crop_bottom;
    struct picture *picture = picture_make(width, height);
    picture->rotation = frame->rotation;
    picture->time_ms = frame->timestamp;
    int from_chroma = (frame->stride + 1) / 2, from_rows = (frame->height + 1) / 2;
    int chroma = (width + 1) / 2, rows = (height + 1) / 2;
    const unsigned char *y = frame->buffer, *u = y + (size_t)frame->stride * (size_t)frame->height;
    const unsigned char *v = u + (size_t)from_chroma * (size_t)from_rows;
    size_t luma_start = (size_t)frame->crop_top * (size_t)frame->stride + (size_t)frame->crop_left;
    size_t chroma_start = (size_t)(frame->crop_top / 2) * (size_t)from_chroma + (size_t)(frame->crop_left / 2);
    unsigned char *into = picture->data;
    copy_plane(into, width, y + luma_start, frame->stride, width, height);
    into += (size_t)width * (size_t)height;
    copy_plane(into, chroma, u + chroma_start, from_chroma, chroma, rows);
    into += (size_t)chroma * (size_t)rows;
    copy_plane(into, chroma, v + chroma_start, from_chroma, chroma, rows);
    return picture;
}

EXPORT int32_t agora_video_frame_sender_send(agora_handle handle, const agora_external_video_frame *frame) {
    struct sender *sender = thing_enter(handle, KIND_VIDEO_SENDER, __func__);
    if (sender == NULL) {
        return -ERROR_ARGUMENT;
    }
    bool is_right = is_frame(frame, __func__);
    if (is_right) {
        world_read();
        struct connection *c = way_of(sender, true);
        if (c != NULL) {
            count(COUNT_FRAMES_SENT, 1);
            if (room_is_watched(c->room)) {
                struct picture *picture = picture_from(frame);
                room_show(c->room, picture);
                picture_drop(picture);
            }
        }
        world_release();
    }
    thing_leave(handle);
    return is_right ? 0 : -ERROR_ARGUMENT;
}

EXPORT int32_t agora_audio_pcm_data_sender_send(agora_handle handle, const void *samples, uint32_t capture_ms, int64_t presentation_ms,
                                                uint32_t samples_per_channel, uint32_t bytes_per_sample, uint32_t channels,
                                                uint32_t samples_per_sec) {
    struct sender *sender = thing_enter(handle, KIND_AUDIO_SENDER, __func__);
    if (sender == NULL) {
        return -ERROR_ARGUMENT;
    }
    bool is_right = check_range(bytes_per_sample, 2, 2, "bytes_per_sample", __func__) && check_range(channels, 1, 2, "channels", __func__) &&
                    check_range(samples_per_sec, 8000, 48000, "samples_per_sec", __func__) &&
                    check_range(samples_per_channel, 1, samples_per_sec / 10, "samples_per_channel", __func__);
    if (is_right && samples_per_channel * 1000 % samples_per_sec != 0) {
        complain("%s: %u samples of %u Hz are not whole milliseconds", __func__, samples_per_channel, samples_per_sec);
        is_right = false;
    }
    is_right = is_right && check_memory(samples, (size_t)samples_per_channel * channels * bytes_per_sample, "the samples", __func__);
    if (is_right && (uintptr_t)samples % sizeof(int16_t) != 0) {
        complain("%s: the samples are misaligned", __func__);
        is_right = false;
    }
    if (is_right) {
        struct sound sound = {(int)samples_per_sec, (int)channels, (int)samples_per_channel, presentation_ms, samples};
        if (presentation_ms == 0) {
            sound.time_ms = capture_ms;
        }
        world_read();
        struct connection *c = way_of(sender, false);
        if (c != NULL) {
            count(COUNT_PCM_SENT, 1);
            room_play(c->room, &sound);
            int level = loudness(&sound);
            pthread_mutex_lock(&c->lock);
            c->own_volume = level > c->own_volume ? level : c->own_volume;
            pthread_mutex_unlock(&c->lock);
        }
        world_release();
    }
    thing_leave(handle);
    return is_right ? 0 : -ERROR_ARGUMENT;
}

/* Real libraries of this age have these; we never call them. */
EXPORT agora_handle agora_audio_sink_create(void *observer) {
    (void)observer;
    complain("%s: not used by us", __func__);
    return NULL;
}

EXPORT int32_t agora_local_audio_track_set_total_extra_send_ms(agora_handle track, uint64_t milliseconds) {
    (void)milliseconds;
    if (thing_enter(track, KIND_AUDIO_TRACK, __func__) == NULL) {
        return -ERROR_ARGUMENT;
    }
    thing_leave(track);
    return 0;
}
