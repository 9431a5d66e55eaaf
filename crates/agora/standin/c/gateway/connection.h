/* A connection to a channel: what its parts share. The event thread owns the course of the connection; calls only leave
   orders for it, the room's thread only leaves what arrived. */
#ifndef STANDIN_CONNECTION_H
#define STANDIN_CONNECTION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../knobs.h"
#include "../picture.h"
#include "../room.h"
#include "../wire.h"
#include "gateway.h"

#define LONGEST_TOKEN 4096
#define MOST_STREAMS 5

/* Numbers of FACTS A7. */
enum { STATE_DISCONNECTED = 1, STATE_CONNECTING, STATE_CONNECTED, STATE_RECONNECTING, STATE_FAILED };
enum { REASON_CONNECTING = 0, REASON_JOINED = 1, REASON_INTERRUPTED = 2, REASON_BANNED = 3, REASON_JOIN_FAILED = 4, REASON_LEAVE = 5,
       REASON_INVALID_APP_ID = 6, REASON_INVALID_TOKEN = 8, REASON_TOKEN_EXPIRED = 9, REASON_REJOINED = 15, REASON_SAME_UID = 19 };
enum { ERROR_FAILED = 1, ERROR_ARGUMENT = 2, ERROR_NOT_READY = 3, ERROR_REFUSED = 5, ERROR_NOT_INITIALIZED = 7, ERROR_STATE = 8,
       ERROR_TOO_OFTEN = 12, ERROR_JOIN_REJECTED = 17, ERROR_IN_USE = 19, ERROR_APP_ID = 101, ERROR_CHANNEL_NAME = 102,
       ERROR_TOKEN_EXPIRED = 109, ERROR_INVALID_TOKEN = 110, ERROR_NOT_IN_CHANNEL = 113, ERROR_TOO_LARGE = 114, ERROR_BITRATE = 115,
       ERROR_TOO_MANY_STREAMS = 116, ERROR_USER_ID = 121 };
enum { TRACK_STOPPED, TRACK_STARTING, TRACK_DECODING };
enum { TRACK_LOCAL_MUTED = 3, TRACK_LOCAL_UNMUTED, TRACK_REMOTE_MUTED, TRACK_REMOTE_UNMUTED, TRACK_OFFLINE };
enum { PUBLISH_IDLE, PUBLISH_NO, PUBLISH_UNDER_WAY, PUBLISH_DONE };
enum { ROLE_BROADCASTER = 1, ROLE_AUDIENCE };

/* One direction and kind of media, measured once a second. */
struct meter {
    uint32_t pictures;
    uint64_t bytes;
    int per_second; /* pictures in the last second */
    int kbps;
};

struct peer {
    struct peer *next;
    char uid[LONGEST_UID];
    uint32_t state;
    bool wants_video, wants_sound;     /* we subscribed */
    void *video_track, *sound_track;   /* handles while the peer sends and we subscribed */
    bool has_shown, has_sounded;       /* since the track came */
    int width, height, rotation;
    uint32_t pictures;
    uint64_t turn; /* of being shown */
    int64_t since_ms;
    struct meter video;
    struct picture *latest;
    int16_t *samples; /* not yet played: a queue of `have` samples per channel */
    int rate, channels, have;
    int64_t sound_ms; /* of the last block */
    int volume;
};

/* What observers were registered: our clones, and where the originals lie. */
struct observers {
    agora_rtc_conn_observer connection;
    const agora_rtc_conn_observer *connection_at;
    agora_local_user_observer user;
    const agora_local_user_observer *user_at;
    agora_audio_frame_observer sound;
    const agora_audio_frame_observer *sound_at;
    void *video; /* handle of a video frame observer */
};

struct event;

struct track;

struct publication {
    struct track *track; /* what is to be published, NULL for none; changed under the service's lock, too */
    void *current;       /* handle of what the observers were told of */
    int state;           /* PUBLISH_… */
    int64_t since_ms;
};

struct service;

struct connection {
    struct service *service;
    struct connection *next; /* of the service */
    void *handle, *user;
    agora_rtc_conn_config config;
    pthread_mutex_t lock; /* all that follows */
    pthread_cond_t changed, video_ready;
    pthread_t threads[3];
    bool is_ending;
    struct event *events;
    uint32_t attempt; /* of joining; what an earlier one left behind is told by it */
    int state;
    bool was_told_to_leave;
    char app_id[64], channel[LONGEST_UID], uid[LONGEST_UID], token[LONGEST_TOKEN];
    char secret[512];
    int64_t connected_ms, connect_ms, expires_ms; /* the last 0 = never */
    bool has_warned, has_lost;
    struct observers observers;
    struct peer *peers;
    bool subscribes_video, subscribes_sound;
    char refused_video[LONGEST_UID]; /* who was unsubscribed from last */
    int sound_rate, sound_channels; /* before mixing; 0 = not asked for */
    bool sound_wanted;              /* asked for before the observer was registered */
    int volume_interval;
    int own_volume;
    struct publication video, sound;
    int streams;
    int messages_in_second, bytes_in_second;
    int64_t message_second;
    struct room_traffic last_traffic;
    int64_t next_stats_ms, next_quality_ms, next_volume_ms;
    /* Replaced under the service's lock for writing, so that senders may use it while they hold that for reading. */
    struct room *room;
    atomic_bool is_paused; /* media is lost on the way */
};

/* Orders for the event thread and what arrived. */
enum event_type {
    EVENT_CONNECT = 1,
    EVENT_DISCONNECT,
    EVENT_FOUND,  /* lost and connected again */
    EVENT_LOST,
    EVENT_ENTERED,
    EVENT_REFUSED,
    EVENT_REPLACED,
    EVENT_JOINED,
    EVENT_LEFT,
    EVENT_STATE,
    EVENT_MESSAGE,
    EVENT_SUBSCRIPTION, /* of a peer changed */
    EVENT_PICTURE,      /* the first, or of another size */
    EVENT_SOUND,        /* the first */
    EVENT_PUBLISH,      /* our own tracks changed */
    EVENT_PUBLISHED,
    EVENT_ENABLED,      /* a track of ours was switched on or off */
};

struct event {
    struct event *next;
    enum event_type type;
    uint32_t attempt;
    int64_t due_ms;
    char uid[LONGEST_UID];
    int64_t a, b, c;
    size_t size;
    unsigned char data[];
};

/* Puts an event into the queue; the lock is not held. `data` may be NULL. */
void post(struct connection *connection, const struct event *event, const void *data, size_t size);

/* The three threads of a connection. */
void *run_events(void *connection);
void *run_video(void *connection);
void *run_sound(void *connection);

/* Peers; the lock is held. */
struct peer *peer_find(struct connection *connection, const char *uid);
void peer_free(struct peer *peer);

/* What the room calls. */
struct room_listener room_listener(struct connection *connection);

#endif
