#define _GNU_SOURCE
#include "meeting_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "knobs.h"
#include "sha256.h"
#include "system.h"

#define NAME_LENGTH 16
#define QUEUE 128
/* A full queue of somebody who is busy: a second in all. */
#define TRIES 100

static void name_of(const char *text, char into[NAME_LENGTH + 1]) {
    unsigned char digest[SHA256_SIZE];
    sha256(text, strlen(text), digest);
    for (int i = 0; i < NAME_LENGTH / 2; i++) {
        snprintf(into + 2 * i, 3, "%02x", digest[i]);
    }
}

static bool make_folders(char *path) {
    for (char *at = path + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            bool is_there = mkdir(path, 0700) == 0 || errno == EEXIST;
            *at = '/';
            if (!is_there) {
                return false;
            }
        }
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static void path_of(const char *app_id, const char *channel, char *into, size_t size) {
    char base[TEXT_SIZE];
    text(TEXT_ROOM, base);
    if (base[0] == '\0') {
        const char *temporary = getenv("TMPDIR");
        snprintf(base, sizeof base, "%s/parley-standin-%u", temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp", (unsigned)getuid());
    }
    char both[1024], name[NAME_LENGTH + 1];
    snprintf(both, sizeof both, "%s\n%s", app_id, channel);
    name_of(both, name);
    snprintf(into, size, "%s/%s", base, name);
}

/* A socket's address is at most 107 bytes long, a folder's path may be longer: go by the open folder. */
static struct sockaddr_un address_of(int folder, const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%.*s", folder, NAME_LENGTH, name);
    return address;
}

static int connect_to(int folder, const char *name) {
    struct sockaddr_un address = address_of(folder, name);
    for (int i = 0; i < TRIES; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0) {
            return -1;
        }
        if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
            return fd;
        }
        int error = errno;
        close(fd);
        if (error == ECONNREFUSED) {
            /* Left behind by somebody who was killed. */
            unlinkat(folder, name, 0);
        }
        if (error != EAGAIN && error != EINTR) {
            return -1;
        }
        rest_ms(10);
    }
    return -1;
}

static void meet(struct meeting_place *place, const struct meeting_seekers *seekers) {
    int copy = openat(place->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = copy < 0 ? NULL : fdopendir(copy);
    if (listing == NULL) {
        if (copy >= 0) {
            close(copy);
        }
        return;
    }
    for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        if (strlen(entry->d_name) != NAME_LENGTH || entry->d_name[0] == '.') {
            continue;
        }
        int fd = connect_to(place->folder, entry->d_name);
        if (fd >= 0) {
            bool is_namesake = strcmp(entry->d_name, place->name) == 0;
            (is_namesake ? seekers->on_namesake : seekers->on_found)(seekers->context, fd);
        }
    }
    closedir(listing);
}

static bool listen_at(struct meeting_place *place) {
    struct sockaddr_un address = address_of(place->folder, place->name);
    unlinkat(place->folder, place->name, 0);
    place->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat status;
    if (place->listening < 0 || bind(place->listening, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(place->listening, QUEUE) != 0 || fstatat(place->folder, place->name, &status, 0) != 0) {
        return false;
    }
    place->inode = status.st_ino;
    return true;
}

/* The lock ends with its file descriptor, also when the process is killed. */
static int lock_folder(int folder) {
    int lock = openat(folder, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    while (lock >= 0 && flock(lock, LOCK_EX) != 0) {
        if (errno != EINTR) {
            close(lock);
            return -1;
        }
    }
    return lock;
}

bool meeting_place_enter(struct meeting_place *place, const char *app_id, const char *channel, const char *uid,
                         const struct meeting_seekers *seekers, char *why, size_t size) {
    char path[TEXT_SIZE + 32];
    path_of(app_id, channel, path, sizeof path);
    name_of(uid, place->name);
    if (make_folders(path)) {
        place->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    int lock = place->folder < 0 ? -1 : lock_folder(place->folder);
    if (lock < 0) {
        snprintf(why, size, "the room's folder: %s", strerror(errno));
        return false;
    }
    meet(place, seekers);
    bool is_listening = listen_at(place);
    if (!is_listening) {
        snprintf(why, size, "the room's socket: %s", strerror(errno));
    }
    close(lock);
    return is_listening;
}

void meeting_place_leave(struct meeting_place *place) {
    if (place->listening >= 0) {
        int lock = lock_folder(place->folder);
        struct stat status;
        if (fstatat(place->folder, place->name, &status, 0) == 0 && status.st_ino == place->inode) {
            unlinkat(place->folder, place->name, 0);
        }
        if (lock >= 0) {
            close(lock);
        }
        close(place->listening);
        place->listening = -1;
    }
    if (place->folder >= 0) {
        close(place->folder);
        place->folder = -1;
    }
}
