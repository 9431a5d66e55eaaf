/* The calls about a connection. They check, note and leave orders; the event thread does the rest. */
#define _GNU_SOURCE
#include "connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../checks.h"
#include "../system.h"
#include "course.h"
#include "service.h"
#include "tell.h"
#include "things.h"

#define LONGEST_MESSAGE 1024
#define MOST_MESSAGES 60
#define MOST_MESSAGE_BYTES (30 * 1024)

static void order(struct connection *c, enum event_type type) {
    struct event event = {.type = type, .due_ms = now_ms()};
    post(c, &event, NULL, 0);
}

static bool is_plausible(const agora_rtc_conn_config *config, const char *caller) {
    return check_structure(config, sizeof *config, _Alignof(agora_rtc_conn_config), "the configuration", caller) &&
           check_range(config->auto_subscribe_audio, 0, 1, "auto_subscribe_audio", caller) &&
           check_range(config->auto_subscribe_video, 0, 1, "auto_subscribe_video", caller) &&
           check_range(config->enable_audio_recording_or_playout, 0, 1, "enable_audio_recording_or_playout", caller) &&
           check_range(config->client_role_type, ROLE_BROADCASTER, ROLE_AUDIENCE, "client_role_type", caller) &&
           check_range(config->channel_profile, 0, 4, "channel_profile", caller) &&
           check_range(config->audio_recv_media_packet, 0, 1, "audio_recv_media_packet", caller) &&
           check_range(config->audio_recv_encoded_frame, 0, 1, "audio_recv_encoded_frame", caller) &&
           check_range(config->video_recv_media_packet, 0, 1, "video_recv_media_packet", caller) &&
           check_range(config->min_port, 0, 65535, "min_port", caller) && check_range(config->max_port, 0, 65535, "max_port", caller);
}

static bool start_threads(struct connection *c) {
    static void *(*const bodies[3])(void *) = {run_events, run_video, run_sound};
    static const char *const names[3] = {"standin-events", "standin-video", "standin-sound"};
    for (int i = 0; i < 3; i++) {
        if (!start_thread(&c->threads[i], names[i], bodies[i], c)) {
            pthread_mutex_lock(&c->lock);
            c->is_ending = true;
            pthread_mutex_unlock(&c->lock);
            for (int j = 0; j < i; j++) {
                pthread_join(c->threads[j], NULL);
            }
            return false;
        }
    }
    return true;
}

EXPORT agora_handle agora_rtc_conn_create(agora_handle service_handle, const agora_rtc_conn_config *config) {
    struct service *service = thing_enter(service_handle, KIND_SERVICE, __func__);
    if (service == NULL) {
        return NULL;
    }
    struct connection *c = NULL;
    if (!service->is_ready) {
        complain("%s: the service is not initialized", __func__);
    } else if (is_plausible(config, __func__)) {
        c = make(sizeof *c);
        c->service = service;
        c->config = *config;
        c->state = STATE_DISCONNECTED;
        c->subscribes_video = config->auto_subscribe_video == 1;
        c->subscribes_sound = config->auto_subscribe_audio == 1;
        copy_text(c->app_id, sizeof c->app_id, service->app_id);
        pthread_mutex_init(&c->lock, NULL);
        make_condition(&c->changed);
        make_condition(&c->video_ready);
        if (start_threads(c)) {
            c->handle = thing_make(KIND_CONNECTION, c);
            c->user = thing_make(KIND_LOCAL_USER, c);
            world_write();
            c->next = service->connections;
            service->connections = c;
            world_release();
            count(COUNT_CONNECTIONS, 1);
        } else {
            free(c);
            c = NULL;
        }
    }
    if (c != NULL && service->app_id_at != NULL &&
        (!is_readable(service->app_id_at, strlen(service->app_id) + 1) || strcmp(service->app_id_at, service->app_id) != 0)) {
        complain("%s: the app_id given to agora_service_initialize was freed", __func__);
    }
    thing_leave(service_handle);
    return c == NULL ? NULL : c->handle;
}

static void forget_connection(struct service *service, struct connection *c) {
    struct connection **at = &service->connections;
    while (*at != NULL && *at != c) {
        at = &(*at)->next;
    }
    if (*at == c) {
        *at = c->next;
    }
}

