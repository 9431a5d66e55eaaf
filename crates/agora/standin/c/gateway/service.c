#define _GNU_SOURCE
#include "service.h"

#include <string.h>
#include <stdlib.h>

#include "../checks.h"
#include "../system.h"
#include "tell.h"
#include "things.h"

#define NEWEST_BUILD 1144448

static pthread_rwlock_t world = PTHREAD_RWLOCK_INITIALIZER;
static struct service *living;

void world_read(void) {
    pthread_rwlock_rdlock(&world);
}

void world_write(void) {
    pthread_rwlock_wrlock(&world);
}

void world_release(void) {
    pthread_rwlock_unlock(&world);
}

EXPORT const char *getAgoraSdkVersion(int32_t *build) {
    static char version[TEXT_SIZE];
    if (is_free_to_call(__func__) && build != NULL && check_structure(build, sizeof *build, _Alignof(int32_t), "build", __func__)) {
        *build = NEWEST_BUILD;
    }
    world_write();
    text(TEXT_VERSION, version);
    if (version[0] == '\0') {
        strcpy(version, "4.4.32.174-standin");
    }
    world_release();
    return version;
}

EXPORT const char *getAgoraSdkErrorDescription(int32_t error) {
    switch (error < 0 ? -error : error) {
    case 0:
        return "no error";
    case ERROR_ARGUMENT:
        return "invalid argument";
    case ERROR_NOT_INITIALIZED:
        return "not initialized";
    case ERROR_TOKEN_EXPIRED:
        return "token expired";
    case ERROR_INVALID_TOKEN:
        return "invalid token";
    default:
        return "failed";
    }
}

EXPORT agora_handle agora_service_create(void) {
    if (!is_free_to_call(__func__)) {
        return NULL;
    }
    world_write();
    bool is_second = living != NULL;
    struct service *service = NULL;
    if (!is_second) {
        service = make(sizeof *service);
        service->handle = thing_make(KIND_SERVICE, service);
        service->parameter = thing_make(KIND_PARAMETER, service);
        living = service;
        count(COUNT_SERVICES, 1);
    }
    world_release();
    if (is_second) {
        complain("%s: a service lives already; there is one in a process", __func__);
        return NULL;
    }
    return service->handle;
}

static bool is_flag(int32_t value) {
    return value == 0 || value == 1;
}

static bool is_plausible(const agora_service_config *config, const char *caller) {
    bool flags = is_flag(config->enable_audio_processor) && is_flag(config->enable_audio_device) && is_flag(config->enable_video) &&
                 is_flag(config->use_string_uid) && is_flag(config->domain_limit);
    if (!flags) {
        complain("%s: a switch in the configuration is neither 0 nor 1", caller);
    }
    if (config->enable_audio_processor != 1) {
        complain("%s: enable_audio_processor is not 1, so there will be no audio tracks", caller);
        flags = false;
    }
    bool texts = true;
    const char *const optional[] = {config->log_file_path, config->data_dir, config->config_dir};
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++) {
        texts = texts && (optional[i] == NULL || check_text(optional[i], 4096, "a path in the configuration", caller));
    }
    return flags && texts && check_range(config->channel_profile, 0, 4, "channel_profile", caller) &&
           check_range(config->audio_scenario, 0, 10, "audio_scenario", caller) && check_range(config->area_code, 1, UINT32_MAX, "area_code", caller) &&
           check_range(config->log_level, 0, 63, "log_level", caller);
}

EXPORT int32_t agora_service_initialize(agora_handle handle, const agora_service_config *config) {
    struct service *service = thing_enter(handle, KIND_SERVICE, __func__);
    if (service == NULL) {
        return -ERROR_NOT_INITIALIZED;
    }
    int32_t answer = -ERROR_ARGUMENT;
    long long wanted = knob(KNOB_INIT_RESULT);
    if (wanted != 0) {
        answer = (int32_t)(wanted > 0 ? -wanted : wanted);
    } else if (service->is_ready) {
        complain("%s: initialized twice", __func__);
        answer = -ERROR_STATE;
    } else if (check_structure(config, sizeof *config, _Alignof(agora_service_config), "the configuration", __func__) &&
               is_plausible(config, __func__) && check_text(config->app_id, 63, "app_id", __func__)) {
        if (!is_app_id(config->app_id)) {
            complain("%s: app_id is not 32 hexadecimal digits", __func__);
            answer = -ERROR_APP_ID;
        } else {
            service->config = *config;
            service->app_id_at = config->app_id;
            copy_text(service->app_id, sizeof service->app_id, config->app_id);
            service->is_ready = true;
            answer = 0;
        }
    }
    thing_leave(handle);
    return answer;
}

