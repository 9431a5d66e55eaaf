#define _GNU_SOURCE
#include "picture.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "system.h"

/* A picture of 720p is 1.4 MB: getting it from the kernel each time costs 340 page faults. Eight cover what is under
   way in a call of two. */
#define KEPT 8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct picture *kept[KEPT];

size_t i420_size(int width, int height) {
    size_t w = (size_t)width, h = (size_t)height;
    return w * h + 2 * ((w + 1) / 2) * ((h + 1) / 2);
}

struct picture *picture_make(int width, int height) {
    size_t size = i420_size(width, height);
    struct picture *picture = NULL;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < KEPT && picture == NULL; i++) {
        if (kept[i] != NULL && kept[i]->capacity == size) {
            picture = kept[i];
            kept[i] = NULL;
        }
    }
    pthread_mutex_unlock(&lock);
    if (picture == NULL) {
        picture = malloc(sizeof *picture + size);
        if (picture == NULL) {
            abort();
        }
        picture->capacity = size;
    }
    atomic_init(&picture->holders, 1);
    picture->width = width;
    picture->height = height;
    picture->rotation = 0;
    picture->time_ms = 0;
    return picture;
}

void picture_hold(struct picture *picture) {
    atomic_fetch_add(&picture->holders, 1);
}

void picture_drop(struct picture *picture) {
    if (picture == NULL || atomic_fetch_sub(&picture->holders, 1) > 1) {
        return;
    }
    pthread_mutex_lock(&lock);
    int place = 0;
    for (int i = 0; i < KEPT; i++) {
        if (kept[i] == NULL) {
            place = i;
            break;
        }
    }
    struct picture *old = kept[place];
    kept[place] = picture;
    pthread_mutex_unlock(&lock);
    free(old);
}

void copy_plane(unsigned char *into, int into_stride, const unsigned char *from, int from_stride, int width, int height) {
    if (into_stride == from_stride && into_stride == width) {
        memcpy(into, from, (size_t)width * (size_t)height);
        return;
    }
    for (int row = 0; row < height; row++) {
        memcpy(into + (size_t)row * (size_t)into_stride, from + (size_t)row * (size_t)from_stride, (size_t)width);
    }
}

void convert_sound(const struct sound *from, int16_t *into, int samples, int channels) {
    for (int i = 0; i < samples; i++) {
        int64_t at = (int64_t)i * from->samples / samples;
        const int16_t *sample = from->data + at * from->channels;
        for (int c = 0; c < channels; c++) {
            if (from->channels == channels) {
                into[i * channels + c] = sample[c];
            } else if (from->channels == 1) {
                into[i * channels + c] = sample[0];
            } else {
                into[i * channels + c] = (int16_t)((sample[0] + sample[1]) / 2);
            }
        }
    }
}

int loudness(const struct sound *sound) {
    double sum = 0;
    int total = sound->samples * sound->channels;
    for (int i = 0; i < total; i++) {
        sum += (double)sound->data[i] * sound->data[i];
    }
    double rms = total == 0 ? 0 : sqrt(sum / total) / 32768;
    /* -60 dB and less is silence; a full sine is nearly 255. */
    double level = rms <= 0.001 ? 0 : (20 * log10(rms) + 60) / 57 * 255;
    return level > 255 ? 255 : (int)level;
}
