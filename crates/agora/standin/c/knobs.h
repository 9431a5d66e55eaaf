/* How tests steer the stand-in, what it counted, and what it found wrong in the calls it got. Everything here may be
   used by all threads at once. */
#ifndef STANDIN_KNOBS_H
#define STANDIN_KNOBS_H

#include <stddef.h>

#define PUBLIC __attribute__((visibility("default")))
/* The wrapper's stand-in has the gateway's inside, as the real one has the native SDK, and shows nothing of it. */
#ifdef INSIDE_WRAPPER
#define EXPORT
#else
#define EXPORT PUBLIC
#endif

/* Misbehaviours; 0 = well-behaved. Each is also read from PARLEY_STANDIN_<NAME> when the library is loaded. */
enum knob {
    KNOB_JOIN_SILENT,      /* connect answers 0 and nothing follows */
    KNOB_JOIN_REASON,      /* connect ends with a failure of this reason */
    KNOB_JOIN_ERROR,       /* connect returns -N */
    KNOB_LATE_CALLBACKS,   /* observers are called for 200 ms after they were unregistered */
    KNOB_BURST,            /* each event comes N times */
    KNOB_NULL_STRINGS,     /* texts in events are NULL */
    KNOB_HUGE_STRIDES,     /* rows of pictures are four times as long as needed */
    KNOB_ODD_SIZES,        /* pictures of odd width and height */
    KNOB_ZERO_FRAMES,      /* pictures of no size, sound of no samples */
    KNOB_GARBAGE_FRAMES,   /* null planes, negative sizes */
    KNOB_LOSE_CONNECTION,  /* ms after joining until the connection is lost and found again */
    KNOB_TOKEN_EXPIRES_IN, /* seconds from joining, instead of the token's own */
    KNOB_KICK,             /* every connection ends with reason 3 */
    KNOB_SAME_UID,         /* every connection ends with reason 19 */
    KNOB_INIT_RESULT,      /* what initialize answers */
    KNOB_PUBLISH_SILENT,   /* publishing never comes to its end */
    KNOB_REUSE_HANDLES,    /* what is made has the first handle that is free again */
    KNOB_UPDATE_ERROR,     /* updateChannelMediaOptions answers -N */
    KNOB_LASTING_REFUSAL,  /* who was unsubscribed from stays so after leaving and coming back */
    KNOB_STRICT,           /* a complaint aborts the process */
    KNOB_COUNT
};

enum counter {
    COUNT_SERVICES,
    COUNT_CONNECTIONS,
    COUNT_TRACKS,
    COUNT_SENDERS,
    COUNT_OBSERVERS,
    COUNT_THREADS,
    COUNT_FRAMES_SENT,
    COUNT_PCM_SENT,
    COUNT_FRAMES_DELIVERED,
    COUNT_PCM_DELIVERED,
    COUNT_ENCODERS_SET,
    COUNT_COUNT
};

enum text { TEXT_APP_ID, TEXT_CERTIFICATE, TEXT_ROOM, TEXT_VERSION, TEXT_COUNT };

/* The longest text that can be set, its zero included. */
#define TEXT_SIZE 1024

long long knob(enum knob which);
void count(enum counter which, long long by);
void text(enum text which, char into[TEXT_SIZE]);

/* Notes one line about a wrong call. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* 0, or -1 for an unknown name. */
PUBLIC int standin_set(const char *name, long long value);
/* A knob or a counter; -1 for an unknown name. */
PUBLIC long long standin_get(const char *name);
/* 0, or -1 for an unknown name or a text that is too long. */
PUBLIC int standin_set_text(const char *name, const char *value);
/* Writes the complaints so far, one line each, forgets them, and answers how many they were. */
PUBLIC int standin_complaints(char *into, int size);

#endif
