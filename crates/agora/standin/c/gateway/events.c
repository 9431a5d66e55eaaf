/* The course of a connection, on its event thread: one thing after the other. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../checks.h"
#include "../system.h"
#include "../token.h"
#include "course.h"
#include "service.h"
#include "tell.h"
#include "things.h"

#define TICK_MS 10
/* How long a lost connection stays so. */
#define LOST_MS 300

static void set_state(struct connection *c, int state) {
    pthread_mutex_lock(&c->lock);
    c->state = state;
    pthread_mutex_unlock(&c->lock);
}

/* Ends the room and forgets the peers. What is still in the queue belongs to the past. */
static void leave_room(struct connection *c, bool with_goodbye) {
    world_write();
    struct room *room = c->room;
    c->room = NULL;
    world_release();
    if (room != NULL) {
        room_leave(room, with_goodbye);
    }
    pthread_mutex_lock(&c->lock);
    c->attempt++;
    struct peer *peers = c->peers;
    c->peers = NULL;
    c->video.state = c->sound.state = PUBLISH_IDLE;
    c->streams = 0;
    c->expires_ms = 0;
    pthread_mutex_unlock(&c->lock);
    atomic_store(&c->is_paused, false);
    while (peers != NULL) {
        struct peer *peer = peers;
        peers = peer->next;
        peer_free(peer);
    }
}

static void fail(struct connection *c, int reason) {
    leave_room(c, true);
    set_state(c, STATE_FAILED);
    tell_info(c, ON_CONNECTION_FAILURE, STATE_FAILED, reason);
    if (reason == REASON_INVALID_TOKEN || reason == REASON_TOKEN_EXPIRED) {
        bool is_expired = reason == REASON_TOKEN_EXPIRED;
        tell_error(c, is_expired ? ERROR_TOKEN_EXPIRED : ERROR_INVALID_TOKEN, is_expired ? "token expired" : "invalid token");
    }
    tell_info(c, ON_DISCONNECTED, STATE_FAILED, reason);
}

static void end(struct connection *c, int state, int reason) {
    leave_room(c, true);
    set_state(c, state);
    tell_info(c, ON_DISCONNECTED, state, reason);
}

/* 0, or the reason for which the token doesn't let us in. Sets when it ends. */
int course_check_token(struct connection *c) {
    char certificate[TEXT_SIZE];
    text(TEXT_CERTIFICATE, certificate);
    pthread_mutex_lock(&c->lock);
    c->expires_ms = 0;
    c->has_warned = false;
    struct token_claim claim = {c->app_id, certificate, c->channel, c->uid, (int64_t)time(NULL)};
    int64_t left = 0;
    enum token_verdict verdict = certificate[0] == '\0' ? TOKEN_OK : token_verify(c->token, &claim, &left);
    if (verdict == TOKEN_OK && certificate[0] != '\0') {
        c->expires_ms = now_ms() + left * 1000;
    }
    pthread_mutex_unlock(&c->lock);
    return verdict == TOKEN_OK ? 0 : verdict == TOKEN_EXPIRED ? REASON_TOKEN_EXPIRED : REASON_INVALID_TOKEN;
}

static void on_connect(struct connection *c) {
    if (knob(KNOB_JOIN_SILENT) != 0) {
        return;
    }
    set_state(c, STATE_CONNECTING);
    tell_info(c, ON_CONNECTING, STATE_CONNECTING, REASON_CONNECTING);
    if (knob(KNOB_JOIN_REASON) != 0) {
        fail(c, (int)knob(KNOB_JOIN_REASON));
        return;
    }
    char app_id[TEXT_SIZE];
    text(TEXT_APP_ID, app_id);
    if (app_id[0] != '\0' && strcmp(app_id, c->app_id) != 0) {
        fail(c, REASON_INVALID_APP_ID);
        return;
    }
    int refusal = course_check_token(c);
    if (refusal != 0) {
        fail(c, refusal);
        return;
    }
    if (strcmp(c->uid, "0") == 0) {
        /* The server chooses. */
        char chosen[16];
        snprintf(chosen, sizeof chosen, "%u", (unsigned)(now_us() % 1000000000 + 1000000000));
        pthread_mutex_lock(&c->lock);
        copy_text(c->uid, sizeof c->uid, chosen);
        pthread_mutex_unlock(&c->lock);
    }
    struct room_place place = {c->app_id, c->channel, c->uid, c->secret, 0};
    struct room_listener listener = room_listener(c);
    struct room *room = room_enter(&place, &listener);
    if (room == NULL) {
        fail(c, REASON_JOIN_FAILED);
        return;
    }
    world_write();
    c->room = room;
    world_release();
}

static void on_entered(struct connection *c) {
    int64_t now = now_ms();
    pthread_mutex_lock(&c->lock);
    c->state = STATE_CONNECTED;
    c->connected_ms = now;
    c->has_lost = false;
    c->next_stats_ms = now + 1000;
    c->next_quality_ms = now + 2000;
    c->next_volume_ms = now + c->volume_interval;
    memset(&c->last_traffic, 0, sizeof c->last_traffic);
    if (knob(KNOB_TOKEN_EXPIRES_IN) > 0) {
        c->expires_ms = now + knob(KNOB_TOKEN_EXPIRES_IN) * 1000;
    }
    pthread_mutex_unlock(&c->lock);
    tell_info(c, ON_CONNECTED, STATE_CONNECTED, REASON_JOINED);
    course_publish(c);
}

