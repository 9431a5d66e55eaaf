/* Peers that are killed, that stop at any byte, and that speak nonsense. */
#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../c/knobs.h"
#include "../../c/room.h"
#include "../../c/wire.h"
#include "expect.h"

#define ROUNDS 25

static atomic_int entered, joined, quit, dropped, pictures, sounds, messages, replaced;
/* Of user 5, as the others see it. */
static atomic_int fives_joined, fives_left;

/* A room that a listener may be called about before room_enter has returned it. */
struct seat {
    _Atomic(struct room *) room;
};

static void on_entered(void *context) {
    (void)context;
    entered++;
}

static void on_failed(void *context, const char *why) {
    (void)context;
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static void on_replaced(void *context) {
    (void)context;
    replaced++;
}

static void on_joined(void *context, const char *uid, bool is_readable) {
    EXPECT(uid[0] != 0);
    (void)is_readable; /* spoiled streams spoil the fingerprint, too */
    struct seat *seat = context;
    AWAIT(seat->room != NULL);
    room_want(seat->room, uid, true, true);
    fives_joined += strcmp(uid, "5") == 0;
    joined++;
}

static void on_left(void *context, const char *uid, enum room_end end) {
    (void)context;
    fives_left += strcmp(uid, "5") == 0;
    if (end == ROOM_QUIT) {
        quit++;
    } else {
        dropped++;
    }
}

static void on_state(void *context, const char *uid, uint32_t before, uint32_t now) {
    (void)context;
    EXPECT(uid != NULL && before != now);
}

static void on_picture(void *context, const char *uid, struct picture *picture) {
    (void)context;
    (void)uid;
    EXPECT(picture->width == 640 && picture->height == 360);
    size_t last = i420_size(640, 360) - 1;
    EXPECT(picture->data[0] == picture->data[last]);
    pictures++;
}

static void on_sound(void *context, const char *uid, const struct sound *sound) {
    (void)context;
    (void)uid;
    EXPECT(sound->samples == 480);
    sounds++;
}

static void on_message(void *context, const char *uid, int stream, const void *data, size_t size, int64_t sent_ms) {
    (void)context;
    EXPECT(uid != NULL && stream >= 0 && data != NULL && size <= 1024 && sent_ms > 0);
    messages++;
}

static void enter(struct seat *seat, const char *uid) {
    const struct room_listener listener = {seat,     on_entered, on_failed,  on_replaced, on_joined,
                                           on_left,  on_state,   on_picture, on_sound,    on_message};
    const struct room_place place = {"0123456789abcdef0123456789abcdef", "faults", uid, "", 0};
    seat->room = room_enter(&place, &listener);
    EXPECT(seat->room != NULL);
}

/* A peer that sends as fast as it can until it is killed. */
static void babble(void) {
    static struct seat seat;
    enter(&seat, "77");
    int16_t samples[480] = {0};
    struct sound sound = {48000, 1, 480, 0, samples};
    for (int turn = 0;; turn++) {
        struct picture *picture = picture_make(640, 360);
        memset(picture->data, turn & 255, i420_size(640, 360));
        room_show(seat.room, picture);
        picture_drop(picture);
        room_play(seat.room, &sound);
        room_set_state(seat.room, (uint32_t)turn % 4);
        rest_ms(1);
    }
}

static void killed_peers_are_dropped(void) {
    for (int round = 0; round < ROUNDS; round++) {
        int before = joined;
        pid_t child = fork();
        EXPECT(child >= 0);
        if (child == 0) {
            babble();
        }
        AWAIT(joined == before + 1);
        if (round % 3 > 0) {
            int seen = pictures;
            AWAIT(pictures > seen + round % 5);
        }
        usleep((unsigned)(round * 397 % 5000));
        kill(child, SIGKILL);
        int status;
        EXPECT(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
        AWAIT(dropped == round + 1);
    }
    EXPECT(quit == 0);
}

static int connect_raw(const char *room) {
    char path[512];
    DIR *outer = opendir(room);
    int fd = -1;
    for (struct dirent *entry = readdir(outer); entry != NULL && fd < 0; entry = readdir(outer)) {
        if (strlen(entry->d_name) != 16) {
            continue;
        }
        snprintf(path, sizeof path, "%s/%.16s", room, entry->d_name);
        DIR *inner = opendir(path);
        for (struct dirent *name = readdir(inner); name != NULL && fd < 0; name = readdir(inner)) {
            struct sockaddr_un address = {.sun_family = AF_UNIX};
            if (strlen(name->d_name) != 16 || snprintf(address.sun_path, sizeof address.sun_path, "%s/%.16s", path, name->d_name) > 107) {
                continue;
            }
            fd = socket(AF_UNIX, SOCK_STREAM, 0);
            if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
                close(fd);
                fd = -1;
            }
        }
        closedir(inner);
    }
    closedir(outer);
    EXPECT(fd >= 0);
    return fd;
}

/* A stream of one message of each kind. */
static size_t speak(unsigned char *into) {
    struct wire_head heads[] = {
        {.type = WIRE_HELLO, .size = FINGERPRINT_SIZE + 2, .a = 3},
        {.type = WIRE_WANT, .a = 1, .b = 1},
        {.type = WIRE_STATE, .a = 1},
        {.type = WIRE_SOUND, .size = 960, .a = 48000, .b = 1, .c = 480},
        {.type = WIRE_MESSAGE, .size = 5, .a = 1, .time_ms = 1},
        {.type = WIRE_PING, .time_ms = 1},
    };
    size_t at = 0;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        heads[i].mark = WIRE_MARK;
        memcpy(into + at, &heads[i], sizeof heads[i]);
        memset(into + at + sizeof heads[i], 0, heads[i].size);
        if (heads[i].type == WIRE_HELLO) {
            memcpy(into + at + sizeof heads[i] + FINGERPRINT_SIZE, "88", 2);
        }
        at += sizeof heads[i] + heads[i].size;
    }
    return at;
}

