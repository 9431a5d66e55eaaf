/* Late callbacks: after an observer was unregistered, and perhaps its connection destroyed, real libraries may still call it. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../system.h"
#include "connection.h"
#include "tell.h"
#include "things.h"

#define HAUNT_MS 200

struct ghost {
    void *handle;
    enum late_kind kind;
    union {
        agora_rtc_conn_observer connection;
        agora_local_user_observer user;
        agora_audio_frame_observer sound;
        agora_video_frame_observer2 video;
    } table;
};

/* Inside Iris's stand-in the observers are its own, which a late call would surprise; it calls its listeners late itself. */
struct engine *living_engine(void) __attribute__((weak));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gone = PTHREAD_COND_INITIALIZER;
static int ghosts;

static void haunt_connection(const struct ghost *ghost) {
    char *uid = strdup("4242");
    agora_rtc_stats *stats = make(sizeof *stats);
    if (ghost->table.connection.on_user_joined != NULL) {
        ghost->table.connection.on_user_joined(ghost->handle, uid);
    }
    if (ghost->table.connection.on_transport_stats != NULL) {
        ghost->table.connection.on_transport_stats(ghost->handle, stats);
    }
    poison(uid, 5);
    poison(stats, sizeof *stats);
}

static void haunt_user(const struct ghost *ghost) {
    char *uid = strdup("4242"), *message = strdup("late");
    if (ghost->table.user.on_user_info_updated != NULL) {
        ghost->table.user.on_user_info_updated(ghost->handle, uid, 0, 1);
    }
    if (ghost->table.user.on_stream_message != NULL) {
        ghost->table.user.on_stream_message(ghost->handle, uid, 1, message, 4);
    }
    poison(uid, 5);
    poison(message, 5);
}

static void haunt_sound(const struct ghost *ghost) {
    char *uid = strdup("4242"), *channel = strdup("late");
    int16_t *samples = make(480 * sizeof *samples);
    agora_audio_frame *frame = make(sizeof *frame);
    *frame = (agora_audio_frame){.samples_per_channel = 480, .bytes_per_sample = 2, .channels = 1, .samples_per_sec = 48000, .buffer = samples};
    if (ghost->table.sound.on_playback_audio_frame_before_mixing != NULL) {
        ghost->table.sound.on_playback_audio_frame_before_mixing(ghost->handle, channel, uid, frame);
    }
    poison(uid, 5);
    poison(channel, 5);
    poison(samples, 480 * sizeof *samples);
    poison(frame, sizeof *frame);
}

static void haunt_video(const struct ghost *ghost) {
    char *uid = strdup("4242"), *channel = strdup("late");
    uint8_t *planes = make(16 * 16 * 3 / 2);
    agora_video_frame *frame = make(sizeof *frame);
    *frame = (agora_video_frame){.type = 1, .width = 16, .height = 16, .y_stride = 16, .u_stride = 8, .v_stride = 8,
                                 .y_buffer = planes, .u_buffer = planes + 256, .v_buffer = planes + 320};
    if (ghost->table.video.on_frame != NULL) {
        ghost->table.video.on_frame(ghost->handle, channel, uid, frame);
    }
    poison(uid, 5);
    poison(channel, 5);
    poison(planes, 16 * 16 * 3 / 2);
    poison(frame, sizeof *frame);
}

static void *run(void *context) {
    struct ghost *ghost = context;
    static void (*const bodies[])(const struct ghost *) = {haunt_connection, haunt_user, haunt_sound, haunt_video};
    int64_t until = now_ms() + HAUNT_MS;
    while (now_ms() < until) {
        callback_begin();
        bodies[ghost->kind](ghost);
        callback_end();
        rest_ms(5);
    }
    free(ghost);
    pthread_mutex_lock(&lock);
    ghosts--;
    pthread_cond_broadcast(&gone);
    pthread_mutex_unlock(&lock);
    return NULL;
}

void haunt(void *handle, enum late_kind kind, const void *table) {
    static const size_t sizes[] = {sizeof(agora_rtc_conn_observer), sizeof(agora_local_user_observer), sizeof(agora_audio_frame_observer),
                                   sizeof(agora_video_frame_observer2)};
    if (knob(KNOB_LATE_CALLBACKS) == 0 || living_engine != NULL) {
        return;
    }
    struct ghost *ghost = make(sizeof *ghost);
    ghost->handle = handle;
    ghost->kind = kind;
    memcpy(&ghost->table, table, sizes[kind]);
    pthread_t thread;
    pthread_mutex_lock(&lock);
    ghosts++;
    pthread_mutex_unlock(&lock);
    if (start_thread(&thread, "standin-late", run, ghost)) {
        pthread_detach(thread);
    } else {
        pthread_mutex_lock(&lock);
        ghosts--;
        pthread_mutex_unlock(&lock);
        free(ghost);
    }
}

void wait_for_ghosts(void) {
    pthread_mutex_lock(&lock);
    while (ghosts > 0) {
        pthread_cond_wait(&gone, &lock);
    }
    pthread_mutex_unlock(&lock);
}
