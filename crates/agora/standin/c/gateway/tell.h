/* Calls to the caller's observers: from our threads, with arguments that live no longer than the call. */
#ifndef STANDIN_TELL_H
#define STANDIN_TELL_H

#include "connection.h"

/* A copy of a text for one callback, and its end; NULL where a knob says so. */
char *lend(const char *text);
void take_back(char *lent);

/* Events that carry the connection's state. */
enum info_event { ON_CONNECTED, ON_DISCONNECTED, ON_CONNECTING, ON_RECONNECTING, ON_RECONNECTED, ON_CONNECTION_LOST, ON_CONNECTION_FAILURE };
void tell_info(struct connection *connection, enum info_event event, int state, int reason);

/* Events that carry a user and up to four numbers. */
enum user_event {
    ON_USER_JOINED,
    ON_USER_LEFT,          /* reason */
    ON_NETWORK_QUALITY,    /* tx, rx */
    ON_USER_INFO_UPDATED,  /* message, value */
    ON_FIRST_AUDIO_FRAME,  /* elapsed */
    ON_FIRST_AUDIO_DECODED,
    ON_FIRST_VIDEO_FRAME,  /* width, height, elapsed */
    ON_FIRST_VIDEO_DECODED,
    ON_FIRST_VIDEO_RENDERED,
    ON_VIDEO_SIZE_CHANGED, /* width, height, rotation */
    ON_AUDIO_SUBSCRIBE,    /* old, new, elapsed */
    ON_VIDEO_SUBSCRIBE,
    ON_AUDIO_PUBLISH,      /* old, new, elapsed; no user */
    ON_VIDEO_PUBLISH,
};
void tell_user(struct connection *connection, enum user_event event, const char *uid, int a, int b, int c);

void tell_track_state(struct connection *connection, bool is_video, const char *uid, void *track, int state, int reason, int elapsed);
void tell_subscribed(struct connection *connection, bool is_video, const char *uid, void *track);
/* The track of ours was begun, finished, ended to be published, or switched. */
enum own_event { ON_PUBLISH_START, ON_PUBLISH_SUCCESS, ON_UNPUBLISHED };
void tell_own_track(struct connection *connection, bool is_video, enum own_event event, void *track);
void tell_message(struct connection *connection, const char *uid, int stream, const void *data, size_t size);
void tell_stats(struct connection *connection, const agora_rtc_stats *stats);
void tell_volumes(struct connection *connection, const agora_audio_volume_info *speakers, int count, int total);
void tell_error(struct connection *connection, int error, const char *message);
void tell_encryption_error(struct connection *connection, int type);
void tell_will_expire(struct connection *connection, const char *token);
void tell_did_expire(struct connection *connection);

/* Media. */
void tell_picture(struct connection *connection, const char *uid, struct picture *picture);
void tell_sound(struct connection *connection, const char *uid, const struct sound *sound);

/* After an observer was unregistered: calls it for 200 ms more, if the knob says so. `kind` tells what `table` is. */
enum late_kind { LATE_CONNECTION, LATE_USER, LATE_SOUND, LATE_VIDEO };
void haunt(void *handle, enum late_kind kind, const void *table);
/* Waits until nothing is called late any more. */
void wait_for_ghosts(void);

/* A clone of a table is compared with its original, which must stay until it is unregistered. */
void check_original(const void *original, const void *clone, size_t size, const char *what);

#endif
