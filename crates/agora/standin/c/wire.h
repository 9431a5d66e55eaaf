/* The messages of two connections to each other over a Unix socket. Both ends are this code on this machine, so numbers
   are as the processor holds them; the mark tells a build of another layout. */
#ifndef STANDIN_WIRE_H
#define STANDIN_WIRE_H

#include <stdint.h>

#define WIRE_MARK 0x31504153u
/* The largest picture with a margin; what is longer is not from us. */
#define WIRE_LONGEST (64 * 1024 * 1024)
#define LONGEST_UID 256
#define FINGERPRINT_SIZE 32

enum wire_type {
    WIRE_HELLO = 1, /* a: state; body: fingerprint of the key, then the user id */
    WIRE_REPLACE,   /* to the holder of the same user id: give way */
    WIRE_STATE,     /* a: state */
    WIRE_WANT,      /* a: video, b: audio */
    WIRE_PICTURE,   /* a: width, b: height, c: rotation; body: I420 without gaps */
    WIRE_SOUND,     /* a: rate, b: channels, c: samples per channel; body: 16-bit samples */
    WIRE_MESSAGE,   /* a: stream; body: the message */
    WIRE_PING,      /* time of the sender, comes back as pong */
    WIRE_PONG,
    WIRE_GOODBYE,
};

struct wire_head {
    uint32_t mark;
    uint32_t type;
    uint32_t size; /* of the body */
    int32_t a, b, c;
    int64_t time_ms;
};

#endif
