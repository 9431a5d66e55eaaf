/* Cameras, microphones and loudspeakers, all made up. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../checks.h"
#include "../system.h"
#include "engine.h"

struct device {
    const char *id, *name;
};

static const struct device cameras[] = {{"camera-1", "Stand-in camera"}, {"camera-2", "Stand-in camera \xc2\xb7 second"}, {NULL, NULL}};
static const struct device microphones[] = {{"microphone-1", "Stand-in microphone"}, {"microphone-2", "Stand-in headset"}, {NULL, NULL}};
static const struct device speakers[] = {{"speaker-1", "Stand-in loudspeaker"}, {"speaker-2", "Stand-in headset"}, {NULL, NULL}};

static int list(struct call *call, const struct device *devices) {
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (!uses_json_arrays()) {
        complain("%s: a list without enableUseJsonArray(1)", call->method);
    }
    write_format(&call->answer, "{\"result\":[");
    for (const struct device *device = devices; device->id != NULL; device++) {
        write_format(&call->answer, "%s{\"deviceId\":", device == devices ? "" : ",");
        write_quoted(&call->answer, device->id);
        write_format(&call->answer, ",\"deviceName\":");
        write_quoted(&call->answer, device->name);
        write_format(&call->answer, ",\"deviceTypeName\":\"\"}");
    }
    write_format(&call->answer, "]}");
    return 0;
}

static int set(struct call *call, const struct device *devices, const char *key, char *field) {
    const char *id = json_text(call->arguments, key, NULL);
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (id == NULL) {
        complain("%s: %s is missing", call->method, key);
        return answer_result(call, -ERROR_ARGUMENT);
    }
    for (const struct device *device = devices; device->id != NULL; device++) {
        if (strcmp(device->id, id) == 0) {
            copy_text(field, DEVICE_ID_SIZE, id);
            return answer_result(call, 0);
        }
    }
    return answer_result(call, -ERROR_ARGUMENT);
}

static int get(struct call *call, const char *key, const char *field) {
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    write_format(&call->answer, "{\"%s\":", key);
    write_quoted(&call->answer, field);
    write_format(&call->answer, ",\"result\":0}");
    return 0;
}

static int set_volume(struct call *call, int *field) {
    int64_t volume = json_integer(call->arguments, "volume", -1);
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (!check_range(volume, 0, 255, "volume", call->method)) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    pthread_mutex_lock(&call->engine->lock);
    *field = (int)volume;
    pthread_mutex_unlock(&call->engine->lock);
    return answer_result(call, 0);
}

static int get_volume(struct call *call, int volume) {
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    write_format(&call->answer, "{\"volume\":%d,\"result\":0}", volume);
    return 0;
}

static int list_cameras(struct call *call) {
    return list(call, cameras);
}

static int set_camera(struct call *call) {
    return set(call, cameras, "deviceIdUTF8", call->engine->camera_id);
}

static int get_camera(struct call *call) {
    return get(call, "deviceIdUTF8", call->engine->camera_id);
}

static int list_microphones(struct call *call) {
    return list(call, microphones);
}

static int set_microphone(struct call *call) {
    return set(call, microphones, "deviceId", call->engine->microphone_id);
}

static int get_microphone(struct call *call) {
    return get(call, "deviceId", call->engine->microphone_id);
}

static int list_speakers(struct call *call) {
    return list(call, speakers);
}

static int set_speaker(struct call *call) {
    return set(call, speakers, "deviceId", call->engine->speaker_id);
}

static int get_speaker(struct call *call) {
    return get(call, "deviceId", call->engine->speaker_id);
}

static int set_microphone_volume(struct call *call) {
    return set_volume(call, &call->engine->microphone_volume);
}

static int get_microphone_volume(struct call *call) {
    return get_volume(call, call->engine->microphone_volume);
}

static int set_speaker_volume(struct call *call) {
    return set_volume(call, &call->engine->speaker_volume);
}

static int get_speaker_volume(struct call *call) {
    return get_volume(call, call->engine->speaker_volume);
}

const struct method device_methods[] = {
    {"VideoDeviceManager_enumerateVideoDevices", list_cameras},
    {"VideoDeviceManager_setDevice_4ad5f6e", set_camera},
    {"VideoDeviceManager_getDevice_73b9872", get_camera},
    {"AudioDeviceManager_enumerateRecordingDevices", list_microphones},
    {"AudioDeviceManager_setRecordingDevice_4ad5f6e", set_microphone},
    {"AudioDeviceManager_getRecordingDevice_73b9872", get_microphone},
    {"AudioDeviceManager_enumeratePlaybackDevices", list_speakers},
    {"AudioDeviceManager_setPlaybackDevice_4ad5f6e", set_speaker},
    {"AudioDeviceManager_getPlaybackDevice_73b9872", get_speaker},
    {"AudioDeviceManager_setRecordingDeviceVolume_46f8ab7", set_microphone_volume},
    {"AudioDeviceManager_getRecordingDeviceVolume_915cb25", get_microphone_volume},
    {"AudioDeviceManager_setPlaybackDeviceVolume_46f8ab7", set_speaker_volume},
    {"AudioDeviceManager_getPlaybackDeviceVolume_915cb25", get_speaker_volume},
    {NULL, NULL},
};