EXPORT void agora_rtc_conn_destroy(agora_handle handle) {
    struct connection *c = thing_end(handle, KIND_CONNECTION, __func__);
    if (c == NULL) {
        return;
    }
    thing_retire(c->user);
    pthread_mutex_lock(&c->lock);
    bool was_in = c->state == STATE_CONNECTED && !c->was_told_to_leave;
    bool is_observed = c->observers.connection_at != NULL || c->observers.user_at != NULL || c->observers.sound_at != NULL || c->observers.video != NULL;
    c->is_ending = true;
    pthread_cond_broadcast(&c->changed);
    pthread_cond_broadcast(&c->video_ready);
    pthread_mutex_unlock(&c->lock);
    if (was_in) {
        complain("%s: without agora_rtc_conn_disconnect before", __func__);
    }
    if (is_observed) {
        complain("%s: an observer is still registered", __func__);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(c->threads[i], NULL);
    }
    world_write();
    forget_connection(c->service, c);
    if (c->video.track != NULL) {
        c->video.track->publisher = NULL;
    }
    if (c->sound.track != NULL) {
        c->sound.track->publisher = NULL;
    }
    world_release();
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
    pthread_cond_destroy(&c->video_ready);
    poison(c, sizeof *c);
    count(COUNT_CONNECTIONS, -1);
}

static int32_t check_join(const char *token, const char *channel, const char *uid, bool has_accounts, const char *caller) {
    if (token != NULL && !check_text(token, LONGEST_TOKEN - 1, "the token", caller)) {
        return -ERROR_INVALID_TOKEN;
    }
    if (!check_text(channel, 255, "the channel", caller)) {
        return -ERROR_CHANNEL_NAME;
    }
    if (!check_text(uid, LONGEST_UID - 1, "the user id", caller)) {
        return -ERROR_USER_ID;
    }
    if (!is_channel_name(channel)) {
        return -ERROR_CHANNEL_NAME;
    }
    return (has_accounts ? is_account(uid) : is_numeric_uid(uid)) ? 0 : -ERROR_USER_ID;
}

