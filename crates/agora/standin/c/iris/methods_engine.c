/* RtcEngine: the engine itself and its switches. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../checks.h"
#include "../gateway/things.h"
#include "../system.h"
#include "engine.h"

#define VERSION "4.6.2"
#define BUILD 31618

int register_engine_listener(struct call *call);
int unregister_engine_listener(struct call *call);

static int initialize(struct call *call) {
    struct engine *engine = call->engine;
    const struct json *context = json_member(call->arguments, "context");
    const char *app_id = json_text(context, "appId", "");
    if (engine->is_ready) {
        complain("%s: initialized twice", call->method);
        return answer_result(call, -ERROR_STATE);
    }
    if (knob(KNOB_INIT_RESULT) != 0) {
        long long wanted = knob(KNOB_INIT_RESULT);
        return answer_result(call, wanted > 0 ? -wanted : wanted);
    }
    if (!is_app_id(app_id)) {
        complain("%s: appId is not 32 hexadecimal digits", call->method);
        return answer_result(call, -ERROR_APP_ID);
    }
    engine->channel_profile = (int)json_integer(context, "channelProfile", 1);
    engine->audio_scenario = (int)json_integer(context, "audioScenario", 0);
    copy_text(engine->app_id, sizeof engine->app_id, app_id);
    agora_service_config config = {
        .enable_audio_processor = 1,
        .enable_video = 1,
        .app_id = engine->app_id,
        .area_code = (uint32_t)json_integer(context, "areaCode", 0xffffffff),
        .channel_profile = engine->channel_profile,
        .audio_scenario = engine->audio_scenario,
    };
    engine->service = agora_service_create();
    int outcome = engine->service == NULL ? -ERROR_FAILED : agora_service_initialize(engine->service, &config);
    if (outcome != 0) {
        if (engine->service != NULL) {
            agora_service_release(engine->service);
        }
        return answer_result(call, outcome);
    }
    engine->factory = agora_service_create_media_node_factory(engine->service);
    engine->has_sound = engine->has_local_sound = engine->has_local_video = true;
    engine->width = 640;
    engine->height = 360;
    engine->rate = 15;
    engine->camera = (struct scene){.width = 640, .height = 360, .rate = 15};
    engine->microphone_volume = engine->speaker_volume = 128;
    copy_text(engine->camera_id, DEVICE_ID_SIZE, "camera-1");
    copy_text(engine->microphone_id, DEVICE_ID_SIZE, "microphone-1");
    copy_text(engine->speaker_id, DEVICE_ID_SIZE, "speaker-1");
    engine->is_ending = false;
    engine->is_ready = start_thread(&engine->thread, "standin-engine", run_engine, engine);
    return answer_result(call, engine->is_ready ? 0 : -ERROR_FAILED);
}

void engine_stop(struct engine *engine) {
    pthread_mutex_lock(&engine->lock);
    engine->is_ending = true;
    for (struct channel *channel = engine->channels; channel != NULL; channel = channel->next) {
        channel->is_left = true;
    }
    pthread_cond_broadcast(&engine->changed);
    pthread_mutex_unlock(&engine->lock);
    pthread_join(engine->thread, NULL);
    while (engine->channels != NULL) {
        channel_destroy(engine, engine->channels);
    }
    release_sources(engine);
    agora_media_node_factory_destroy(engine->factory);
    agora_service_release(engine->service);
    pthread_mutex_lock(&engine->lock);
    memset(engine->video_tracks, 0, sizeof engine->video_tracks);
    memset(engine->sound_tracks, 0, sizeof engine->sound_tracks);
    engine->has_video = engine->is_previewing = engine->has_external_video = engine->mutes_video = engine->mutes_sound = false;
    engine->screen.is_on = false;
    engine->screen.since_ms = 0;
    engine->sink_rate = engine->mixing_rate = engine->playback_rate = engine->recording_rate = engine->volume_interval = 0;
    engine->encryption_mode = 0;
    engine->is_ready = false;
    pthread_mutex_unlock(&engine->lock);
}

static int release(struct call *call) {
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (json_member(call->arguments, "sync") == NULL) {
        complain("%s: without sync", call->method);
    }
    if (call->engine->sources != NULL) {
        complain("%s: a list of screens was not released", call->method);
    }
    engine_stop(call->engine);
    return answer_result(call, 0);
}

static int get_version(struct call *call) {
    char version[TEXT_SIZE];
    text(TEXT_VERSION, version);
    write_format(&call->answer, "{\"result\":");
    write_quoted(&call->answer, version[0] == '\0' ? VERSION : version);
    write_format(&call->answer, ",\"build\":%d}", BUILD);
    return 0;
}

static int get_error_description(struct call *call) {
    write_format(&call->answer, "{\"result\":");
    write_quoted(&call->answer, getAgoraSdkErrorDescription((int32_t)json_integer(call->arguments, "code", 0)));
    write_format(&call->answer, "}");
    return 0;
}

/* Answers for what is merely accepted, once there is an engine and the keys are there. */
static int accept(struct call *call, const char *key) {
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (key != NULL && json_member(call->arguments, key) == NULL) {
        complain("%s: %s is missing", call->method, key);
        return answer_result(call, -ERROR_ARGUMENT);
    }
    return answer_result(call, 0);
}

