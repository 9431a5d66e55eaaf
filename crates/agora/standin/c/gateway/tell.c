#define _GNU_SOURCE
#include "tell.h"

#include <stdlib.h>
#include <string.h>

#include "../system.h"
#include "things.h"

void check_original(const void *original, const void *clone, size_t size, const char *what) {
    if (!is_readable(original, size)) {
        complain("%s was freed while it is registered", what);
    } else if (memcmp(original, clone, size) != 0) {
        complain("%s was changed while it is registered", what);
    }
}

static int times(void) {
    long long burst = knob(KNOB_BURST);
    return burst > 1 ? (int)burst : 1;
}

char *lend(const char *from) {
    if (knob(KNOB_NULL_STRINGS) != 0) {
        return NULL;
    }
    size_t size = strlen(from) + 1;
    return memcpy(make(size), from, size);
}

void take_back(char *lent) {
    if (lent != NULL) {
        poison(lent, strlen(lent) + 1);
    }
}

static void *lend_memory(const void *from, size_t size) {
    void *lent = make(size == 0 ? 1 : size);
    if (size > 0) {
        memcpy(lent, from, size);
    }
    return lent;
}

static bool connection_table(struct connection *c, agora_rtc_conn_observer *table) {
    pthread_mutex_lock(&c->lock);
    const agora_rtc_conn_observer *at = c->observers.connection_at;
    *table = c->observers.connection;
    if (at != NULL) {
        check_original(at, table, sizeof *table, "the connection observer");
    }
    pthread_mutex_unlock(&c->lock);
    return at != NULL;
}

static bool user_table(struct connection *c, agora_local_user_observer *table) {
    pthread_mutex_lock(&c->lock);
    const agora_local_user_observer *at = c->observers.user_at;
    *table = c->observers.user;
    if (at != NULL) {
        check_original(at, table, sizeof *table, "the local user observer");
    }
    pthread_mutex_unlock(&c->lock);
    return at != NULL;
}

/* Calls a slot as often as asked for; the table is looked up each time, so that it ends soon after unregistering. */
#define TELL(find, type, slot, ...)                       \
    for (int n = times(); n > 0; n--) {                   \
        type table;                                       \
        if (!find(c, &table) || table.slot == NULL) {     \
            break;                                        \
        }                                                 \
        callback_begin();                                 \
        table.slot(__VA_ARGS__);                          \
        callback_end();                                   \
    }
#define TELL_CONNECTION(slot, ...) TELL(connection_table, agora_rtc_conn_observer, slot, c->handle, __VA_ARGS__)
#define TELL_USER(slot, ...) TELL(user_table, agora_local_user_observer, slot, c->user, __VA_ARGS__)

void tell_info(struct connection *c, enum info_event event, int state, int reason) {
    agora_rtc_conn_info plain = {.id = 1, .state = state, .internal_uid = (uint32_t)strtoul(c->uid, NULL, 10)};
    agora_rtc_conn_info *info = lend_memory(&plain, sizeof plain);
    char *channel = lend(c->channel), *uid = lend(c->uid);
    info->channel_id = channel;
    info->local_user_id = uid;
    switch (event) {
    case ON_CONNECTED:
        TELL_CONNECTION(on_connected, info, reason);
        break;
    case ON_DISCONNECTED:
        TELL_CONNECTION(on_disconnected, info, reason);
        break;
    case ON_CONNECTING:
        TELL_CONNECTION(on_connecting, info, reason);
        break;
    case ON_RECONNECTING:
        TELL_CONNECTION(on_reconnecting, info, reason);
        break;
    case ON_RECONNECTED:
        TELL_CONNECTION(on_reconnected, info, reason);
        break;
    case ON_CONNECTION_LOST:
        TELL_CONNECTION(on_connection_lost, info);
        break;
    case ON_CONNECTION_FAILURE:
        TELL_CONNECTION(on_connection_failure, info, reason);
        break;
    }
    take_back(channel);
    take_back(uid);
    poison(info, sizeof *info);
}

