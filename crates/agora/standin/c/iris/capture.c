/* The engine's own thread: a camera, a microphone and screens that are made up, the mixed sound, and events that wait. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../gateway/things.h"
#include "../system.h"
#include "engine.h"

#define TONE_HZ 440
#define BLOCK 480 /* ten milliseconds at 48 kHz */

/* Who is fed at the moment. The list changes on this thread or while the engine's thread holds no channel. */
static int senders_of(struct engine *engine, enum source source, agora_handle senders[MOST_TRACKS]) {
    int n = 0;
    pthread_mutex_lock(&engine->lock);
    for (struct channel *channel = engine->channels; channel != NULL && n < MOST_TRACKS; channel = channel->next) {
        if (channel->video == source && !channel->is_left && channel->is_video_published) {
            senders[n++] = channel->video_sender;
        }
    }
    pthread_mutex_unlock(&engine->lock);
    return n;
}

/* Stripes that move downwards, a colour for each kind of source. */
static unsigned char *paint(const struct scene *scene, int type) {
    int width = scene->width, height = scene->height, chroma = (width + 1) / 2, rows = (height + 1) / 2;
    unsigned char *planes = malloc(i420_size(width, height));
    if (planes == NULL) {
        abort();
    }
    for (int row = 0; row < height; row++) {
        memset(planes + (size_t)row * (size_t)width, 32 + (int)((uint32_t)row + scene->turn * 4) % 192, (size_t)width);
    }
    unsigned char *u = planes + (size_t)width * (size_t)height, *v = u + (size_t)chroma * (size_t)rows;
    memset(u, type == TYPE_SCREEN ? 90 : 150, (size_t)chroma * (size_t)rows);
    memset(v, type == TYPE_SCREEN ? 100 : 140, (size_t)chroma * (size_t)rows);
    return planes;
}

static void tell_captured(struct engine *engine, const struct scene *scene, int type, unsigned char *planes) {
    int chroma = (scene->width + 1) / 2, rows = (scene->height + 1) / 2;
    struct writer w = {0};
    write_format(&w,
                 "{\"sourceType\":%d,\"videoFrame\":{\"type\":1,\"width\":%d,\"height\":%d,\"yStride\":%d,\"uStride\":%d,\"vStride\":%d,"
                 "\"rotation\":0,\"renderTimeMs\":%lld,\"avsync_type\":0,\"metadata_size\":0,\"textureId\":0,\"alphaStitchMode\":0}}",
                 type, scene->width, scene->height, scene->width, chroma, chroma, (long long)now_ms());
    size_t luma = (size_t)scene->width * (size_t)scene->height, part = (size_t)chroma * (size_t)rows;
    void *buffers[5] = {planes, planes + luma, planes + luma + part, NULL, NULL};
    uint32_t lengths[5] = {(uint32_t)luma, (uint32_t)part, (uint32_t)part, 0, 0};
    emit(engine, LISTENER_VIDEO, "VideoFrameObserver_onCaptureVideoFrame_1673590", writer_take(&w), buffers, lengths, 5);
}

static void tell_local_state(struct engine *engine, int type, int state) {
    struct writer w = {0};
    write_format(&w, "{\"source\":%d,\"state\":%d,\"reason\":0}", type, state);
    emit(engine, LISTENER_ENGINE, "RtcEngineEventHandler_onLocalVideoStateChanged_a44228a", writer_take(&w), NULL, NULL, 0);
}

static void shoot(struct engine *engine, struct scene *scene, int type) {
    unsigned char *planes = paint(scene, type);
    agora_external_video_frame frame = {
        .type = 1, .format = 1, .buffer = planes, .stride = scene->width, .height = scene->height, .timestamp = now_ms()};
    agora_handle senders[MOST_TRACKS];
    int n = senders_of(engine, type == TYPE_SCREEN ? SOURCE_SCREEN : SOURCE_CAMERA, senders);
    for (int i = 0; i < n; i++) {
        agora_video_frame_sender_send(senders[i], &frame);
    }
    if (scene->turn == 0) {
        struct writer w = {0};
        write_format(&w, "{\"source\":%d,\"width\":%d,\"height\":%d,\"elapsed\":%d}", type, scene->width, scene->height,
                     (int)(now_ms() - scene->since_ms));
        emit(engine, LISTENER_ENGINE, "RtcEngineEventHandler_onFirstLocalVideoFrame_ebdfd19", writer_take(&w), NULL, NULL, 0);
        tell_local_state(engine, type, 2);
    }
    tell_captured(engine, scene, type, planes);
    poison(planes, i420_size(scene->width, scene->height));
}