static void every_cut_and_every_flip_is_survived(const char *folder) {
    static unsigned char stream[4096];
    size_t size = speak(stream);
    unsigned seed = 1;
    for (size_t cut = 0; cut <= size; cut += cut < 400 ? 1 : 37) {
        int fd = connect_raw(folder);
        EXPECT(send(fd, stream, cut, MSG_NOSIGNAL) == (ssize_t)cut);
        close(fd);
    }
    AWAIT(messages > 0);
    for (int i = 0; i < 400; i++) {
        static unsigned char spoiled[4096];
        memcpy(spoiled, stream, size);
        seed = seed * 1103515245 + 12345;
        spoiled[(seed >> 8) % (i % 2 == 0 ? 64 : size)] ^= (unsigned char)(1u << (seed >> 4) % 8);
        int fd = connect_raw(folder);
        ssize_t ignored = send(fd, spoiled, size, MSG_NOSIGNAL);
        (void)ignored;
        close(fd);
    }
    AWAIT(joined == quit + dropped);
}

static void the_same_user_replaces_itself(void) {
    static struct seat second, third;
    enter(&second, "5");
    AWAIT(fives_joined == 1);
    enter(&third, "5");
    AWAIT(replaced == 1 && fives_joined == 2 && fives_left == 1);
    room_leave(second.room, true);
    room_leave(third.room, true);
    AWAIT(fives_left == 2);
}

int main(int argc, char **arguments) {
    EXPECT(argc == 2);
    standin_set_text("room", arguments[1]);
    static struct seat seat;
    enter(&seat, "1");
    AWAIT(entered == 1);
    killed_peers_are_dropped();
    every_cut_and_every_flip_is_survived(arguments[1]);
    the_same_user_replaces_itself();
    room_leave(seat.room, true);
    AWAIT(standin_get("threads") == 0);
    return 0;
}