static int set_app_type(struct call *call) {
    return accept(call, "appType");
}

static int set_parameters(struct call *call) {
    struct json *parameters = json_read(json_text(call->arguments, "parameters", ""));
    bool is_object = parameters != NULL && parameters->type == JSON_OBJECT;
    json_free(parameters);
    if (!is_object) {
        complain("%s: the parameters are not a JSON object in a text", call->method);
        return answer_result(call, -ERROR_ARGUMENT);
    }
    return accept(call, "parameters");
}

static int set_channel_profile(struct call *call) {
    call->engine->channel_profile = (int)json_integer(call->arguments, "profile", 1);
    return accept(call, "profile");
}

static int set_audio_profile(struct call *call) {
    return accept(call, "profile");
}

static int set_audio_scenario(struct call *call) {
    return accept(call, "scenario");
}

static int set_ains_mode(struct call *call) {
    return accept(call, "mode");
}

static int set_log_file(struct call *call) {
    return accept(call, "filePath");
}

static int set_log_level(struct call *call) {
    return accept(call, "level");
}

/* Changes one switch and what follows from it. */
static int set_switch(struct call *call, bool *field, const char *key, bool otherwise) {
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (key != NULL && json_member(call->arguments, key) == NULL) {
        complain("%s: %s is missing", call->method, key);
        return answer_result(call, -ERROR_ARGUMENT);
    }
    pthread_mutex_lock(&call->engine->lock);
    *field = key == NULL ? otherwise : json_flag(call->arguments, key, otherwise);
    pthread_mutex_unlock(&call->engine->lock);
    channels_settle(call->engine);
    return answer_result(call, 0);
}

static int enable_video(struct call *call) {
    return set_switch(call, &call->engine->has_video, NULL, true);
}

static int disable_video(struct call *call) {
    return set_switch(call, &call->engine->has_video, NULL, false);
}

static int enable_audio(struct call *call) {
    return set_switch(call, &call->engine->has_sound, NULL, true);
}

static int disable_audio(struct call *call) {
    return set_switch(call, &call->engine->has_sound, NULL, false);
}

static int enable_local_video(struct call *call) {
    return set_switch(call, &call->engine->has_local_video, "enabled", true);
}

static int enable_local_audio(struct call *call) {
    return set_switch(call, &call->engine->has_local_sound, "enabled", true);
}

static int mute_local_video(struct call *call) {
    return set_switch(call, &call->engine->mutes_video, "mute", false);
}

static int mute_local_audio(struct call *call) {
    return set_switch(call, &call->engine->mutes_sound, "mute", false);
}

static int start_preview(struct call *call) {
    if (json_integer(call->arguments, "sourceType", TYPE_CAMERA) != TYPE_CAMERA) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    return set_switch(call, &call->engine->is_previewing, NULL, true);
}

static int stop_preview(struct call *call) {
    return set_switch(call, &call->engine->is_previewing, NULL, false);
}

