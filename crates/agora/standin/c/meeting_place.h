/* The folder of a channel, and our socket in it. */
#ifndef STANDIN_MEETING_PLACE_H
#define STANDIN_MEETING_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct meeting_place {
    int folder;    /* -1 when not entered */
    int listening; /* -1 likewise */
    ino_t inode;   /* of our socket: another user of the same name may have put its own there since */
    char name[17];
};

struct meeting_seekers {
    void *context;
    void (*on_found)(void *context, int socket);    /* somebody is there; the socket is ours now */
    void (*on_namesake)(void *context, int socket); /* the same user is there; likewise */
};

/* Connects to all who are there, then listens. Entering and leaving exclude each other over all processes, so that of two
   who enter at once exactly one connects to the other. May wait; call it on an own thread. False with the reason. */
bool meeting_place_enter(struct meeting_place *place, const char *app_id, const char *channel, const char *uid,
                         const struct meeting_seekers *seekers, char *why, size_t size);
void meeting_place_leave(struct meeting_place *place);

#endif
