#define _GNU_SOURCE
#include "room.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "knobs.h"
#include "link.h"
#include "meeting_place.h"
#include "sha256.h"
#include "system.h"
#include "wire.h"

#define MOST_PEERS 256
#define SILENT_MS 5000  /* for a link whose other end says no hello */
#define GOODBYE_MS 500
#define PING_MS 1000

struct room {
    pthread_mutex_t lock; /* links and what waits in them; never held while calling out */
    pthread_t thread;
    int wake;
    atomic_bool is_awake, is_leaving, with_goodbye;
    struct room_listener listener;
    char app_id[LONGEST_UID], channel[LONGEST_UID], uid[LONGEST_UID];
    unsigned char fingerprint[FINGERPRINT_SIZE];
    uint32_t state;
    struct meeting_place place;
    struct link *links;
    bool is_replaced;
    int64_t last_ping_ms;
    atomic_ullong sent, received, sent_pictures, sent_sounds, received_pictures, received_sounds;
    uint32_t dropped_before; /* by links that are gone */
};

static void take(void *room) {
    pthread_mutex_lock(&((struct room *)room)->lock);
}

static void give(void *room) {
    pthread_mutex_unlock(&((struct room *)room)->lock);
}

static void wake(struct room *room) {
    if (!atomic_exchange(&room->is_awake, true)) {
        uint64_t one = 1;
        ssize_t ignored = write(room->wake, &one, sizeof one);
        (void)ignored;
    }
}

static void say_hello(struct room *room, struct link *link) {
    unsigned char body[FINGERPRINT_SIZE + LONGEST_UID];
    size_t length = strlen(room->uid);
    memcpy(body, room->fingerprint, FINGERPRINT_SIZE);
    memcpy(body + FINGERPRINT_SIZE, room->uid, length);
    struct wire_head head = {.type = WIRE_HELLO, .size = (uint32_t)(FINGERPRINT_SIZE + length), .a = (int32_t)room->state};
    link_add(link, &head, body);
}

static void add_link(struct room *room, int socket) {
    struct link *link = link_make(socket);
    take(room);
    say_hello(room, link);
    link->next = room->links;
    room->links = link;
    give(room);
}

/* Takes the link out; the caller says what that means. */
static void remove_link(struct room *room, struct link *link) {
    take(room);
    struct link **at = &room->links;
    while (*at != NULL && *at != link) {
        at = &(*at)->next;
    }
    if (*at == link) {
        *at = link->next;
    }
    room->dropped_before += link->dropped_pictures + link->dropped_sounds;
    give(room);
}

static void close_link(struct room *room, struct link *link) {
    remove_link(room, link);
    if (link->uid[0] != '\0') {
        room->listener.on_left(room->listener.context, link->uid, link->said_goodbye ? ROOM_QUIT : ROOM_DROPPED);
    }
    link_free(link);
}

/* A user who comes again before we noticed that it went: the old link goes first. */
static void forget_older(struct room *room, const struct link *newer) {
    for (struct link *link = room->links, *next; link != NULL; link = next) {
        next = link->next;
        if (link != newer && strcmp(link->uid, newer->uid) == 0) {
            char uid[LONGEST_UID];
            copy_text(uid, sizeof uid, link->uid);
            bool said_goodbye = link->said_goodbye;
            /* Its memory may be in use further up in serve(): it ends there, without a name. */
            take(room);
            link->uid[0] = '\0';
            give(room);
            shutdown(link->socket, SHUT_RDWR);
            room->listener.on_left(room->listener.context, uid, said_goodbye ? ROOM_QUIT : ROOM_DROPPED);
            return;
        }
    }
}

static bool on_hello(struct room *room, struct link *link, const unsigned char *body) {
    size_t size = link->head.size;
    if (link->uid[0] != '\0' || size <= FINGERPRINT_SIZE || size - FINGERPRINT_SIZE >= LONGEST_UID) {
        return false;
    }
    char uid[LONGEST_UID] = {0};
    memcpy(uid, body + FINGERPRINT_SIZE, size - FINGERPRINT_SIZE);
    if (strlen(uid) != size - FINGERPRINT_SIZE || strcmp(uid, room->uid) == 0) {
        return false;
    }
    take(room);
    memcpy(link->uid, uid, sizeof uid);
    link->is_readable = memcmp(body, room->fingerprint, FINGERPRINT_SIZE) == 0;
    link->state = (uint32_t)link->head.a;
    give(room);
    forget_older(room, link);
    room->listener.on_joined(room->listener.context, uid, link->is_readable);
    if (link->state != 0) {
        room->listener.on_state(room->listener.context, uid, 0, link->state);
    }
    return true;
}