void tell_user(struct connection *c, enum user_event event, const char *uid_text, int a, int b, int d) {
    char *uid = lend(uid_text), *channel = lend(c->channel);
    switch (event) {
    case ON_USER_JOINED:
        TELL_CONNECTION(on_user_joined, uid);
        break;
    case ON_USER_LEFT:
        TELL_CONNECTION(on_user_left, uid, a);
        break;
    case ON_NETWORK_QUALITY:
        TELL_CONNECTION(on_user_network_quality, uid, a, b);
        break;
    case ON_USER_INFO_UPDATED:
        TELL_USER(on_user_info_updated, uid, a, b);
        break;
    case ON_FIRST_AUDIO_FRAME:
        TELL_USER(on_first_remote_audio_frame, uid, a);
        break;
    case ON_FIRST_AUDIO_DECODED:
        TELL_USER(on_first_remote_audio_decoded, uid, a);
        break;
    case ON_FIRST_VIDEO_FRAME:
        TELL_USER(on_first_remote_video_frame, uid, a, b, d);
        break;
    case ON_FIRST_VIDEO_DECODED:
        TELL_USER(on_first_remote_video_decoded, uid, a, b, d);
        break;
    case ON_FIRST_VIDEO_RENDERED:
        TELL_USER(on_first_remote_video_frame_rendered, uid, a, b, d);
        break;
    case ON_VIDEO_SIZE_CHANGED:
        TELL_USER(on_video_size_changed, uid, a, b, d);
        break;
    case ON_AUDIO_SUBSCRIBE:
        TELL_USER(on_audio_subscribe_state_changed, channel, uid, a, b, d);
        break;
    case ON_VIDEO_SUBSCRIBE:
        TELL_USER(on_video_subscribe_state_changed, channel, uid, a, b, d);
        break;
    case ON_AUDIO_PUBLISH:
        TELL_USER(on_audio_publish_state_changed, channel, a, b, d);
        break;
    case ON_VIDEO_PUBLISH:
        TELL_USER(on_video_publish_state_changed, channel, a, b, d);
        break;
    }
    take_back(uid);
    take_back(channel);
}

void tell_track_state(struct connection *c, bool is_video, const char *uid_text, void *track, int state, int reason, int elapsed) {
    char *uid = lend(uid_text);
    if (is_video) {
        TELL_USER(on_user_video_track_state_changed, uid, track, state, reason, elapsed);
    } else {
        TELL_USER(on_user_audio_track_state_changed, uid, track, state, reason, elapsed);
    }
    take_back(uid);
}

void tell_subscribed(struct connection *c, bool is_video, const char *uid_text, void *track) {
    char *uid = lend(uid_text), *channel = lend(c->channel);
    if (is_video) {
        agora_video_track_info plain = {.owner_uid = (uint32_t)strtoul(uid_text, NULL, 10), .track_id = 1, .codec_type = 2};
        agora_video_track_info *info = lend_memory(&plain, sizeof plain);
        info->channel_id = channel;
        TELL_USER(on_user_video_track_subscribed, uid, info, track);
        poison(info, sizeof *info);
    } else {
        TELL_USER(on_user_audio_track_subscribed, uid, track);
    }
    take_back(uid);
    take_back(channel);
}

void tell_own_track(struct connection *c, bool is_video, enum own_event event, void *track) {
    if (event == ON_PUBLISH_START && is_video) {
        TELL_USER(on_video_track_publish_start, track);
    } else if (event == ON_PUBLISH_START) {
        TELL_USER(on_audio_track_publish_start, track);
    } else if (event == ON_PUBLISH_SUCCESS && is_video) {
        TELL_USER(on_video_track_publish_success, track);
    } else if (event == ON_PUBLISH_SUCCESS) {
        TELL_USER(on_audio_track_publish_success, track);
    } else if (is_video) {
        TELL_USER(on_video_track_unpublished, track);
    } else {
        TELL_USER(on_audio_track_unpublished, track);
    }
}

void tell_message(struct connection *c, const char *uid_text, int stream, const void *data, size_t size) {
    char *uid = lend(uid_text);
    char *message = lend_memory(data, size);
    TELL_USER(on_stream_message, uid, stream, message, size);
    poison(message, size == 0 ? 1 : size);
    take_back(uid);
}

void tell_stats(struct connection *c, const agora_rtc_stats *stats) {
    agora_rtc_stats *lent = lend_memory(stats, sizeof *stats);
    TELL_CONNECTION(on_transport_stats, lent);
    poison(lent, sizeof *lent);
}

void tell_volumes(struct connection *c, const agora_audio_volume_info *speakers, int count, int total) {
    size_t size = (size_t)count * sizeof *speakers;
    agora_audio_volume_info *lent = lend_memory(speakers, size);
    for (int i = 0; i < count; i++) {
        lent[i].user_id = lend(speakers[i].user_id);
    }
    TELL_USER(on_audio_volume_indication, lent, (uint32_t)count, total);
    for (int i = 0; i < count; i++) {
        take_back((char *)lent[i].user_id);
    }
    poison(lent, size == 0 ? 1 : size);
}

void tell_error(struct connection *c, int error, const char *message) {
    char *lent = lend(message);
    TELL_CONNECTION(on_error, error, lent);
    take_back(lent);
}

void tell_encryption_error(struct connection *c, int type) {
    TELL_CONNECTION(on_encryption_error, type);
}

void tell_will_expire(struct connection *c, const char *token) {
    char *lent = lend(token);
    TELL_CONNECTION(on_token_privilege_will_expire, lent);
    take_back(lent);
}

void tell_did_expire(struct connection *c) {
    for (int n = times(); n > 0; n--) {
        agora_rtc_conn_observer table;
        if (!connection_table(c, &table) || table.on_token_privilege_did_expire == NULL) {
            break;
        }
        callback_begin();
        table.on_token_privilege_did_expire(c->handle);
        callback_end();
    }
}