EXPORT int32_t agora_service_release(agora_handle handle) {
    struct service *service = thing_enter(handle, KIND_SERVICE, __func__);
    if (service == NULL) {
        return -ERROR_NOT_INITIALIZED;
    }
    world_read();
    bool is_used = service->connections != NULL;
    int tracks = service->tracks, factories = service->factories;
    world_release();
    thing_leave(handle);
    if (is_used) {
        complain("%s: a connection lives", __func__);
        return -ERROR_STATE;
    }
    if (tracks > 0 || factories > 0) {
        complain("%s: %d tracks and %d factories live", __func__, tracks, factories);
    }
    if (thing_end(handle, KIND_SERVICE, __func__) == NULL) {
        return -ERROR_NOT_INITIALIZED;
    }
    wait_for_ghosts();
    thing_retire(service->parameter);
    world_write();
    living = NULL;
    count(COUNT_SERVICES, -1);
    world_release();
    /* Tracks that outlive it, against the rules, still point to it. */
    if (tracks == 0 && factories == 0) {
        poison(service, sizeof *service);
    }
    return 0;
}

EXPORT int32_t agora_service_set_log_file(agora_handle handle, const char *path, uint32_t size) {
    struct service *service = thing_enter(handle, KIND_SERVICE, __func__);
    if (service == NULL) {
        return -ERROR_NOT_INITIALIZED;
    }
    bool is_right = check_text(path, 4096, "the path", __func__) && check_range(size, 1, UINT32_MAX, "the size", __func__);
    bool is_ready = service->is_ready;
    thing_leave(handle);
    return !is_ready ? -ERROR_NOT_INITIALIZED : is_right ? 0 : -ERROR_ARGUMENT;
}

EXPORT int32_t agora_service_set_log_filter(agora_handle handle, uint32_t filter) {
    struct service *service = thing_enter(handle, KIND_SERVICE, __func__);
    if (service == NULL) {
        return -ERROR_NOT_INITIALIZED;
    }
    bool is_right = check_range(filter, 0, 0xffff, "the filter", __func__);
    bool is_ready = service->is_ready;
    thing_leave(handle);
    return !is_ready ? -ERROR_NOT_INITIALIZED : is_right ? 0 : -ERROR_ARGUMENT;
}

EXPORT agora_handle agora_service_get_agora_parameter(agora_handle handle) {
    struct service *service = thing_enter(handle, KIND_SERVICE, __func__);
    if (service == NULL) {
        return NULL;
    }
    agora_handle parameter = service->parameter;
    thing_leave(handle);
    return parameter;
}

EXPORT int32_t agora_parameter_set_parameters(agora_handle handle, const char *json) {
    if (thing_enter(handle, KIND_PARAMETER, __func__) == NULL) {
        return -ERROR_ARGUMENT;
    }
    bool is_right = check_text(json, 65536, "the parameters", __func__);
    if (is_right && json[strspn(json, " \t\n")] != '{') {
        complain("%s: the parameters are not a JSON object", __func__);
        is_right = false;
    }
    thing_leave(handle);
    return is_right ? 0 : -ERROR_ARGUMENT;
}

EXPORT agora_handle agora_service_create_media_node_factory(agora_handle handle) {
    struct service *service = thing_enter(handle, KIND_SERVICE, __func__);
    if (service == NULL) {
        return NULL;
    }
    agora_handle factory = NULL;
    if (service->is_ready) {
        world_write();
        service->factories++;
        world_release();
        factory = thing_make(KIND_FACTORY, service);
    } else {
        complain("%s: the service is not initialized", __func__);
    }
    thing_leave(handle);
    return factory;
}

EXPORT void agora_media_node_factory_destroy(agora_handle handle) {
    struct service *service = thing_end(handle, KIND_FACTORY, __func__);
    if (service != NULL) {
        world_write();
        service->factories--;
        world_release();
    }
}
