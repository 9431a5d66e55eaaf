/* MediaEngine: what the caller pushes in and takes out. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../checks.h"
#include "../system.h"
#include "engine.h"

int register_video_listener(struct call *call);
int unregister_video_listener(struct call *call);
int register_sound_listener(struct call *call);
int unregister_sound_listener(struct call *call);

/* What a real engine answers when it makes no track. */
#define NO_TRACK 0xffffffffu

static int create_track(struct call *call, uint32_t tracks[MOST_TRACKS]) {
    struct engine *engine = call->engine;
    if (!engine->is_ready) {
        return answer_result(call, NO_TRACK);
    }
    uint32_t id = NO_TRACK;
    pthread_mutex_lock(&engine->lock);
    for (int i = 0; i < MOST_TRACKS && id == NO_TRACK; i++) {
        if (tracks[i] == 0) {
            id = tracks[i] = ++engine->next_track;
            count(COUNT_TRACKS, 1);
        }
    }
    pthread_mutex_unlock(&engine->lock);
    return answer_result(call, id);
}

static bool has_track(struct engine *engine, const uint32_t tracks[MOST_TRACKS], int64_t id) {
    bool has = false;
    pthread_mutex_lock(&engine->lock);
    for (int i = 0; i < MOST_TRACKS; i++) {
        has = has || (id > 0 && tracks[i] == id);
    }
    pthread_mutex_unlock(&engine->lock);
    return has;
}

static int destroy_track(struct call *call, uint32_t tracks[MOST_TRACKS], const char *key) {
    int64_t id = json_integer(call->arguments, key, -1);
    if (!has_track(call->engine, tracks, id)) {
        complain("%s: there is no track %lld", call->method, (long long)id);
        return answer_result(call, -ERROR_ARGUMENT);
    }
    pthread_mutex_lock(&call->engine->lock);
    for (int i = 0; i < MOST_TRACKS; i++) {
        if (tracks[i] == id) {
            tracks[i] = 0;
            count(COUNT_TRACKS, -1);
        }
    }
    pthread_mutex_unlock(&call->engine->lock);
    return answer_result(call, 0);
}

static int create_video_track(struct call *call) {
    return create_track(call, call->engine->video_tracks);
}

static int destroy_video_track(struct call *call) {
    return destroy_track(call, call->engine->video_tracks, "video_track_id");
}

static int create_sound_track(struct call *call) {
    return create_track(call, call->engine->sound_tracks);
}

static int destroy_sound_track(struct call *call) {
    return destroy_track(call, call->engine->sound_tracks, "trackId");
}

static int set_external_source(struct call *call) {
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    pthread_mutex_lock(&call->engine->lock);
    call->engine->has_external_video = json_flag(call->arguments, "enabled", false);
    pthread_mutex_unlock(&call->engine->lock);
    return answer_result(call, 0);
}

/* Who is fed by a pushed picture: those that publish this track, or with the external source (track 0) the camera's place. */
static int fed_by_video(struct engine *engine, uint32_t id, agora_handle senders[MOST_TRACKS]) {
    int n = 0;
    pthread_mutex_lock(&engine->lock);
    for (struct channel *channel = engine->channels; channel != NULL && n < MOST_TRACKS; channel = channel->next) {
        bool is_it = id == 0 ? channel->video == SOURCE_CAMERA : channel->video == SOURCE_CUSTOM && channel->video_track_id == id;
        if (is_it && !channel->is_left) {
            senders[n++] = channel->video_sender;
        }
    }
    pthread_mutex_unlock(&engine->lock);
    return n;
}

