/* Publishing our own tracks, and the reports that come by the clock. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "../system.h"
#include "course.h"
#include "service.h"
#include "tell.h"

/* A real library needs a server's answer for this. */
#define PUBLISH_MS 20
#define STATS_MS 1000
#define QUALITY_MS 2000
#define MOST_SPEAKERS 16

uint32_t current_state(struct connection *c) {
    pthread_mutex_lock(&c->lock);
    uint32_t state = c->config.client_role_type == ROLE_AUDIENCE ? STATE_AUDIENCE : 0;
    if (c->video.state == PUBLISH_DONE && c->video.track != NULL && c->video.track->is_enabled) {
        state |= STATE_VIDEO;
    }
    if (c->sound.state == PUBLISH_DONE && c->sound.track != NULL && c->sound.track->is_enabled) {
        state |= STATE_AUDIO;
    }
    pthread_mutex_unlock(&c->lock);
    return state;
}

void announce_state(struct connection *c) {
    world_read();
    if (c->room != NULL) {
        room_set_state(c->room, current_state(c));
    }
    world_release();
}

static void change(struct connection *c, bool is_video, int state) {
    int64_t now = now_ms();
    pthread_mutex_lock(&c->lock);
    struct publication *publication = is_video ? &c->video : &c->sound;
    int before = publication->state;
    int since = publication->since_ms == 0 ? 0 : (int)(now - publication->since_ms);
    publication->state = state;
    publication->since_ms = now;
    pthread_mutex_unlock(&c->lock);
    tell_user(c, is_video ? ON_VIDEO_PUBLISH : ON_AUDIO_PUBLISH, "", before, state, since);
}

static void settle(struct connection *c, bool is_video) {
    struct publication *publication = is_video ? &c->video : &c->sound;
    world_read();
    void *wanted = publication->track == NULL ? NULL : publication->track->handle;
    world_release();
    pthread_mutex_lock(&c->lock);
    bool is_in = c->state == STATE_CONNECTED || c->state == STATE_RECONNECTING;
    void *current = publication->current;
    int state = publication->state;
    publication->current = wanted;
    pthread_mutex_unlock(&c->lock);
    if (current != NULL && current != wanted) {
        tell_own_track(c, is_video, ON_UNPUBLISHED, current);
        change(c, is_video, PUBLISH_NO);
        announce_state(c);
        state = PUBLISH_NO;
    }
    if (wanted != NULL && is_in && state < PUBLISH_UNDER_WAY) {
        change(c, is_video, PUBLISH_UNDER_WAY);
        tell_own_track(c, is_video, ON_PUBLISH_START, wanted);
        struct event published = {.type = EVENT_PUBLISHED, .due_ms = now_ms() + PUBLISH_MS, .a = is_video};
        post(c, &published, NULL, 0);
    }
}

void course_publish(struct connection *c) {
    settle(c, true);
    settle(c, false);
}

void course_published(struct connection *c, bool is_video) {
    pthread_mutex_lock(&c->lock);
    struct publication *publication = is_video ? &c->video : &c->sound;
    bool is_due = publication->state == PUBLISH_UNDER_WAY && publication->current != NULL;
    void *track = publication->current;
    pthread_mutex_unlock(&c->lock);
    if (!is_due || knob(KNOB_PUBLISH_SILENT) != 0) {
        return;
    }
    change(c, is_video, PUBLISH_DONE);
    tell_own_track(c, is_video, ON_PUBLISH_SUCCESS, track);
    announce_state(c);
}

static uint16_t kbps(uint64_t bytes) {
    uint64_t kilobits = bytes * 8 / 1000 * 1000 / STATS_MS;
    return kilobits > UINT16_MAX ? UINT16_MAX : (uint16_t)kilobits;
}

