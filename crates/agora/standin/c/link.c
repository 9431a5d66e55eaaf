#define _GNU_SOURCE
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "system.h"

/* A second of stereo sound at 48 kHz. */
#define MOST_WAITING (192 * 1024)
#define SMALL_BODY (64 * 1024)
/* One picture of 1080p a turn. */
#define ONE_TURN (3 * 1024 * 1024)

struct link *link_make(int socket) {
    struct link *link = make(sizeof *link);
    link->socket = socket;
    link->since_ms = now_ms();
    link->is_readable = true;
    /* A whole picture fits, where we may ask for that much. */
    int size = 2 * 1024 * 1024;
    if (setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0) {
        setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    }
    return link;
}

void link_free(struct link *link) {
    close(link->socket);
    while (link->first != NULL) {
        struct parcel *parcel = link->first;
        link->first = parcel->next;
        free(parcel);
    }
    free(link->parcel);
    free(link->body);
    picture_drop(link->picture);
    picture_drop(link->latest);
    picture_drop(link->sending);
    free(link);
}

void link_add(struct link *link, const struct wire_head *head, const void *body) {
    bool may_drop = head->type == WIRE_SOUND || head->type == WIRE_MESSAGE;
    if (may_drop && link->waiting + head->size > MOST_WAITING) {
        link->dropped_sounds++;
        return;
    }
    struct parcel *parcel = make(sizeof *parcel + head->size);
    parcel->head = *head;
    parcel->head.mark = WIRE_MARK;
    if (head->size > 0) {
        memcpy(parcel->body, body, head->size);
    }
    if (link->last != NULL) {
        link->last->next = parcel;
    } else {
        link->first = parcel;
    }
    link->last = parcel;
    link->waiting += head->size;
}

void link_show(struct link *link, struct picture *picture) {
    if (link->latest != NULL) {
        link->dropped_pictures++;
        picture_drop(link->latest);
    }
    picture_hold(picture);
    link->latest = picture;
}

bool link_has_output(const struct link *link) {
    return link->parcel != NULL || link->sending != NULL || link->first != NULL || link->latest != NULL;
}

/* Sound before pictures: it is small and late sound is heard. */
static bool take_next(struct link *link) {
    link->written = 0;
    if (link->first != NULL) {
        link->parcel = link->first;
        link->first = link->parcel->next;
        if (link->first == NULL) {
            link->last = NULL;
        }
        link->waiting -= link->parcel->head.size;
        link->sending_head = link->parcel->head;
        return true;
    }
    if (link->latest != NULL) {
        struct picture *picture = link->sending = link->latest;
        link->latest = NULL;
        link->sending_head = (struct wire_head){
            .mark = WIRE_MARK,
            .type = WIRE_PICTURE,
            .size = (uint32_t)i420_size(picture->width, picture->height),
            .a = picture->width,
            .b = picture->height,
            .c = picture->rotation,
            .time_ms = picture->time_ms,
        };
        return true;
    }
    return false;
}

enum link_end link_write(struct link *link, void (*lock)(void *), void (*unlock)(void *), void *context, uint64_t *bytes) {
    for (;;) {
        if (link->parcel == NULL && link->sending == NULL) {
            lock(context);
            bool any = take_next(link);
            unlock(context);
            if (!any) {
                return LINK_OPEN;
            }
        }
        unsigned char *body = link->parcel != NULL ? link->parcel->body : link->sending->data;
        size_t head_size = sizeof link->sending_head, total = head_size + link->sending_head.size;
        struct iovec parts[2];
        int n = 0;
        if (link->written < head_size) {
            parts[n++] = (struct iovec){(char *)&link->sending_head + link->written, head_size - link->written};
        }
        size_t body_written = link->written < head_size ? 0 : link->written - head_size;
        if (link->sending_head.size > body_written) {
            parts[n++] = (struct iovec){body + body_written, link->sending_head.size - body_written};
        }
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)n};
        ssize_t sent = sendmsg(link->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? LINK_OPEN : LINK_CLOSED;
        }
        link->written += (size_t)sent;
        *bytes += (uint64_t)sent;
        if (link->written == total) {
            free(link->parcel);
            link->parcel = NULL;
            picture_drop(link->sending);
            link->sending = NULL;
        }
    }
}

/* Makes room for the body that the head announces; false when the head makes no sense. */
static bool expect_body(struct link *link) {
    const struct wire_head *head = &link->head;
    if (head->mark != WIRE_MARK || head->size > WIRE_LONGEST) {
        return false;
    }
    link->body_read = 0;
    if (head->type == WIRE_PICTURE) {
        if (head->a < 1 || head->b < 1 || head->a > LONGEST_SIDE || head->b > LONGEST_SIDE || head->size != i420_size(head->a, head->b)) {
            return false;
        }
        link->picture = picture_make(head->a, head->b);
        link->picture->rotation = head->c;
        link->picture->time_ms = head->time_ms;
        return true;
    }
    if (head->size > SMALL_BODY) {
        return false;
    }
    if (link->body == NULL) {
        link->body = make(SMALL_BODY + 1);
    }
    return true;
}

static bool hand_over(struct link *link, bool (*on_message)(void *, struct link *, const unsigned char *, struct picture *), void *context) {
    struct picture *picture = link->picture;
    link->picture = NULL;
    link->head_read = 0;
    bool makes_sense = on_message(context, link, picture != NULL ? NULL : link->body, picture);
    picture_drop(picture);
    return makes_sense;
}

enum link_end link_read(struct link *link, bool (*on_message)(void *context, struct link *, const unsigned char *body, struct picture *picture),
                        void *context, uint64_t *bytes) {
    for (size_t turn = 0; turn < ONE_TURN;) {
        unsigned char *into;
        size_t wanted;
        if (link->head_read < sizeof link->head) {
            into = (unsigned char *)&link->head + link->head_read;
            wanted = sizeof link->head - link->head_read;
        } else {
            into = (link->picture != NULL ? link->picture->data : link->body) + link->body_read;
            wanted = link->head.size - link->body_read;
        }
        ssize_t got = recv(link->socket, into, wanted, MSG_DONTWAIT);
        if (got < 0) {
            return errno == EAGAIN || errno == EINTR ? LINK_OPEN : LINK_CLOSED;
        }
        if (got == 0) {
            return LINK_CLOSED;
        }
        turn += (size_t)got;
        *bytes += (uint64_t)got;
        if (link->head_read < sizeof link->head) {
            link->head_read += (size_t)got;
            if (link->head_read < sizeof link->head) {
                continue;
            }
            if (!expect_body(link)) {
                return LINK_CLOSED;
            }
        } else {
            link->body_read += (size_t)got;
        }
        if (link->body_read == link->head.size && !hand_over(link, on_message, context)) {
            return LINK_CLOSED;
        }
    }
    return LINK_OPEN;
}