/* The camera runs for a preview, or because somebody is to see it. The lock is held. */
static bool is_camera_wanted(const struct engine *engine) {
    bool is_published = false;
    for (const struct channel *channel = engine->channels; channel != NULL; channel = channel->next) {
        is_published = is_published || (channel->video == SOURCE_CAMERA && channel->is_video_published);
    }
    return engine->has_video && engine->has_local_video && !engine->has_external_video && (engine->is_previewing || is_published);
}

static void run_scene(struct engine *engine, struct scene *scene, int type, bool is_wanted, int64_t now) {
    bool begins, ends, is_due;
    struct scene copy;
    pthread_mutex_lock(&engine->lock);
    /* A screen is switched by calls, the camera by need. */
    begins = is_wanted && scene->since_ms == 0;
    ends = !is_wanted && scene->since_ms != 0;
    if (begins) {
        scene->since_ms = scene->next_ms = now;
        scene->turn = 0;
    }
    if (ends) {
        scene->since_ms = 0;
    }
    is_due = is_wanted && now >= scene->next_ms;
    if (is_due) {
        int64_t next = scene->next_ms + 1000 / scene->rate;
        scene->next_ms = next < now ? now : next;
    }
    copy = *scene;
    scene->turn += is_due;
    pthread_mutex_unlock(&engine->lock);
    if (begins) {
        tell_local_state(engine, type, 1);
    }
    if (is_due) {
        shoot(engine, &copy, type);
    }
    if (ends) {
        tell_local_state(engine, type, 0);
    }
}

static void tell_sound(struct engine *engine, const char *name, const struct sound *sound, int rate, int channels) {
    int samples = sound->samples * (rate > 0 ? rate : sound->rate) / sound->rate;
    int into = rate > 0 ? channels : sound->channels;
    size_t size = (size_t)(samples * into) * sizeof(int16_t);
    int16_t *converted = make(size);
    convert_sound(sound, converted, samples, into);
    struct writer w = {0};
    write_format(&w,
                 "{\"channelId\":\"\",\"audioFrame\":{\"type\":0,\"samplesPerChannel\":%d,\"bytesPerSample\":2,\"channels\":%d,"
                 "\"samplesPerSec\":%d,\"renderTimeMs\":%lld,\"avsync_type\":0,\"presentationMs\":0,\"audioTrackNumber\":0,\"rtpTimestamp\":0}}",
                 samples, into, rate > 0 ? rate : sound->rate, (long long)now_ms());
    void *buffers[1] = {converted};
    uint32_t lengths[1] = {(uint32_t)size};
    emit(engine, LISTENER_SOUND, name, writer_take(&w), buffers, lengths, 1);
    poison(converted, size);
}

static void run_microphone(struct engine *engine, uint64_t turn) {
    agora_handle senders[MOST_TRACKS];
    int n = 0;
    pthread_mutex_lock(&engine->lock);
    for (struct channel *channel = engine->channels; channel != NULL && n < MOST_TRACKS; channel = channel->next) {
        if (channel->has_microphone && channel->is_sound_published && !channel->is_left) {
            senders[n++] = channel->sound_sender;
        }
    }
    bool is_on = engine->has_sound && engine->has_local_sound && n > 0;
    int rate = engine->recording_rate, channels = engine->recording_channels, volume = engine->microphone_volume;
    pthread_mutex_unlock(&engine->lock);
    if (!is_on) {
        return;
    }
    int16_t samples[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
        double at = (double)(turn * BLOCK + (uint64_t)i) / 48000;
        samples[i] = (int16_t)(30.0 * volume * sin(2 * M_PI * TONE_HZ * at));
    }
    for (int i = 0; i < n; i++) {
        agora_audio_pcm_data_sender_send(senders[i], samples, 0, now_ms(), BLOCK, 2, 1, 48000);
    }
    if (rate > 0) {
        struct sound sound = {48000, 1, BLOCK, now_ms(), samples};
        tell_sound(engine, "AudioFrameObserverBase_onRecordAudioFrame_4c8de15", &sound, rate, channels);
    }
}

