/* The service, and what it lends out: senders, tracks, observers. */
#ifndef STANDIN_SERVICE_H
#define STANDIN_SERVICE_H

#include "connection.h"

struct service {
    void *handle, *parameter;
    bool is_ready;
    agora_service_config config;
    const char *app_id_at; /* the caller's, which must stay */
    char app_id[64];
    struct connection *connections;
    int tracks, factories;
};

/* A sender and the track that is fed by it. */
struct sender {
    void *handle;
    struct track *track; /* NULL for none */
};

struct track {
    void *handle;
    struct service *service;
    struct sender *sender;
    bool is_enabled;
    struct connection *publisher; /* NULL while not published */
    int send_delay_ms, most_frames;
};

/* Guards how service, connections, tracks and senders hang together. Held for reading while a frame is sent. */
void world_read(void);
void world_write(void);
void world_release(void);

/* The body of a video frame observer. */
struct video_observer {
    agora_video_frame_observer2 table;
    const agora_video_frame_observer2 *at;
    int registrations;
};

/* Tells the peers what we send at the moment. */
void announce_state(struct connection *connection);
/* What we send at the moment; the world is held. */
uint32_t current_state(struct connection *connection);

#endif
