/* Where connections of one or several processes find each other and exchange media: a folder for each channel, in it a
   Unix socket for each user. Who joins connects to those already there. */
#ifndef STANDIN_ROOM_H
#define STANDIN_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "picture.h"

/* What a user sends at the moment. */
#define STATE_VIDEO 1u          /* video is published and enabled */
#define STATE_AUDIO 2u
#define STATE_AUDIENCE 4u

enum room_end {
    ROOM_QUIT,     /* said goodbye */
    ROOM_DROPPED,  /* vanished without a word */
};

/* All are called on the room's own thread, one at a time; texts, pictures and sounds are valid until the return. They must
   not call room_leave. */
struct room_listener {
    void *context;
    void (*on_entered)(void *context);
    void (*on_failed)(void *context, const char *why);
    void (*on_replaced)(void *context); /* the same user came in elsewhere; we are out */
    void (*on_joined)(void *context, const char *uid, bool is_readable);
    void (*on_left)(void *context, const char *uid, enum room_end end);
    void (*on_state)(void *context, const char *uid, uint32_t before, uint32_t now);
    void (*on_picture)(void *context, const char *uid, struct picture *picture);
    void (*on_sound)(void *context, const char *uid, const struct sound *sound);
    void (*on_message)(void *context, const char *uid, int stream, const void *data, size_t size, int64_t sent_ms);
};

struct room_place {
    const char *app_id;
    const char *channel;
    const char *uid;
    const char *secret; /* what only those with the same key have, or empty; not sent as it is */
    uint32_t state;
};

struct room_traffic {
    uint64_t sent, received; /* bytes */
    uint64_t sent_pictures, sent_sounds, received_pictures, received_sounds; /* bytes of these, heads not counted */
    int rtt_ms;
    int users; /* ourselves included */
    uint32_t dropped; /* pictures and blocks of sound that found no room on the way */
};

struct room;

/* Returns at once; the rest comes through the listener. NULL when no thread can be started. */
struct room *room_enter(const struct room_place *place, const struct room_listener *listener);
/* Waits until the goodbye is out (half a second at most) or, without goodbye, vanishes at once. Nothing is called afterwards. */
void room_leave(struct room *room, bool with_goodbye);

void room_set_state(struct room *room, uint32_t state);
/* What we want to get of a peer; nothing before this. */
void room_want(struct room *room, const char *uid, bool video, bool sound);
/* True when somebody wants our pictures. */
bool room_is_watched(struct room *room);
/* Never block; what finds no room is dropped and counted. The picture is shared. */
void room_show(struct room *room, struct picture *picture);
void room_play(struct room *room, const struct sound *sound);
void room_tell(struct room *room, int stream, const void *data, size_t size);
struct room_traffic room_traffic(struct room *room);
/* The time to a peer and back in ms; -1 when it isn't there. */
int room_rtt(struct room *room, const char *uid);

#endif