static bool on_message(void *context, struct link *link, const unsigned char *body, struct picture *picture) {
    struct room *room = context;
    const struct room_listener *listener = &room->listener;
    const struct wire_head *head = &link->head;
    if (head->type == WIRE_REPLACE) {
        room->is_replaced = true;
        return true;
    }
    if (head->type == WIRE_HELLO) {
        return on_hello(room, link, body);
    }
    if (link->uid[0] == '\0') {
        /* Forgotten for a newer link of the same user, or never introduced. */
        return false;
    }
    switch (head->type) {
    case WIRE_STATE: {
        uint32_t before = link->state;
        link->state = (uint32_t)head->a;
        if (before != link->state) {
            listener->on_state(listener->context, link->uid, before, link->state);
        }
        return true;
    }
    case WIRE_WANT:
        take(room);
        link->peer_wants_video = head->a != 0;
        link->peer_wants_sound = head->b != 0;
        give(room);
        return true;
    case WIRE_PICTURE:
        atomic_fetch_add(&room->received_pictures, head->size);
        if (link->is_readable) {
            listener->on_picture(listener->context, link->uid, picture);
        }
        return true;
    case WIRE_SOUND: {
        struct sound sound = {head->a, head->b, head->c, head->time_ms, (const int16_t *)(const void *)body};
        if (sound.channels < 1 || sound.channels > 2 || sound.samples < 1 || sound.rate < 8000 || sound.samples > 48000 ||
            head->size != (uint32_t)(sound.samples * sound.channels * 2)) {
            return false;
        }
        atomic_fetch_add(&room->received_sounds, head->size);
        if (link->is_readable) {
            listener->on_sound(listener->context, link->uid, &sound);
        }
        return true;
    }
    case WIRE_MESSAGE:
        if (link->is_readable) {
            listener->on_message(listener->context, link->uid, head->a, body, head->size, head->time_ms);
        }
        return true;
    case WIRE_PING: {
        struct wire_head pong = {.type = WIRE_PONG, .time_ms = head->time_ms};
        take(room);
        link_add(link, &pong, NULL);
        give(room);
        return true;
    }
    case WIRE_PONG:
        take(room);
        link->rtt_ms = (int)((now_us() - head->time_ms) / 1000);
        give(room);
        return true;
    case WIRE_GOODBYE:
        link->said_goodbye = true;
        return true;
    default:
        return false;
    }
}

static void ping(struct room *room) {
    int64_t now = now_ms();
    if (now - room->last_ping_ms < PING_MS) {
        return;
    }
    room->last_ping_ms = now;
    take(room);
    for (struct link *link = room->links; link != NULL; link = link->next) {
        if (link->uid[0] != '\0') {
            struct wire_head head = {.type = WIRE_PING, .time_ms = now_us()};
            link_add(link, &head, NULL);
        }
    }
    give(room);
}