static int push_video(struct call *call) {
    struct engine *engine = call->engine;
    const struct json *json = json_member(call->arguments, "frame");
    int64_t id = json_integer(call->arguments, "videoTrackId", 0);
    if (!engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (id == 0 ? !engine->has_external_video : !has_track(engine, engine->video_tracks, id)) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    int64_t stride = json_integer(json, "stride", 0), height = json_integer(json, "height", 0);
    if (call->param->buffer_count != 5 || !check_range(stride, 1, 8192, "stride", call->method) || !check_range(height, 1, 8192, "height", call->method)) {
        complain("%s: %u buffers, or no size", call->method, call->param->buffer_count);
        return answer_result(call, -ERROR_ARGUMENT);
    }
    void *pixels = call_buffer(call, 0, (uint32_t)i420_size((int)stride, (int)height));
    agora_external_video_frame frame = {
        .type = (int32_t)json_integer(json, "type", 0),
        .format = (int32_t)json_integer(json, "format", 0),
        .buffer = pixels,
        .stride = (int32_t)stride,
        .height = (int32_t)height,
        .crop_left = (int32_t)json_integer(json, "cropLeft", 0),
        .crop_top = (int32_t)json_integer(json, "cropTop", 0),
        .crop_right = (int32_t)json_integer(json, "cropRight", 0),
        .crop_bottom = (int32_t)json_integer(json, "cropBottom", 0),
        .rotation = (int32_t)json_integer(json, "rotation", 0),
        .timestamp = json_integer(json, "timestamp", 0),
    };
    agora_handle senders[MOST_TRACKS];
    int n = fed_by_video(engine, (uint32_t)id, senders);
    int outcome = pixels == NULL ? -ERROR_ARGUMENT : 0;
    for (int i = 0; i < n && outcome == 0; i++) {
        outcome = agora_video_frame_sender_send(senders[i], &frame);
    }
    return answer_result(call, outcome);
}

static int push_sound(struct call *call) {
    struct engine *engine = call->engine;
    const struct json *json = json_member(call->arguments, "frame");
    int64_t id = json_integer(call->arguments, "trackId", 0);
    if (!engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (!has_track(engine, engine->sound_tracks, id)) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    int64_t samples = json_integer(json, "samplesPerChannel", 0), channels = json_integer(json, "channels", 0);
    int64_t bytes = json_integer(json, "bytesPerSample", 0), rate = json_integer(json, "samplesPerSec", 0);
    if (!check_range(samples, 1, 48000, "samplesPerChannel", call->method) || !check_range(channels, 1, 2, "channels", call->method) ||
        !check_range(bytes, 2, 2, "bytesPerSample", call->method)) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    void *data = call_buffer(call, 0, (uint32_t)(samples * channels * bytes));
    agora_handle senders[MOST_TRACKS];
    int n = 0;
    pthread_mutex_lock(&engine->lock);
    for (struct channel *channel = engine->channels; channel != NULL && n < MOST_TRACKS; channel = channel->next) {
        if (channel->has_custom_sound && channel->sound_track_id == id && !channel->is_left) {
            senders[n++] = channel->sound_sender;
        }
    }
    pthread_mutex_unlock(&engine->lock);
    int outcome = data == NULL ? -ERROR_ARGUMENT : 0;
    for (int i = 0; i < n && outcome == 0; i++) {
        outcome = agora_audio_pcm_data_sender_send(senders[i], data, 0, json_integer(json, "renderTimeMs", 0), (uint32_t)samples, (uint32_t)bytes,
                                                   (uint32_t)channels, (uint32_t)rate);
    }
    return answer_result(call, outcome);
}

/* Rate and channels of a request, in [0] and [1]; false after a complaint. */
static bool read_format(struct call *call, const char *channels_key, int format[2]) {
    int64_t rate = json_integer(call->arguments, "sampleRate", 0), channels = json_integer(call->arguments, channels_key, 0);
    if (!check_range(rate, 8000, 48000, "sampleRate", call->method) || !check_range(channels, 1, 2, channels_key, call->method)) {
        return false;
    }
    format[0] = (int)rate;
    format[1] = (int)channels;
    return true;
}

static int set_format(struct call *call, const char *channels_key, int *rate, int *channels) {
    int format[2];
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (!read_format(call, channels_key, format)) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    pthread_mutex_lock(&call->engine->lock);
    *rate = format[0];
    *channels = format[1];
    pthread_mutex_unlock(&call->engine->lock);
    return answer_result(call, 0);
}

static int set_mixing_format(struct call *call) {
    return set_format(call, "channel", &call->engine->mixing_rate, &call->engine->mixing_channels);
}

static int set_playback_format(struct call *call) {
    return set_format(call, "channel", &call->engine->playback_rate, &call->engine->playback_channels);
}

static int set_recording_format(struct call *call) {
    return set_format(call, "channel", &call->engine->recording_rate, &call->engine->recording_channels);
}

static int set_sink(struct call *call) {
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (!json_flag(call->arguments, "enabled", false)) {
        pthread_mutex_lock(&call->engine->lock);
        call->engine->sink_rate = 0;
        pthread_mutex_unlock(&call->engine->lock);
        return answer_result(call, 0);
    }
    return set_format(call, "channels", &call->engine->sink_rate, &call->engine->sink_channels);
}

/* Writes into the caller's buffer; what nobody said is silence. */
static int pull_sound(struct call *call) {
    struct engine *engine = call->engine;
    const struct json *json = json_member(call->arguments, "frame");
    int64_t samples = json_integer(json, "samplesPerChannel", 0);
    if (!engine->is_ready || engine->sink_rate == 0) {
        return answer_result(call, engine->is_ready ? -ERROR_STATE : -ERROR_NOT_INITIALIZED);
    }
    if (!check_range(samples, 1, 4800, "samplesPerChannel", call->method) ||
        !check_range(json_integer(json, "samplesPerSec", 0), engine->sink_rate, engine->sink_rate, "samplesPerSec", call->method) ||
        !check_range(json_integer(json, "channels", 0), engine->sink_channels, engine->sink_channels, "channels", call->method) ||
        !check_range(json_integer(json, "bytesPerSample", 0), 2, 2, "bytesPerSample", call->method)) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    int16_t *into = call_buffer(call, 0, (uint32_t)(samples * engine->sink_channels * 2));
    if (into == NULL) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    int wide = (int)(samples * 48000 / engine->sink_rate);
    int16_t *mixed = make((size_t)wide * 4);
    mix_voices(engine, mixed, wide);
    struct sound sound = {48000, 2, wide, 0, mixed};
    convert_sound(&sound, into, (int)samples, engine->sink_channels);
    free(mixed);
    return answer_result(call, 0);
}

const struct method media_methods[] = {
    {"MediaEngine_registerVideoFrameObserver_2cc0ef1", register_video_listener},
    {"MediaEngine_unregisterVideoFrameObserver", unregister_video_listener},
    {"MediaEngine_registerAudioFrameObserver_d873a64", register_sound_listener},
    {"MediaEngine_unregisterAudioFrameObserver", unregister_sound_listener},
    {"RtcEngine_createCustomVideoTrack", create_video_track},
    {"RtcEngine_destroyCustomVideoTrack_3019423", destroy_video_track},
    {"MediaEngine_createCustomAudioTrack_5a0bf1a", create_sound_track},
    {"MediaEngine_destroyCustomAudioTrack_6178b5d", destroy_sound_track},
    {"MediaEngine_setExternalVideoSource_fff99b6", set_external_source},
    {"MediaEngine_pushVideoFrame_4e544e2", push_video},
    {"MediaEngine_pushAudioFrame_c71f4ab", push_sound},
    {"MediaEngine_setExternalAudioSink_d275ce0", set_sink},
    {"MediaEngine_pullAudioFrame_2c74a9c", pull_sound},
    {"RtcEngine_setPlaybackAudioFrameBeforeMixingParameters_ee7e270", set_mixing_format},
    {"RtcEngine_setPlaybackAudioFrameParameters_bd46d1d", set_playback_format},
    {"RtcEngine_setRecordingAudioFrameParameters_bd46d1d", set_recording_format},
    {NULL, NULL},
};
