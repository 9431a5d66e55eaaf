/* Channels: entering, leaving, and what is published in them. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../gateway/things.h"
#include "../system.h"
#include "engine.h"

struct channel *channel_main(struct engine *engine) {
    for (struct channel *channel = engine->channels; channel != NULL; channel = channel->next) {
        if (channel->is_main && !channel->is_left) {
            return channel;
        }
    }
    return NULL;
}

struct channel *channel_named(struct engine *engine, const char *name, uint32_t uid) {
    for (struct channel *channel = engine->channels; channel != NULL; channel = channel->next) {
        bool is_it = name != NULL && strcmp(channel->body->channel, name) == 0 && strtoul(channel->body->uid, NULL, 10) == uid;
        if (is_it && !channel->is_left) {
            return channel;
        }
    }
    return NULL;
}

static void set_up(struct engine *engine, struct channel *channel) {
    observe(channel);
    channel->user = agora_rtc_conn_get_local_user(channel->connection);
    /* The richest, from which everything asked for can be made. */
    agora_local_user_set_playback_audio_frame_before_mixing_parameters(channel->user, 2, 48000);
    agora_local_user_set_audio_volume_indication_parameters(channel->user, engine->volume_interval, 3, 1);
    agora_rtc_conn_register_observer(channel->connection, &channel->connection_table.table);
    agora_local_user_register_observer(channel->user, &channel->user_table.table);
    agora_local_user_register_audio_frame_observer(channel->user, &channel->sound_table.table);
    channel->observer = agora_video_frame_observer2_create(&channel->video_table.table);
    agora_local_user_register_video_frame_observer(channel->user, channel->observer);
    channel->video_sender = agora_media_node_factory_create_video_frame_sender(engine->factory);
    channel->video_track = agora_service_create_custom_video_track_frame(engine->service, channel->video_sender);
    channel->sound_sender = agora_media_node_factory_create_audio_pcm_data_sender(engine->factory);
    channel->sound_track = agora_service_create_custom_audio_track_pcm(engine->service, channel->sound_sender);
    if (engine->encryption_mode != 0) {
        agora_encryption_config config = {.encryption_mode = engine->encryption_mode, .encryption_key = engine->encryption_key};
        memcpy(config.encryption_kdf_salt, engine->encryption_salt, sizeof config.encryption_kdf_salt);
        agora_rtc_conn_enable_encryption(channel->connection, 1, &config);
    }
}

int channel_join(struct engine *engine, bool is_main, const char *token, const char *name, uint32_t uid, const struct json *options) {
    agora_rtc_conn_config config = {
        .auto_subscribe_audio = json_flag(options, "autoSubscribeAudio", true),
        .auto_subscribe_video = json_flag(options, "autoSubscribeVideo", true),
        .client_role_type = (int32_t)json_integer(options, "clientRoleType", engine->channel_profile == 1 ? ROLE_AUDIENCE : ROLE_BROADCASTER),
        .channel_profile = (int32_t)json_integer(options, "channelProfile", engine->channel_profile),
    };
    struct channel *channel = make(sizeof *channel);
    channel->is_main = is_main;
    channel->connection = agora_rtc_conn_create(engine->service, &config);
    if (channel->connection == NULL) {
        free(channel);
        return -ERROR_FAILED;
    }
    channel->body = thing_body(channel->connection, KIND_CONNECTION);
    set_up(engine, channel);
    pthread_mutex_lock(&engine->lock);
    channel->next = engine->channels;
    engine->channels = channel;
    pthread_mutex_unlock(&engine->lock);
    char text[16];
    snprintf(text, sizeof text, "%u", (unsigned)uid);
    channel_update(engine, channel, options);
    int answer = agora_rtc_conn_connect(channel->connection, token, name, text);
    if (answer != 0) {
        pthread_mutex_lock(&engine->lock);
        /* The engine's thread may be using it, so that is who takes it down. */
        channel->is_left = channel->is_over = true;
        pthread_mutex_unlock(&engine->lock);
    }
    return answer;
}