static void on_lost(struct connection *c) {
    atomic_store(&c->is_paused, true);
    set_state(c, STATE_RECONNECTING);
    tell_info(c, ON_RECONNECTING, STATE_RECONNECTING, REASON_INTERRUPTED);
    tell_info(c, ON_CONNECTION_LOST, STATE_RECONNECTING, 0);
    struct event found = {.type = EVENT_FOUND, .due_ms = now_ms() + LOST_MS};
    post(c, &found, NULL, 0);
}

static void on_found(struct connection *c) {
    atomic_store(&c->is_paused, false);
    set_state(c, STATE_CONNECTED);
    tell_info(c, ON_RECONNECTED, STATE_CONNECTED, REASON_REJOINED);
}

static void handle(struct connection *c, const struct event *event) {
    switch (event->type) {
    case EVENT_CONNECT:
        on_connect(c);
        break;
    case EVENT_DISCONNECT:
        end(c, STATE_DISCONNECTED, REASON_LEAVE);
        break;
    case EVENT_LOST:
        on_lost(c);
        break;
    case EVENT_FOUND:
        on_found(c);
        break;
    case EVENT_ENTERED:
        on_entered(c);
        break;
    case EVENT_REFUSED:
        tell_error(c, ERROR_FAILED, event->uid);
        fail(c, REASON_JOIN_FAILED);
        break;
    case EVENT_REPLACED:
        end(c, STATE_FAILED, REASON_SAME_UID);
        break;
    case EVENT_JOINED:
        course_joined(c, event->uid, event->a != 0);
        break;
    case EVENT_LEFT:
        course_left(c, event->uid, (int)event->a);
        break;
    case EVENT_STATE:
        course_state(c, event->uid, (uint32_t)event->a);
        break;
    case EVENT_MESSAGE:
        tell_message(c, event->uid, (int)event->a, event->data, event->size);
        break;
    case EVENT_SUBSCRIPTION:
        course_subscription(c, event->uid);
        break;
    case EVENT_PICTURE:
        course_picture(c, event->uid, (int)event->a, (int)event->b, (int)event->c);
        break;
    case EVENT_SOUND:
        course_sound(c, event->uid);
        break;
    case EVENT_PUBLISH:
        course_publish(c);
        break;
    case EVENT_PUBLISHED:
        course_published(c, event->a != 0);
        break;
    case EVENT_ENABLED:
        announce_state(c);
        break;
    }
}

static void check_time(struct connection *c) {
    int64_t now = now_ms();
    pthread_mutex_lock(&c->lock);
    bool is_in = c->state == STATE_CONNECTED || c->state == STATE_RECONNECTING;
    int64_t left = c->expires_ms - now;
    bool will_expire = is_in && c->expires_ms != 0 && !c->has_warned && left <= 30000;
    bool did_expire = is_in && c->expires_ms != 0 && left <= 0;
    c->has_warned = c->has_warned || will_expire;
    bool is_lost = c->state == STATE_CONNECTED && !c->has_lost && knob(KNOB_LOSE_CONNECTION) > 0 &&
                   now - c->connected_ms >= knob(KNOB_LOSE_CONNECTION);
    c->has_lost = c->has_lost || is_lost;
    char token[LONGEST_TOKEN];
    copy_text(token, sizeof token, c->token);
    pthread_mutex_unlock(&c->lock);
    if (!is_in) {
        return;
    }
    if (knob(KNOB_KICK) != 0 || knob(KNOB_SAME_UID) != 0) {
        end(c, STATE_FAILED, knob(KNOB_KICK) != 0 ? REASON_BANNED : REASON_SAME_UID);
        return;
    }
    if (will_expire) {
        tell_will_expire(c, token);
    }
    if (did_expire) {
        tell_did_expire(c);
        end(c, STATE_FAILED, REASON_TOKEN_EXPIRED);
        return;
    }
    if (is_lost) {
        on_lost(c);
    }
    course_report(c, now);
}

void *run_events(void *context) {
    struct connection *c = context;
    int64_t last_tick = 0;
    pthread_mutex_lock(&c->lock);
    while (!c->is_ending) {
        struct event *event = c->events;
        int64_t now = now_ms();
        if (now - last_tick >= TICK_MS) {
            last_tick = now;
            pthread_mutex_unlock(&c->lock);
            check_time(c);
            pthread_mutex_lock(&c->lock);
        } else if (event != NULL && event->due_ms <= now) {
            c->events = event->next;
            bool is_stale = event->attempt != c->attempt && event->type > EVENT_DISCONNECT;
            pthread_mutex_unlock(&c->lock);
            if (!is_stale) {
                handle(c, event);
            }
            free(event);
            pthread_mutex_lock(&c->lock);
        } else {
            bool is_idle = event == NULL && c->room == NULL;
            int64_t due = event == NULL ? TICK_MS : event->due_ms - now;
            wait_ms(&c->changed, &c->lock, is_idle ? 1000 : due < TICK_MS ? due : TICK_MS);
        }
    }
    pthread_mutex_unlock(&c->lock);
    leave_room(c, true);
    pthread_mutex_lock(&c->lock);
    while (c->events != NULL) {
        struct event *event = c->events;
        c->events = event->next;
        free(event);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}