static int set_encoder(struct call *call) {
    const struct json *config = json_member(call->arguments, "config");
    const struct json *dimensions = json_member(config, "dimensions");
    int64_t width = json_integer(dimensions, "width", 640), height = json_integer(dimensions, "height", 360);
    int64_t rate = json_integer(config, "frameRate", 15);
    bool is_right = config != NULL && check_range(width, 16, 8192, "width", call->method) && check_range(height, 16, 8192, "height", call->method) &&
                    check_range(rate, 1, 60, "frameRate", call->method) &&
                    check_range(json_integer(config, "bitrate", 0), -1, 100000, "bitrate (kbit/s)", call->method);
    if (!is_right) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    pthread_mutex_lock(&call->engine->lock);
    call->engine->camera.width = (int)width;
    call->engine->camera.height = (int)height;
    call->engine->camera.rate = (int)rate;
    pthread_mutex_unlock(&call->engine->lock);
    count(COUNT_ENCODERS_SET, 1);
    return answer_result(call, 0);
}

static int enable_volumes(struct call *call) {
    struct engine *engine = call->engine;
    int64_t interval = json_integer(call->arguments, "interval", -1);
    if (!check_range(interval, 0, 60000, "interval", call->method) ||
        !check_range(json_integer(call->arguments, "smooth", -1), 0, 10, "smooth", call->method)) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    if (!engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    engine->volume_interval = (int)interval;
    for (struct channel *channel = engine->channels; channel != NULL; channel = channel->next) {
        agora_local_user_set_audio_volume_indication_parameters(channel->user, (int32_t)interval, 3, 1);
    }
    return answer_result(call, 0);
}

static int enable_encryption(struct call *call) {
    struct engine *engine = call->engine;
    const struct json *config = json_member(call->arguments, "config");
    if (!engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (!json_flag(call->arguments, "enabled", false)) {
        engine->encryption_mode = 0;
        return answer_result(call, 0);
    }
    const char *key = json_text(config, "encryptionKey", "");
    int64_t mode = json_integer(config, "encryptionMode", 0);
    if (!check_range(mode, 1, 8, "encryptionMode", call->method) || key[0] == '\0' || strlen(key) >= sizeof engine->encryption_key) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    int at = 0;
    const struct json *salt = json_member(config, "encryptionKdfSalt");
    for (const struct json *byte = salt == NULL ? NULL : salt->first; byte != NULL && at < 32; byte = byte->next) {
        engine->encryption_salt[at++] = (uint8_t)byte->integer;
    }
    copy_text(engine->encryption_key, sizeof engine->encryption_key, key);
    engine->encryption_mode = (int)mode;
    return answer_result(call, 0);
}

const struct method engine_methods[] = {
    {"RtcEngine_initialize_0320339", initialize},
    {"RtcEngine_release", release},
    {"RtcEngine_getVersion_915cb25", get_version},
    {"RtcEngine_getErrorDescription_46f8ab7", get_error_description},
    {"RtcEngine_setAppType", set_app_type},
    {"RtcEngine_registerEventHandler_5fc0465", register_engine_listener},
    {"RtcEngine_unregisterEventHandler_5fc0465", unregister_engine_listener},
    {"RtcEngine_setParameters_3a2037f", set_parameters},
    {"RtcEngine_setChannelProfile_a78fa4f", set_channel_profile},
    {"RtcEngine_setAudioProfile_d944543", set_audio_profile},
    {"RtcEngine_setAudioScenario_c36f5c1", set_audio_scenario},
    {"RtcEngine_setAINSMode_4df3049", set_ains_mode},
    {"RtcEngine_setLogFile_3a2037f", set_log_file},
    {"RtcEngine_setLogLevel_f125d83", set_log_level},
    {"RtcEngine_enableVideo", enable_video},
    {"RtcEngine_disableVideo", disable_video},
    {"RtcEngine_enableAudio", enable_audio},
    {"RtcEngine_disableAudio", disable_audio},
    {"RtcEngine_enableLocalVideo_5039d15", enable_local_video},
    {"RtcEngine_enableLocalAudio_5039d15", enable_local_audio},
    {"RtcEngine_muteLocalVideoStream_5039d15", mute_local_video},
    {"RtcEngine_muteLocalAudioStream_5039d15", mute_local_audio},
    {"RtcEngine_startPreview_4fd718e", start_preview},
    {"RtcEngine_stopPreview_4fd718e", stop_preview},
    {"RtcEngine_setVideoEncoderConfiguration_89677d8", set_encoder},
    {"RtcEngineEx_setVideoEncoderConfigurationEx_4670c1e", set_encoder},
    {"RtcEngine_enableAudioVolumeIndication_39794a0", enable_volumes},
    {"RtcEngine_enableEncryption_421c27b", enable_encryption},
    {NULL, NULL},
};
