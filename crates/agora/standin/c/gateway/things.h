/* The handles that callers hold. They are never trusted: each call looks up whether it is one of ours, of the right kind
   and alive. A handle is not used again for long after its end, so that a late use is told from a new thing. */
#ifndef STANDIN_THINGS_H
#define STANDIN_THINGS_H

#include <stdbool.h>

enum kind {
    KIND_SERVICE = 1,
    KIND_PARAMETER,
    KIND_FACTORY,
    KIND_CONNECTION,
    KIND_LOCAL_USER,
    KIND_VIDEO_SENDER,
    KIND_AUDIO_SENDER,
    KIND_VIDEO_TRACK,
    KIND_AUDIO_TRACK,
    KIND_VIDEO_OBSERVER,
    KIND_REMOTE_VIDEO_TRACK,
    KIND_REMOTE_AUDIO_TRACK,
    /* Of the wrapper's stand-in. */
    KIND_IRIS_ENGINE,
    KIND_IRIS_HANDLER,
    KIND_SCREEN_SOURCES,
    KIND_COUNT
};

/* A handle for `body`. */
void *thing_make(enum kind kind, void *body);

/* The body of a living handle, which now can't end before thing_leave; NULL after a complaint in the name of `caller`. A call
   from inside one of our callbacks is refused, too. */
void *thing_enter(void *handle, enum kind kind, const char *caller);
void thing_leave(void *handle);

/* The same for our own threads: without a word when the handle is no longer alive, and nobody complains of it. */
void *thing_borrow(void *handle, enum kind kind);
void thing_return(void *handle);

/* Ends a handle, after waiting for calls inside it (which is complained of), and answers its body; NULL after a complaint. */
void *thing_end(void *handle, enum kind kind, const char *caller);
/* Ends a handle that belongs to us, not to the caller. */
void thing_retire(void *handle);

/* The body of a living handle, else NULL, without a word. Only for who knows that it can't end meanwhile. */
void *thing_body(void *handle, enum kind kind);
/* True while the handle is alive; says nothing. */
bool thing_is(const void *handle, enum kind kind);
/* True when the handle once was of this kind, alive or not. */
bool thing_was(const void *handle, enum kind kind);

/* Marks this thread as running the caller's code. */
void callback_begin(void);
void callback_end(void);
/* Complains when this thread is inside a callback. */
bool is_free_to_call(const char *caller);

#endif