bool mix_voices(struct engine *engine, int16_t *into, int samples) {
    bool any = false;
    memset(into, 0, (size_t)samples * 4);
    pthread_mutex_lock(&engine->lock);
    for (struct channel *channel = engine->channels; channel != NULL; channel = channel->next) {
        for (struct voice *voice = channel->voices; voice != NULL; voice = voice->next) {
            int part = voice->have < samples ? voice->have : samples;
            for (int i = 0; i < part * 2; i++) {
                int sum = into[i] + voice->samples[i];
                into[i] = (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
            }
            voice->have -= part;
            memmove(voice->samples, voice->samples + part * 2, (size_t)voice->have * 4);
            any = any || part > 0;
        }
    }
    pthread_mutex_unlock(&engine->lock);
    return any;
}

/* What would go to the loudspeaker; with an external sink the caller pulls it instead. */
static void run_loudspeaker(struct engine *engine) {
    pthread_mutex_lock(&engine->lock);
    bool is_external = engine->sink_rate > 0;
    int rate = engine->playback_rate, channels = engine->playback_channels;
    pthread_mutex_unlock(&engine->lock);
    int16_t mixed[BLOCK * 2];
    if (is_external || !mix_voices(engine, mixed, BLOCK) || rate == 0) {
        return;
    }
    struct sound sound = {48000, 2, BLOCK, now_ms(), mixed};
    tell_sound(engine, "AudioFrameObserverBase_onPlaybackAudioFrame_4c8de15", &sound, rate, channels);
}

static void tell_pending(struct engine *engine) {
    for (;;) {
        pthread_mutex_lock(&engine->lock);
        struct pending *pending = engine->first_pending;
        if (pending != NULL) {
            engine->first_pending = pending->next;
            if (pending->next == NULL) {
                engine->last_pending = NULL;
            }
        }
        pthread_mutex_unlock(&engine->lock);
        if (pending == NULL) {
            return;
        }
        for (long long n = knob(KNOB_BURST); n > 1; n--) {
            emit(engine, pending->listener, pending->name, strdup(pending->data), NULL, NULL, 0);
        }
        emit(engine, pending->listener, pending->name, pending->data, NULL, NULL, 0);
        free(pending);
    }
}

/* Takes one channel that was left out of the list, unless a call is under way: then the next turn will. */
static struct channel *take_over(struct engine *engine) {
    if (pthread_mutex_trylock(&engine->calls) != 0) {
        return NULL;
    }
    pthread_mutex_lock(&engine->lock);
    struct channel **at = &engine->channels;
    while (*at != NULL && !(*at)->is_over) {
        at = &(*at)->next;
    }
    struct channel *over = *at;
    if (over != NULL) {
        *at = over->next;
    }
    pthread_mutex_unlock(&engine->lock);
    pthread_mutex_unlock(&engine->calls);
    return over;
}

/* Taking down waits for callbacks, and those may wait for whoever is calling us: so no call is kept waiting meanwhile. */
static void reap(struct engine *engine) {
    for (struct channel *over = take_over(engine); over != NULL; over = take_over(engine)) {
        channel_destroy(engine, over);
    }
}

void *run_engine(void *context) {
    struct engine *engine = context;
    int64_t next = now_ms();
    for (uint64_t turn = 0;; turn++) {
        pthread_mutex_lock(&engine->lock);
        int64_t now = now_ms();
        next = next + 10 < now - 100 ? now : next + 10;
        while (!engine->is_ending && engine->first_pending == NULL && now_ms() < next) {
            wait_ms(&engine->changed, &engine->lock, next - now_ms());
        }
        bool is_ending = engine->is_ending;
        bool camera = is_camera_wanted(engine), screen = engine->screen.is_on;
        pthread_mutex_unlock(&engine->lock);
        tell_pending(engine);
        if (is_ending) {
            return NULL;
        }
        now = now_ms();
        if (now < next) {
            /* Woken for an event only. */
            next -= 10;
            continue;
        }
        run_scene(engine, &engine->camera, TYPE_CAMERA, camera, now);
        run_scene(engine, &engine->screen, TYPE_SCREEN, screen, now);
        run_microphone(engine, turn);
        run_loudspeaker(engine);
        reap(engine);
    }
}