EXPORT int32_t agora_rtc_conn_connect(agora_handle handle, const char *token, const char *channel, const char *uid) {
    struct connection *c = thing_enter(handle, KIND_CONNECTION, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    int32_t answer = check_join(token, channel, uid, c->service->config.use_string_uid == 1, __func__);
    if (answer == 0 && knob(KNOB_JOIN_ERROR) != 0) {
        long long error = knob(KNOB_JOIN_ERROR);
        answer = (int32_t)(error > 0 ? -error : error);
    }
    if (answer == 0) {
        pthread_mutex_lock(&c->lock);
        bool is_busy = c->connect_ms != 0 && c->state != STATE_DISCONNECTED && c->state != STATE_FAILED;
        if (!is_busy) {
            copy_text(c->token, sizeof c->token, token);
            copy_text(c->channel, sizeof c->channel, channel);
            copy_text(c->uid, sizeof c->uid, uid);
            c->connect_ms = now_ms();
            c->was_told_to_leave = false;
        }
        pthread_mutex_unlock(&c->lock);
        if (is_busy) {
            complain("%s: the connection is in use", __func__);
            answer = -ERROR_JOIN_REJECTED;
        } else {
            order(c, EVENT_CONNECT);
        }
    }
    thing_leave(handle);
    return answer;
}

EXPORT int32_t agora_rtc_conn_disconnect(agora_handle handle) {
    struct connection *c = thing_enter(handle, KIND_CONNECTION, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    pthread_mutex_lock(&c->lock);
    bool is_in = c->connect_ms != 0 && !c->was_told_to_leave;
    c->was_told_to_leave = true;
    pthread_mutex_unlock(&c->lock);
    if (is_in) {
        order(c, EVENT_DISCONNECT);
    }
    thing_leave(handle);
    return 0;
}

EXPORT int32_t agora_rtc_conn_renew_token(agora_handle handle, const char *token) {
    struct connection *c = thing_enter(handle, KIND_CONNECTION, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    int32_t answer = -ERROR_INVALID_TOKEN;
    if (check_text(token, LONGEST_TOKEN - 1, "the token", __func__)) {
        char before[LONGEST_TOKEN];
        pthread_mutex_lock(&c->lock);
        bool is_in = c->state == STATE_CONNECTED || c->state == STATE_RECONNECTING;
        int64_t expires_ms = c->expires_ms;
        bool has_warned = c->has_warned;
        memcpy(before, c->token, sizeof before);
        copy_text(c->token, sizeof c->token, token);
        pthread_mutex_unlock(&c->lock);
        int refusal = is_in ? course_check_token(c) : 0;
        answer = refusal == 0 ? 0 : refusal == REASON_TOKEN_EXPIRED ? -ERROR_TOKEN_EXPIRED : -ERROR_INVALID_TOKEN;
        if (!is_in) {
            answer = -ERROR_NOT_IN_CHANNEL;
        }
        if (answer != 0) {
            /* The old one stays in force. */
            pthread_mutex_lock(&c->lock);
            memcpy(c->token, before, sizeof before);
            c->expires_ms = expires_ms;
            c->has_warned = has_warned;
            pthread_mutex_unlock(&c->lock);
        }
    }
    thing_leave(handle);
    return answer;
}

EXPORT int32_t agora_rtc_conn_enable_encryption(agora_handle handle, int32_t enable, const agora_encryption_config *config) {
    struct connection *c = thing_enter(handle, KIND_CONNECTION, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    int32_t answer = -ERROR_ARGUMENT;
    bool is_right = check_range(enable, 0, 1, "enable", __func__) &&
                    check_structure(config, sizeof *config, _Alignof(agora_encryption_config), "the configuration", __func__) &&
                    check_range(config->datastream_encryption_enabled, 0, 1, "datastream_encryption_enabled", __func__);
    if (is_right && enable == 1) {
        is_right = check_range(config->encryption_mode, 1, 8, "encryption_mode", __func__) &&
                   check_text(config->encryption_key, 256, "encryption_key", __func__) && config->encryption_key[0] != '\0';
    }
    if (is_right) {
        char secret[sizeof c->secret] = "";
        if (enable == 1) {
            int at = snprintf(secret, sizeof secret, "%d|", config->encryption_mode);
            /* Only the last two modes know a salt. */
            for (int i = 0; i < 32 && config->encryption_mode >= 7; i++) {
                at += snprintf(secret + at, sizeof secret - (size_t)at, "%02x", config->encryption_kdf_salt[i]);
            }
            snprintf(secret + at, sizeof secret - (size_t)at, "|%s", config->encryption_key);
        }
        pthread_mutex_lock(&c->lock);
        bool is_in = c->state == STATE_CONNECTED || c->state == STATE_CONNECTING || c->state == STATE_RECONNECTING;
        if (!is_in) {
            memcpy(c->secret, secret, sizeof secret);
        }
        pthread_mutex_unlock(&c->lock);
        if (is_in) {
            complain("%s: after agora_rtc_conn_connect", __func__);
        }
        answer = is_in ? -ERROR_STATE : 0;
    }
    thing_leave(handle);
    return answer;
}

EXPORT int32_t agora_rtc_conn_create_data_stream(agora_handle handle, int32_t *stream, int32_t reliable, int32_t ordered) {
    struct connection *c = thing_enter(handle, KIND_CONNECTION, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    int32_t answer = -ERROR_ARGUMENT;
    if (check_structure(stream, sizeof *stream, _Alignof(int32_t), "the stream's id", __func__) &&
        check_range(reliable, 0, 1, "reliable", __func__) && check_range(ordered, 0, 1, "ordered", __func__)) {
        pthread_mutex_lock(&c->lock);
        if (c->state != STATE_CONNECTED) {
            answer = -ERROR_NOT_IN_CHANNEL;
        } else if (c->streams == MOST_STREAMS) {
            answer = -ERROR_TOO_MANY_STREAMS;
        } else {
            *stream = ++c->streams;
            answer = 0;
        }
        pthread_mutex_unlock(&c->lock);
    }
    thing_leave(handle);
    return answer;
}

/* The lock is held. */
static int32_t admit(struct connection *c, int32_t stream, uint32_t length) {
    if (c->state != STATE_CONNECTED) {
        return -ERROR_NOT_IN_CHANNEL;
    }
    if (stream < 1 || stream > c->streams) {
        return -ERROR_ARGUMENT;
    }
    if (c->config.client_role_type == ROLE_AUDIENCE) {
        return -ERROR_REFUSED;
    }
    if (length > LONGEST_MESSAGE) {
        return -ERROR_TOO_LARGE;
    }
    int64_t second = now_ms() / 1000;
    if (second != c->message_second) {
        c->message_second = second;
        c->messages_in_second = c->bytes_in_second = 0;
    }
    if (c->messages_in_second >= MOST_MESSAGES) {
        return -ERROR_TOO_OFTEN;
    }
    if (c->bytes_in_second + (int)length > MOST_MESSAGE_BYTES) {
        return -ERROR_BITRATE;
    }
    c->messages_in_second++;
    c->bytes_in_second += (int)length;
    return 0;
}

EXPORT int32_t agora_rtc_conn_send_stream_message(agora_handle handle, int32_t stream, const char *data, uint32_t length) {
    struct connection *c = thing_enter(handle, KIND_CONNECTION, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    int32_t answer = -ERROR_ARGUMENT;
    if (check_memory(data, length, "the message", __func__)) {
        pthread_mutex_lock(&c->lock);
        answer = admit(c, stream, length);
        pthread_mutex_unlock(&c->lock);
    }
    if (answer == 0 && !atomic_load(&c->is_paused)) {
        world_read();
        if (c->room != NULL) {
            room_tell(c->room, stream, data, length);
        }
        world_release();
    }
    thing_leave(handle);
    return answer;
}

EXPORT agora_handle agora_rtc_conn_get_local_user(agora_handle handle) {
    struct connection *c = thing_enter(handle, KIND_CONNECTION, __func__);
    if (c == NULL) {
        return NULL;
    }
    agora_handle user = c->user;
    thing_leave(handle);
    return user;
}