static void report_stats(struct connection *c, int64_t now) {
    world_read();
    struct room_traffic traffic = c->room == NULL ? (struct room_traffic){0} : room_traffic(c->room);
    world_release();
    struct room_traffic last = c->last_traffic;
    c->last_traffic = traffic;
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    double cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
    agora_rtc_stats stats = {
        .connection_id = 1,
        .duration = (uint32_t)((now - c->connected_ms) / 1000),
        .tx_bytes = (uint32_t)traffic.sent,
        .rx_bytes = (uint32_t)traffic.received,
        .tx_audio_bytes = (uint32_t)traffic.sent_sounds,
        .tx_video_bytes = (uint32_t)traffic.sent_pictures,
        .rx_audio_bytes = (uint32_t)traffic.received_sounds,
        .rx_video_bytes = (uint32_t)traffic.received_pictures,
        .tx_k_bit_rate = kbps(traffic.sent - last.sent),
        .rx_k_bit_rate = kbps(traffic.received - last.received),
        .rx_audio_k_bit_rate = kbps(traffic.received_sounds - last.received_sounds),
        .tx_audio_k_bit_rate = kbps(traffic.sent_sounds - last.sent_sounds),
        .rx_video_k_bit_rate = kbps(traffic.received_pictures - last.received_pictures),
        .tx_video_k_bit_rate = kbps(traffic.sent_pictures - last.sent_pictures),
        .lastmile_delay = (uint16_t)traffic.rtt_ms,
        .user_count = (uint32_t)traffic.users,
        .cpu_app_usage = now > c->connected_ms ? cpu_seconds * 100000 / (double)now : 0,
        .gateway_rtt = traffic.rtt_ms,
        .memory_app_usage_in_kbytes = (int32_t)usage.ru_maxrss,
        .connect_time_ms = (int32_t)(c->connected_ms - c->connect_ms),
        .tx_packet_loss_rate = traffic.dropped > last.dropped ? 1 : 0,
    };
    tell_stats(c, &stats);
    pthread_mutex_lock(&c->lock);
    for (struct peer *peer = c->peers; peer != NULL; peer = peer->next) {
        peer->video.per_second = (int)peer->video.pictures;
        peer->video.kbps = (int)(peer->video.bytes * 8 / 1000);
        peer->video.pictures = 0;
        peer->video.bytes = 0;
    }
    pthread_mutex_unlock(&c->lock);
}

/* Of Agora's words: 1 excellent, 2 good, 3 poor, 5 very bad. */
static int quality_of(int rtt_ms) {
    return rtt_ms < 0 ? 0 : rtt_ms < 100 ? 1 : rtt_ms < 300 ? 2 : rtt_ms < 1000 ? 3 : 5;
}

static void report_quality(struct connection *c) {
    char uids[MOST_SPEAKERS][LONGEST_UID];
    int n = 0;
    pthread_mutex_lock(&c->lock);
    for (struct peer *peer = c->peers; peer != NULL && n < MOST_SPEAKERS; peer = peer->next) {
        copy_text(uids[n++], LONGEST_UID, peer->uid);
    }
    pthread_mutex_unlock(&c->lock);
    int worst = 0;
    int rtts[MOST_SPEAKERS];
    world_read();
    for (int i = 0; i < n; i++) {
        rtts[i] = c->room == NULL ? -1 : room_rtt(c->room, uids[i]);
        worst = rtts[i] > worst ? rtts[i] : worst;
    }
    world_release();
    tell_user(c, ON_NETWORK_QUALITY, "0", quality_of(worst), quality_of(worst), 0);
    for (int i = 0; i < n; i++) {
        tell_user(c, ON_NETWORK_QUALITY, uids[i], quality_of(rtts[i]), quality_of(rtts[i]), 0);
    }
}

static void report_volumes(struct connection *c) {
    agora_audio_volume_info own = {.user_id = "0"};
    agora_audio_volume_info speakers[MOST_SPEAKERS];
    char uids[MOST_SPEAKERS][LONGEST_UID];
    int n = 0, total = 0;
    pthread_mutex_lock(&c->lock);
    bool is_sending = c->sound.state == PUBLISH_DONE;
    own.volume = (uint32_t)c->own_volume;
    own.vad = c->own_volume > 30;
    c->own_volume = 0;
    for (struct peer *peer = c->peers; peer != NULL && n < MOST_SPEAKERS; peer = peer->next) {
        if (peer->sound_track != NULL) {
            copy_text(uids[n], LONGEST_UID, peer->uid);
            speakers[n] = (agora_audio_volume_info){.user_id = uids[n], .volume = (uint32_t)peer->volume};
            total = peer->volume > total ? peer->volume : total;
            n++;
        }
    }
    pthread_mutex_unlock(&c->lock);
    /* The local user and the others come apart. */
    if (is_sending) {
        tell_volumes(c, &own, 1, (int)own.volume);
    }
    tell_volumes(c, speakers, n, total);
}

void course_report(struct connection *c, int64_t now) {
    if (now >= c->next_stats_ms) {
        c->next_stats_ms = now + STATS_MS;
        report_stats(c, now);
    }
    if (now >= c->next_quality_ms) {
        c->next_quality_ms = now + QUALITY_MS;
        report_quality(c);
    }
    pthread_mutex_lock(&c->lock);
    bool is_due = c->volume_interval > 0 && now >= c->next_volume_ms;
    c->next_volume_ms = is_due ? now + c->volume_interval : c->next_volume_ms;
    pthread_mutex_unlock(&c->lock);
    if (is_due) {
        report_volumes(c);
    }
}
