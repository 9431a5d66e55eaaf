/* Pictures in I420 and blocks of sound as the parts hand them to each other. */
#ifndef STANDIN_PICTURE_H
#define STANDIN_PICTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Larger than any screen; what claims more is broken. */
#define LONGEST_SIDE 16384

/* I420 without gaps: width × height luma, then two planes of half the sides, rounded up. Shared by counting. */
struct picture {
    atomic_int holders;
    int width, height;
    int rotation;    /* 0, 90, 180, 270 */
    int64_t time_ms; /* of the sender's clock */
    size_t capacity;
    unsigned char data[];
};

size_t i420_size(int width, int height);

/* One holder; the content is whatever was there. Memory of dropped pictures is used again. */
struct picture *picture_make(int width, int height);
void picture_hold(struct picture *picture);
/* NULL is allowed. */
void picture_drop(struct picture *picture);

/* Copies rows of `width` bytes between planes of different strides. */
void copy_plane(unsigned char *into, int into_stride, const unsigned char *from, int from_stride, int width, int height);

/* Sixteen-bit sound, channels interleaved. */
struct sound {
    int rate;
    int channels;
    int samples; /* per channel */
    int64_t time_ms;
    const int16_t *data;
};

/* Makes `samples` (per channel) of the wanted kind from all of `from`: picks the nearest sample, mixes or doubles channels. */
void convert_sound(const struct sound *from, int16_t *into, int samples, int channels);

/* Loudness as Agora counts it, 0 to 255, of the block's root mean square. */
int loudness(const struct sound *sound);

#endif