void channel_update(struct engine *engine, struct channel *channel, const struct json *options) {
    pthread_mutex_lock(&engine->lock);
    bool camera = json_flag(options, "publishCameraTrack", channel->video == SOURCE_CAMERA);
    bool screen = json_flag(options, "publishScreenTrack", channel->video == SOURCE_SCREEN) ||
                  json_flag(options, "publishScreenCaptureVideo", channel->video == SOURCE_SCREEN);
    bool custom = json_flag(options, "publishCustomVideoTrack", channel->video == SOURCE_CUSTOM);
    if (camera + screen + custom > 1) {
        complain("a connection publishes one video track, not several");
    }
    channel->video = custom ? SOURCE_CUSTOM : screen ? SOURCE_SCREEN : camera ? SOURCE_CAMERA : SOURCE_NONE;
    channel->video_track_id = (uint32_t)json_integer(options, "customVideoTrackId", channel->video_track_id);
    channel->has_microphone = json_flag(options, "publishMicrophoneTrack", channel->has_microphone);
    channel->has_custom_sound = json_flag(options, "publishCustomAudioTrack", channel->has_custom_sound);
    channel->sound_track_id = (uint32_t)json_integer(options, "publishCustomAudioTrackId", channel->sound_track_id);
    pthread_mutex_unlock(&engine->lock);
    pthread_mutex_lock(&channel->body->lock);
    channel->body->subscribes_video = json_flag(options, "autoSubscribeVideo", channel->body->subscribes_video);
    channel->body->subscribes_sound = json_flag(options, "autoSubscribeAudio", channel->body->subscribes_sound);
    int64_t role = json_integer(options, "clientRoleType", channel->body->config.client_role_type);
    channel->body->config.client_role_type = role == ROLE_AUDIENCE ? ROLE_AUDIENCE : ROLE_BROADCASTER;
    pthread_mutex_unlock(&channel->body->lock);
    channels_settle(engine);
}

/* A custom track has to exist, screens have to be captured; the camera is there once video is on. */
static bool has_picture(const struct engine *engine, const struct channel *channel) {
    switch (channel->video) {
    case SOURCE_CAMERA:
        return engine->has_video && engine->has_local_video;
    case SOURCE_SCREEN:
        return engine->screen.is_on;
    case SOURCE_CUSTOM:
        return true;
    default:
        return false;
    }
}

static void settle(struct engine *engine, struct channel *channel) {
    pthread_mutex_lock(&engine->lock);
    bool is_audience = channel->body->config.client_role_type == ROLE_AUDIENCE;
    bool video = channel->video != SOURCE_NONE && !is_audience && !channel->is_left;
    bool sound = (channel->has_microphone || channel->has_custom_sound) && !is_audience && !channel->is_left;
    bool video_on = has_picture(engine, channel) && !engine->mutes_video;
    bool sound_on = engine->has_sound && !engine->mutes_sound && (channel->has_custom_sound || engine->has_local_sound);
    bool was_video = channel->is_video_published, was_sound = channel->is_sound_published;
    channel->is_video_published = video;
    channel->is_sound_published = sound;
    pthread_mutex_unlock(&engine->lock);
    agora_local_video_track_set_enabled(channel->video_track, video_on);
    agora_local_audio_track_set_enabled(channel->sound_track, sound_on);
    if (video != was_video) {
        (video ? agora_local_user_publish_video : agora_local_user_unpublish_video)(channel->user, channel->video_track);
    }
    if (sound != was_sound) {
        (sound ? agora_local_user_publish_audio : agora_local_user_unpublish_audio)(channel->user, channel->sound_track);
    }
}

/* Only calls change the list, one at a time, and the engine's thread while no call runs. */
void channels_settle(struct engine *engine) {
    pthread_mutex_lock(&engine->lock);
    struct channel *channel = engine->channels;
    pthread_mutex_unlock(&engine->lock);
    for (; channel != NULL; channel = channel->next) {
        if (!channel->is_left) {
            settle(engine, channel);
        }
    }
}

void channel_leave(struct channel *channel) {
    struct engine *engine = living_engine();
    pthread_mutex_lock(&engine->lock);
    channel->is_left = true;
    pthread_mutex_unlock(&engine->lock);
    settle(engine, channel);
    agora_rtc_conn_disconnect(channel->connection);
}

void channel_destroy(struct engine *engine, struct channel *channel) {
    if (channel->is_video_published) {
        agora_local_user_unpublish_video(channel->user, channel->video_track);
    }
    if (channel->is_sound_published) {
        agora_local_user_unpublish_audio(channel->user, channel->sound_track);
    }
    agora_rtc_conn_disconnect(channel->connection);
    agora_local_user_unregister_observer(channel->user);
    agora_local_user_unregister_audio_frame_observer(channel->user);
    agora_local_user_unregister_video_frame_observer(channel->user, channel->observer);
    agora_rtc_conn_unregister_observer(channel->connection);
    agora_video_frame_observer2_destroy(channel->observer);
    agora_local_video_track_destroy(channel->video_track);
    agora_local_audio_track_destroy(channel->sound_track);
    agora_video_frame_sender_destroy(channel->video_sender);
    agora_audio_pcm_data_sender_destroy(channel->sound_sender);
    /* Until here its threads may look for it; they end with it. */
    agora_rtc_conn_destroy(channel->connection);
    pthread_mutex_lock(&engine->lock);
    struct channel **at = &engine->channels;
    while (*at != NULL && *at != channel) {
        at = &(*at)->next;
    }
    if (*at == channel) {
        *at = channel->next;
    }
    pthread_mutex_unlock(&engine->lock);
    while (channel->voices != NULL) {
        struct voice *voice = channel->voices;
        channel->voices = voice->next;
        free(voice);
    }
    free(channel);
}
