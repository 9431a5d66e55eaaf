/* One end of a connection to one peer: takes apart what arrives, holds what is to go. Never blocks. The room's thread
   reads and writes; any thread may add, under the room's lock. */
#ifndef STANDIN_LINK_H
#define STANDIN_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "picture.h"
#include "wire.h"

struct parcel {
    struct parcel *next;
    struct wire_head head;
    unsigned char body[];
};

struct link {
    struct link *next;
    int socket;
    int64_t since_ms;
    char uid[LONGEST_UID]; /* empty until the peer said hello */
    bool is_readable;      /* same encryption key */
    bool said_goodbye;
    uint32_t state;                 /* of the peer */
    bool peer_wants_video, peer_wants_sound;
    int rtt_ms;
    /* reading */
    struct wire_head head;
    size_t head_read;
    unsigned char *body; /* of a small message */
    struct picture *picture;
    size_t body_read;
    /* writing */
    struct parcel *first, *last;
    size_t waiting;           /* bytes of parcels */
    struct picture *latest;   /* not begun */
    struct parcel *parcel;    /* under way */
    struct picture *sending;  /* under way */
    struct wire_head sending_head;
    size_t written;
    uint32_t dropped_pictures, dropped_sounds;
    uint32_t received_pictures, received_sounds;
};

/* What came of reading or writing. */
enum link_end { LINK_OPEN, LINK_CLOSED };

struct link *link_make(int socket);
void link_free(struct link *link);

/* Queues a small message. Sound and data are dropped when too much waits; the rest never is. */
void link_add(struct link *link, const struct wire_head *head, const void *body);
/* Replaces the picture that waits. */
void link_show(struct link *link, struct picture *picture);
bool link_has_output(const struct link *link);

/* Writes what the socket takes. The lock is held while the queue is looked at, not while the system copies. */
enum link_end link_write(struct link *link, void (*lock)(void *), void (*unlock)(void *), void *context, uint64_t *bytes);

/* Reads until the socket is empty or enough was read for others to have their turn. `on_message` gets each whole message; for a picture
   `picture` is set (borrowed), else `body`. It answers false for what makes no sense, which ends the link. */
enum link_end link_read(struct link *link, bool (*on_message)(void *context, struct link *, const unsigned char *body, struct picture *picture),
                        void *context, uint64_t *bytes);

#endif
