/* The calls about the local user: observers, publishing, subscribing. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../checks.h"
#include "../system.h"
#include "service.h"
#include "tell.h"
#include "things.h"

/* A newer library reads further slots behind a table; they have to be there and NULL. */
#define SPARE_SLOTS 16

static bool check_table(const void *table, size_t size, const char *caller) {
    if (!check_structure(table, size + SPARE_SLOTS * sizeof(void *), _Alignof(void *), "the table of callbacks with 16 spare slots", caller)) {
        return false;
    }
    const unsigned char *spare = (const unsigned char *)table + size;
    for (size_t i = 0; i < SPARE_SLOTS * sizeof(void *); i++) {
        if (spare[i] != 0) {
            complain("%s: the slots behind the table are not zero", caller);
            return false;
        }
    }
    return true;
}

EXPORT int32_t agora_rtc_conn_register_observer(agora_handle handle, const agora_rtc_conn_observer *observer) {
    struct connection *c = thing_enter(handle, KIND_CONNECTION, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    int32_t answer = -ERROR_ARGUMENT;
    if (check_table(observer, sizeof *observer, __func__)) {
        if (observer->disputed != NULL) {
            complain("%s: the disputed slot is not NULL", __func__);
        }
        pthread_mutex_lock(&c->lock);
        bool is_free = c->observers.connection_at == NULL;
        if (is_free) {
            c->observers.connection = *observer;
            c->observers.connection_at = observer;
        }
        pthread_mutex_unlock(&c->lock);
        count(COUNT_OBSERVERS, is_free);
        answer = is_free ? 0 : -ERROR_IN_USE;
        if (!is_free) {
            complain("%s: an observer is registered already", __func__);
        }
    }
    thing_leave(handle);
    return answer;
}

EXPORT int32_t agora_rtc_conn_unregister_observer(agora_handle handle) {
    struct connection *c = thing_enter(handle, KIND_CONNECTION, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    pthread_mutex_lock(&c->lock);
    agora_rtc_conn_observer table = c->observers.connection;
    bool was = c->observers.connection_at != NULL;
    c->observers.connection_at = NULL;
    pthread_mutex_unlock(&c->lock);
    if (was) {
        count(COUNT_OBSERVERS, -1);
        haunt(c->handle, LATE_CONNECTION, &table);
    } else {
        complain("%s: no observer is registered", __func__);
    }
    thing_leave(handle);
    return was ? 0 : -ERROR_ARGUMENT;
}

EXPORT int32_t agora_local_user_register_observer(agora_handle handle, const agora_local_user_observer *observer) {
    struct connection *c = thing_enter(handle, KIND_LOCAL_USER, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    int32_t answer = -ERROR_ARGUMENT;
    if (check_table(observer, sizeof *observer, __func__)) {
        pthread_mutex_lock(&c->lock);
        bool is_free = c->observers.user_at == NULL;
        if (is_free) {
            c->observers.user = *observer;
            c->observers.user_at = observer;
        }
        pthread_mutex_unlock(&c->lock);
        count(COUNT_OBSERVERS, is_free);
        answer = is_free ? 0 : -ERROR_IN_USE;
        if (!is_free) {
            complain("%s: an observer is registered already", __func__);
        }
    }
    thing_leave(handle);
    return answer;
}

EXPORT int32_t agora_local_user_unregister_observer(agora_handle handle) {
    struct connection *c = thing_enter(handle, KIND_LOCAL_USER, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    pthread_mutex_lock(&c->lock);
    agora_local_user_observer table = c->observers.user;
    bool was = c->observers.user_at != NULL;
    c->observers.user_at = NULL;
    pthread_mutex_unlock(&c->lock);
    if (was) {
        count(COUNT_OBSERVERS, -1);
        haunt(c->user, LATE_USER, &table);
    } else {
        complain("%s: no observer is registered", __func__);
    }
    thing_leave(handle);
    return was ? 0 : -ERROR_ARGUMENT;
}

EXPORT int32_t agora_local_user_register_audio_frame_observer(agora_handle handle, const agora_audio_frame_observer *observer) {
    struct connection *c = thing_enter(handle, KIND_LOCAL_USER, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    int32_t answer = -ERROR_ARGUMENT;
    if (check_table(observer, sizeof *observer, __func__)) {
        pthread_mutex_lock(&c->lock);
        bool is_free = c->observers.sound_at == NULL;
        if (is_free) {
            c->observers.sound = *observer;
            c->observers.sound_at = observer;
            /* Asked for afterwards it doesn't come: so do real libraries. */
            c->sound_wanted = c->sound_rate > 0;
        }
        pthread_mutex_unlock(&c->lock);
        count(COUNT_OBSERVERS, is_free);
        answer = is_free ? 0 : -ERROR_IN_USE;
        if (!is_free) {
            complain("%s: an observer is registered already", __func__);
        }
    }
    thing_leave(handle);
    return answer;
}

EXPORT int32_t agora_local_user_unregister_audio_frame_observer(agora_handle handle) {
    struct connection *c = thing_enter(handle, KIND_LOCAL_USER, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    pthread_mutex_lock(&c->lock);
    agora_audio_frame_observer table = c->observers.sound;
    bool was = c->observers.sound_at != NULL;
    c->observers.sound_at = NULL;
    pthread_mutex_unlock(&c->lock);
    if (was) {
        count(COUNT_OBSERVERS, -1);
        haunt(c->user, LATE_SOUND, &table);
    } else {
        complain("%s: no observer is registered", __func__);
    }
    thing_leave(handle);
    return was ? 0 : -ERROR_ARGUMENT;
}

EXPORT agora_handle agora_video_frame_observer2_create(const agora_video_frame_observer2 *observer) {
    if (!is_free_to_call(__func__) || !check_table(observer, sizeof *observer, __func__)) {
        return NULL;
    }
    struct video_observer *body = make(sizeof *body);
    body->table = *observer;
    body->at = observer;
    return thing_make(KIND_VIDEO_OBSERVER, body);
}

EXPORT int32_t agora_video_frame_observer2_destroy(agora_handle handle) {
    struct video_observer *body = thing_end(handle, KIND_VIDEO_OBSERVER, __func__);
    if (body == NULL) {
        return -ERROR_ARGUMENT;
    }
    if (body->registrations > 0) {
        complain("%s: the observer is still registered", __func__);
    }
    poison(body, sizeof *body);
    return 0;
}

EXPORT int32_t agora_local_user_register_video_frame_observer(agora_handle handle, agora_handle observer) {
    struct connection *c = thing_enter(handle, KIND_LOCAL_USER, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    struct video_observer *body = thing_enter(observer, KIND_VIDEO_OBSERVER, __func__);
    bool is_free = false;
    if (body != NULL) {
        pthread_mutex_lock(&c->lock);
        is_free = c->observers.video == NULL;
        if (is_free) {
            c->observers.video = observer;
            body->registrations++;
        }
        pthread_mutex_unlock(&c->lock);
        count(COUNT_OBSERVERS, is_free);
        if (!is_free) {
            complain("%s: an observer is registered already", __func__);
        }
        thing_leave(observer);
    }
    thing_leave(handle);
    return body == NULL ? -ERROR_ARGUMENT : is_free ? 0 : -ERROR_IN_USE;
}

EXPORT int32_t agora_local_user_unregister_video_frame_observer(agora_handle handle, agora_handle observer) {
    struct connection *c = thing_enter(handle, KIND_LOCAL_USER, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    struct video_observer *body = thing_enter(observer, KIND_VIDEO_OBSERVER, __func__);
    bool was = false;
    if (body != NULL) {
        pthread_mutex_lock(&c->lock);
        was = c->observers.video == observer;
        if (was) {
            c->observers.video = NULL;
            body->registrations--;
        }
        pthread_mutex_unlock(&c->lock);
        if (was) {
            count(COUNT_OBSERVERS, -1);
            haunt(observer, LATE_VIDEO, &body->table);
        } else {
            complain("%s: this observer is not registered here", __func__);
        }
        thing_leave(observer);
    }
    thing_leave(handle);
    return was ? 0 : -ERROR_ARGUMENT;
}

EXPORT int32_t agora_local_user_set_audio_scenario(agora_handle handle, int32_t scenario) {
    if (thing_enter(handle, KIND_LOCAL_USER, __func__) == NULL) {
        return -ERROR_ARGUMENT;
    }
    bool is_right = check_range(scenario, 0, 10, "the scenario", __func__);
    thing_leave(handle);
    return is_right ? 0 : -ERROR_ARGUMENT;
}

EXPORT int32_t agora_local_user_set_audio_encoder_config(agora_handle handle, const agora_audio_encoder_config *config) {
    if (thing_enter(handle, KIND_LOCAL_USER, __func__) == NULL) {
        return -ERROR_ARGUMENT;
    }
    bool is_right = check_structure(config, sizeof *config, _Alignof(agora_audio_encoder_config), "the configuration", __func__) &&
                    check_range(config->audio_profile, 0, 6, "audio_profile", __func__);
    thing_leave(handle);
    return is_right ? 0 : -ERROR_ARGUMENT;
}

EXPORT int32_t agora_local_user_set_playback_audio_frame_before_mixing_parameters(agora_handle handle, int32_t channels,
                                                                                  int32_t samples_per_sec) {
    struct connection *c = thing_enter(handle, KIND_LOCAL_USER, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    bool is_right = check_range(channels, 1, 2, "channels", __func__) && check_range(samples_per_sec, 8000, 48000, "samples_per_sec", __func__) &&
                    check_range(samples_per_sec % 100, 0, 0, "samples_per_sec modulo 100", __func__);
    if (is_right) {
        pthread_mutex_lock(&c->lock);
        c->sound_rate = samples_per_sec;
        c->sound_channels = channels;
        pthread_mutex_unlock(&c->lock);
    }
    thing_leave(handle);
    return is_right ? 0 : -ERROR_ARGUMENT;
}

EXPORT int32_t agora_local_user_set_audio_volume_indication_parameters(agora_handle handle, int32_t interval_ms, int32_t smooth,
                                                                       int32_t report_vad) {
    struct connection *c = thing_enter(handle, KIND_LOCAL_USER, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    bool is_right = check_range(interval_ms, 0, 60000, "the interval", __func__) && check_range(smooth, 0, 10, "smooth", __func__) &&
                    check_range(report_vad, 0, 1, "report_vad", __func__);
    if (is_right) {
        pthread_mutex_lock(&c->lock);
        c->volume_interval = interval_ms;
        c->next_volume_ms = now_ms() + interval_ms;
        pthread_mutex_unlock(&c->lock);
    }
    thing_leave(handle);
    return is_right ? 0 : -ERROR_ARGUMENT;
}

static int32_t publish(agora_handle handle, agora_handle track_handle, bool is_video, const char *caller) {
    struct connection *c = thing_enter(handle, KIND_LOCAL_USER, caller);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    struct track *track = thing_enter(track_handle, is_video ? KIND_VIDEO_TRACK : KIND_AUDIO_TRACK, caller);
    int32_t answer = -ERROR_ARGUMENT;
    if (track != NULL) {
        world_write();
        pthread_mutex_lock(&c->lock);
        struct publication *publication = is_video ? &c->video : &c->sound;
        if (c->config.client_role_type == ROLE_AUDIENCE) {
            answer = -ERROR_REFUSED;
        } else if (track->publisher == c) {
            answer = 0;
        } else if (track->publisher != NULL || publication->track != NULL) {
            answer = -ERROR_IN_USE;
        } else {
            publication->track = track;
            track->publisher = c;
            answer = 0;
        }
        pthread_mutex_unlock(&c->lock);
        world_release();
        if (answer == 0) {
            struct event event = {.type = EVENT_PUBLISH, .due_ms = now_ms()};
            post(c, &event, NULL, 0);
        } else {
            complain("%s: %s", caller, answer == -ERROR_REFUSED ? "an audience publishes nothing" : "something is published already");
        }
        thing_leave(track_handle);
    }
    thing_leave(handle);
    return answer;
}

static int32_t unpublish(agora_handle handle, agora_handle track_handle, bool is_video, const char *caller) {
    struct connection *c = thing_enter(handle, KIND_LOCAL_USER, caller);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    struct track *track = thing_enter(track_handle, is_video ? KIND_VIDEO_TRACK : KIND_AUDIO_TRACK, caller);
    int32_t answer = -ERROR_ARGUMENT;
    if (track != NULL) {
        world_write();
        bool was = track->publisher == c;
        if (was) {
            track->publisher = NULL;
            pthread_mutex_lock(&c->lock);
            (is_video ? &c->video : &c->sound)->track = NULL;
            pthread_mutex_unlock(&c->lock);
        }
        world_release();
        answer = was ? 0 : -ERROR_STATE;
        if (was) {
            struct event event = {.type = EVENT_PUBLISH, .due_ms = now_ms()};
            post(c, &event, NULL, 0);
        } else {
            complain("%s: the track is not published here", caller);
        }
        thing_leave(track_handle);
    }
    thing_leave(handle);
    return answer;
}

EXPORT int32_t agora_local_user_publish_audio(agora_handle user, agora_handle track) {
    return publish(user, track, false, __func__);
}

EXPORT int32_t agora_local_user_unpublish_audio(agora_handle user, agora_handle track) {
    return unpublish(user, track, false, __func__);
}

EXPORT int32_t agora_local_user_publish_video(agora_handle user, agora_handle track) {
    return publish(user, track, true, __func__);
}

EXPORT int32_t agora_local_user_unpublish_video(agora_handle user, agora_handle track) {
    return unpublish(user, track, true, __func__);
}

static int32_t subscribe(agora_handle handle, const char *uid, bool is_video, bool wants, const char *caller) {
    struct connection *c = thing_enter(handle, KIND_LOCAL_USER, caller);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    int32_t answer = -ERROR_ARGUMENT;
    if (check_text(uid, LONGEST_UID - 1, "the user id", caller)) {
        pthread_mutex_lock(&c->lock);
        bool is_in = c->state == STATE_CONNECTED || c->state == STATE_RECONNECTING;
        struct peer *peer = peer_find(c, uid);
        if (peer != NULL) {
            *(is_video ? &peer->wants_video : &peer->wants_sound) = wants;
        }
        if (peer != NULL && is_video) {
            copy_text(c->refused_video, sizeof c->refused_video, wants ? "" : uid);
        }
        pthread_mutex_unlock(&c->lock);
        answer = !is_in ? -ERROR_NOT_READY : peer == NULL ? -ERROR_USER_ID : 0;
        if (answer == 0) {
            struct event event = {.type = EVENT_SUBSCRIPTION, .due_ms = now_ms()};
            copy_text(event.uid, sizeof event.uid, uid);
            post(c, &event, NULL, 0);
        }
    }
    thing_leave(handle);
    return answer;
}

EXPORT int32_t agora_local_user_subscribe_audio(agora_handle user, const char *uid) {
    return subscribe(user, uid, false, true, __func__);
}

EXPORT int32_t agora_local_user_unsubscribe_audio(agora_handle user, const char *uid) {
    return subscribe(user, uid, false, false, __func__);
}

EXPORT int32_t agora_local_user_subscribe_video(agora_handle user, const char *uid, const agora_video_subscription_options *options) {
    if (!check_structure(options, sizeof *options, _Alignof(agora_video_subscription_options), "the options", __func__) ||
        !check_range(options->type, 0, 1, "type", __func__) || !check_range(options->encoded_frame_only, 0, 0, "encoded_frame_only", __func__)) {
        return -ERROR_ARGUMENT;
    }
    return subscribe(user, uid, true, true, __func__);
}

EXPORT int32_t agora_local_user_unsubscribe_video(agora_handle user, const char *uid) {
    return subscribe(user, uid, true, false, __func__);
}

EXPORT int32_t agora_local_user_send_intra_request(agora_handle handle, const char *uid) {
    struct connection *c = thing_enter(handle, KIND_LOCAL_USER, __func__);
    if (c == NULL) {
        return -ERROR_ARGUMENT;
    }
    int32_t answer = -ERROR_ARGUMENT;
    if (check_text(uid, LONGEST_UID - 1, "the user id", __func__)) {
        pthread_mutex_lock(&c->lock);
        answer = peer_find(c, uid) == NULL ? -ERROR_USER_ID : 0;
        pthread_mutex_unlock(&c->lock);
    }
    thing_leave(handle);
    return answer;
}

/* A remote track's handle holds its connection; a poll just after the track's end is nobody's fault. */
EXPORT agora_remote_video_track_stats *agora_remote_video_track_get_statistics(agora_handle track) {
    if (thing_was(track, KIND_REMOTE_VIDEO_TRACK) && !thing_is(track, KIND_REMOTE_VIDEO_TRACK)) {
        return NULL;
    }
    struct connection *c = thing_enter(track, KIND_REMOTE_VIDEO_TRACK, __func__);
    if (c == NULL) {
        return NULL;
    }
    agora_remote_video_track_stats *stats = NULL;
    pthread_mutex_lock(&c->lock);
    for (struct peer *peer = c->peers; peer != NULL; peer = peer->next) {
        if (peer->video_track == track) {
            stats = make(sizeof *stats);
            stats->uid = (uint32_t)strtoul(peer->uid, NULL, 10);
            stats->width = peer->width;
            stats->height = peer->height;
            stats->received_bitrate = peer->video.kbps;
            stats->decoder_output_frame_rate = stats->renderer_output_frame_rate = peer->video.per_second;
            stats->total_decoded_frames = peer->pictures;
            stats->total_active_time = stats->publish_duration = (uint64_t)(now_ms() - peer->since_ms);
        }
    }
    pthread_mutex_unlock(&c->lock);
    thing_leave(track);
    return stats;
}

EXPORT void agora_remote_video_track_destroy_statistics(agora_handle track, agora_remote_video_track_stats *stats) {
    if (!is_free_to_call(__func__)) {
        return;
    }
    if (!thing_was(track, KIND_REMOTE_VIDEO_TRACK)) {
        complain("%s: the track never was one", __func__);
    }
    if (check_structure(stats, sizeof *stats, _Alignof(agora_remote_video_track_stats), "the statistics", __func__)) {
        poison(stats, sizeof *stats);
    }
}
