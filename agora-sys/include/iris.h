/*
 * The part of Iris (4.5 and newer), Agora's C interface over the desktop SDK, that Parley uses.
 *
 * Written by us from public facts; no line of Agora's own headers is in here. Strings are UTF-8 and end with a zero.
 * Layouts hold for 64-bit systems, Windows included.
 */
#ifndef PARLEY_AGORA_IRIS_H
#define PARLEY_AGORA_IRIS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One call of a method, or one event. */
typedef struct iris_param {
    const char *event;   /* the method's or event's id */
    const char *data;    /* a JSON object */
    uint32_t data_size;  /* bytes of `data` without the zero */
    char *result;        /* the answer as JSON: 65,536 bytes in a call (the caller's), 1,024 in an event */
    void **buffer;       /* what JSON can't carry */
    uint32_t *length;    /* bytes of each buffer */
    uint32_t buffer_count;
} iris_param;

/* Called on the library's own threads; what it is given is valid until it returns. There is no user pointer. */
typedef struct iris_event_handler {
    void (*on_event)(iris_param *event);
} iris_event_handler;

/* NULL: Iris makes the engine itself. One in a process. */
void *CreateIrisApiEngine(void *native_engine);
void DestroyIrisApiEngine(void *engine);
/* 0, or a negative error of the transport; the method's own result is in the JSON. */
int32_t CallIrisApi(void *engine, iris_param *param);
void *CreateIrisEventHandler(const iris_event_handler *handler);
void DestroyIrisEventHandler(void *handler);
/* 1: lists in answers and events are JSON arrays. */
void enableUseJsonArray(int32_t enable);
void InitIrisLogger(const char *path, int32_t max_size, int32_t level);

#ifdef __cplusplus
}
#endif
#endif