/* One turn: waits for something to happen, then reads and writes what is possible. */
static void serve(struct room *room, int timeout_ms) {
    struct pollfd polls[MOST_PEERS + 2];
    struct link *links[MOST_PEERS];
    nfds_t n = 0;
    take(room);
    for (struct link *link = room->links; link != NULL && n < MOST_PEERS; link = link->next, n++) {
        links[n] = link;
        polls[n] = (struct pollfd){.fd = link->socket, .events = (short)(POLLIN | (link_has_output(link) ? POLLOUT : 0))};
    }
    give(room);
    nfds_t peers = n;
    polls[n++] = (struct pollfd){.fd = room->wake, .events = POLLIN};
    polls[n++] = (struct pollfd){.fd = room->place.listening, .events = POLLIN};
    if (poll(polls, n, timeout_ms) < 0) {
        return;
    }
    if (polls[peers].revents != 0) {
        uint64_t drained;
        ssize_t ignored = read(room->wake, &drained, sizeof drained);
        (void)ignored;
        atomic_store(&room->is_awake, false);
    }
    if ((polls[peers + 1].revents & POLLIN) != 0) {
        int socket = accept4(room->place.listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (socket >= 0 && peers < MOST_PEERS) {
            add_link(room, socket);
        } else if (socket >= 0) {
            close(socket);
        }
    }
    int64_t now = now_ms();
    for (nfds_t i = 0; i < peers; i++) {
        struct link *link = links[i];
        uint64_t sent = 0, received = 0;
        enum link_end end = LINK_OPEN;
        if ((polls[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            end = link_read(link, on_message, room, &received);
        }
        /* Not only where poll saw room: what was queued since goes out now, not a turn later. */
        if (end == LINK_OPEN) {
            end = link_write(link, take, give, room, &sent);
            /* The peer is gone; what it said before, perhaps goodbye, may still be unread. */
            while (end == LINK_CLOSED && link_read(link, on_message, room, &received) == LINK_OPEN) {
            }
        }
        atomic_fetch_add(&room->sent, sent);
        atomic_fetch_add(&room->received, received);
        if (end == LINK_CLOSED || (link->uid[0] == '\0' && now - link->since_ms > SILENT_MS)) {
            close_link(room, link);
        }
    }
    ping(room);
}

static void part(struct room *room, bool with_goodbye) {
    meeting_place_leave(&room->place);
    if (with_goodbye) {
        take(room);
        for (struct link *link = room->links; link != NULL; link = link->next) {
            picture_drop(link->latest);
            link->latest = NULL;
            struct wire_head head = {.type = WIRE_GOODBYE};
            link_add(link, &head, NULL);
        }
        give(room);
        int64_t until = now_ms() + GOODBYE_MS;
        bool is_waiting = true;
        while (is_waiting && now_ms() < until) {
            is_waiting = false;
            for (struct link *link = room->links; link != NULL; link = link->next) {
                uint64_t sent = 0;
                if (link_write(link, take, give, room, &sent) == LINK_OPEN && link_has_output(link)) {
                    is_waiting = true;
                }
            }
            if (is_waiting) {
                rest_ms(2);
            }
        }
    }
    while (room->links != NULL) {
        struct link *link = room->links;
        remove_link(room, link);
        link_free(link);
    }
}

static void on_found(void *context, int socket) {
    add_link(context, socket);
}

static void on_namesake(void *context, int socket) {
    (void)context;
    /* A single message that fits any socket's buffer: no need for a link. */
    struct wire_head head = {.mark = WIRE_MARK, .type = WIRE_REPLACE};
    ssize_t ignored = send(socket, &head, sizeof head, MSG_NOSIGNAL);
    (void)ignored;
    close(socket);
}

static void *run(void *context) {
    struct room *room = context;
    char why[128];
    struct meeting_seekers seekers = {room, on_found, on_namesake};
    if (!meeting_place_enter(&room->place, room->app_id, room->channel, room->uid, &seekers, why, sizeof why)) {
        room->listener.on_failed(room->listener.context, why);
        part(room, false);
        return NULL;
    }
    room->listener.on_entered(room->listener.context);
    while (!atomic_load(&room->is_leaving) && !room->is_replaced) {
        serve(room, 250);
    }
    bool was_replaced = room->is_replaced;
    part(room, was_replaced || atomic_load(&room->with_goodbye));
    if (was_replaced) {
        room->listener.on_replaced(room->listener.context);
    }
    return NULL;
}

struct room *room_enter(const struct room_place *place, const struct room_listener *listener) {
    struct room *room = make(sizeof *room);
    pthread_mutex_init(&room->lock, NULL);
    room->listener = *listener;
    room->place = (struct meeting_place){.folder = -1, .listening = -1};
    copy_text(room->app_id, sizeof room->app_id, place->app_id);
    copy_text(room->channel, sizeof room->channel, place->channel);
    copy_text(room->uid, sizeof room->uid, place->uid);
    room->state = place->state;
    if (place->secret != NULL && place->secret[0] != '\0') {
        sha256(place->secret, strlen(place->secret), room->fingerprint);
    }
    room->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (room->wake < 0 || !start_thread(&room->thread, "standin-net", run, room)) {
        if (room->wake >= 0) {
            close(room->wake);
        }
        free(room);
        return NULL;
    }
    return room;
}

void room_leave(struct room *room, bool with_goodbye) {
    atomic_store(&room->with_goodbye, with_goodbye);
    atomic_store(&room->is_leaving, true);
    wake(room);
    pthread_join(room->thread, NULL);
    close(room->wake);
    pthread_mutex_destroy(&room->lock);
    free(room);
}

void room_set_state(struct room *room, uint32_t state) {
    take(room);
    room->state = state;
    for (struct link *link = room->links; link != NULL; link = link->next) {
        struct wire_head head = {.type = WIRE_STATE, .a = (int32_t)state};
        link_add(link, &head, NULL);
    }
    give(room);
    wake(room);
}

static struct link *find(struct room *room, const char *uid) {
    for (struct link *link = room->links; link != NULL; link = link->next) {
        if (uid[0] != '\0' && strcmp(link->uid, uid) == 0) {
            return link;
        }
    }
    return NULL;
}

void room_want(struct room *room, const char *uid, bool video, bool sound) {
    take(room);
    struct link *link = find(room, uid);
    if (link != NULL) {
        struct wire_head head = {.type = WIRE_WANT, .a = video, .b = sound};
        link_add(link, &head, NULL);
    }
    give(room);
    wake(room);
}

bool room_is_watched(struct room *room) {
    bool is_watched = false;
    take(room);
    for (struct link *link = room->links; link != NULL; link = link->next) {
        is_watched = is_watched || link->peer_wants_video;
    }
    give(room);
    return is_watched;
}

void room_show(struct room *room, struct picture *picture) {
    take(room);
    for (struct link *link = room->links; link != NULL; link = link->next) {
        if (link->peer_wants_video) {
            atomic_fetch_add(&room->sent_pictures, i420_size(picture->width, picture->height));
            link_show(link, picture);
        }
    }
    give(room);
    wake(room);
}

void room_play(struct room *room, const struct sound *sound) {
    struct wire_head head = {
        .type = WIRE_SOUND,
        .size = (uint32_t)(sound->samples * sound->channels * 2),
        .a = sound->rate,
        .b = sound->channels,
        .c = sound->samples,
        .time_ms = sound->time_ms,
    };
    take(room);
    for (struct link *link = room->links; link != NULL; link = link->next) {
        if (link->peer_wants_sound) {
            atomic_fetch_add(&room->sent_sounds, head.size);
            link_add(link, &head, sound->data);
        }
    }
    give(room);
    wake(room);
}

void room_tell(struct room *room, int stream, const void *data, size_t size) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct wire_head head = {
        .type = WIRE_MESSAGE,
        .size = (uint32_t)size,
        .a = stream,
        .time_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
    };
    take(room);
    for (struct link *link = room->links; link != NULL; link = link->next) {
        link_add(link, &head, data);
    }
    give(room);
    wake(room);
}

struct room_traffic room_traffic(struct room *room) {
    struct room_traffic traffic = {
        .sent = atomic_load(&room->sent),
        .received = atomic_load(&room->received),
        .sent_pictures = atomic_load(&room->sent_pictures),
        .sent_sounds = atomic_load(&room->sent_sounds),
        .received_pictures = atomic_load(&room->received_pictures),
        .received_sounds = atomic_load(&room->received_sounds),
        .users = 1,
    };
    take(room);
    traffic.dropped = room->dropped_before;
    for (struct link *link = room->links; link != NULL; link = link->next) {
        if (link->uid[0] != '\0') {
            traffic.users++;
            traffic.dropped += link->dropped_pictures + link->dropped_sounds;
            traffic.rtt_ms = link->rtt_ms > traffic.rtt_ms ? link->rtt_ms : traffic.rtt_ms;
        }
    }
    give(room);
    return traffic;
}

int room_rtt(struct room *room, const char *uid) {
    take(room);
    struct link *link = find(room, uid);
    int rtt = link == NULL ? -1 : link->rtt_ms;
    give(room);
    return rtt;
}
