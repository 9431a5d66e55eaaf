/* Iris's C functions. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../checks.h"
#include "../gateway/things.h"
#include "../system.h"
#include "engine.h"

#define ANSWER_SIZE 65536
#define EVENT_ANSWER_SIZE 1024
#define NO_ENGINE 666666
#define MOST_BUFFERS 16
#define LONGEST_DATA (256 * 1024)
#define HAUNT_MS 200

/* Where events go. */
struct handler {
    void (*on_event)(iris_param *);
    const iris_event_handler *at; /* the caller's, which must stay */
    int registrations;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct engine *living;
static bool json_arrays;

struct engine *living_engine(void) {
    return living;
}

bool uses_json_arrays(void) {
    return json_arrays;
}

PUBLIC void *CreateIrisApiEngine(void *native_engine) {
    if (!is_free_to_call(__func__)) {
        return NULL;
    }
    if (native_engine != NULL) {
        complain("%s: a native engine of the caller's is not expected", __func__);
        return NULL;
    }
    pthread_mutex_lock(&lock);
    struct engine *engine = living != NULL ? NULL : make(sizeof *engine);
    if (engine != NULL) {
        engine->handle = thing_make(KIND_IRIS_ENGINE, engine);
        pthread_mutex_init(&engine->calls, NULL);
        pthread_mutex_init(&engine->lock, NULL);
        make_condition(&engine->changed);
        living = engine;
    }
    pthread_mutex_unlock(&lock);
    if (engine == NULL) {
        complain("%s: an engine lives already; there is one in a process", __func__);
        return NULL;
    }
    return engine->handle;
}

PUBLIC void DestroyIrisApiEngine(void *handle) {
    struct engine *engine = thing_end(handle, KIND_IRIS_ENGINE, __func__);
    if (engine == NULL) {
        return;
    }
    if (engine->is_ready) {
        complain("%s: without RtcEngine_release before", __func__);
        engine_stop(engine);
    }
    for (int i = 0; i < LISTENER_COUNT; i++) {
        if (engine->listeners[i] != NULL) {
            complain("%s: an event handler is still registered", __func__);
            break;
        }
    }
    pthread_mutex_lock(&lock);
    living = NULL;
    pthread_mutex_unlock(&lock);
    pthread_mutex_destroy(&engine->calls);
    pthread_mutex_destroy(&engine->lock);
    pthread_cond_destroy(&engine->changed);
    poison(engine, sizeof *engine);
}

PUBLIC void *CreateIrisEventHandler(const iris_event_handler *handler) {
    if (!is_free_to_call(__func__) || !check_structure(handler, sizeof *handler, _Alignof(iris_event_handler), "the handler", __func__)) {
        return NULL;
    }
    if (handler->on_event == NULL) {
        complain("%s: on_event is NULL", __func__);
        return NULL;
    }
    struct handler *body = make(sizeof *body);
    body->on_event = handler->on_event;
    body->at = handler;
    return thing_make(KIND_IRIS_HANDLER, body);
}

PUBLIC void DestroyIrisEventHandler(void *handle) {
    struct handler *body = thing_end(handle, KIND_IRIS_HANDLER, __func__);
    if (body == NULL) {
        return;
    }
    if (body->registrations > 0) {
        complain("%s: the handler is still registered", __func__);
    }
    poison(body, sizeof *body);
}

PUBLIC void enableUseJsonArray(int32_t enable) {
    if (is_free_to_call(__func__) && check_range(enable, 0, 1, "enable", __func__)) {
        json_arrays = enable == 1;
    }
}

PUBLIC void InitIrisLogger(const char *path, int32_t max_size, int32_t level) {
    if (is_free_to_call(__func__) && check_text(path, 4096, "the path", __func__) && check_range(max_size, 1, INT32_MAX, "the size", __func__)) {
        check_range(level, 0, 6, "the level", __func__);
    }
}

static const struct method *find_method(const char *id) {
    const struct method *const tables[] = {engine_methods, channel_methods, media_methods, device_methods, screen_methods};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (const struct method *method = tables[i]; method->id != NULL; method++) {
            if (strcmp(method->id, id) == 0) {
                return method;
            }
        }
    }
    return NULL;
}

/* True when everything that a call points to is as it should be. */
static bool is_param(const iris_param *param) {
    const char *caller = "CallIrisApi";
    if (!check_structure(param, sizeof *param, _Alignof(iris_param), "the call", caller) || !check_text(param->event, 256, "the method's id", caller)) {
        return false;
    }
    caller = param->event;
    if (!check_text(param->data, LONGEST_DATA, "the parameters", caller) || !check_memory(param->result, ANSWER_SIZE, "the answer's buffer", caller)) {
        return false;
    }
    if (param->data_size != strlen(param->data)) {
        complain("%s: data_size is %u, but the parameters have %zu bytes", caller, param->data_size, strlen(param->data));
        return false;
    }
    if (param->buffer_count > MOST_BUFFERS) {
        complain("%s: %u buffers", caller, param->buffer_count);
        return false;
    }
    return param->buffer_count == 0 ||
           (check_structure(param->buffer, param->buffer_count * sizeof(void *), _Alignof(void *), "the list of buffers", caller) &&
            check_structure(param->length, param->buffer_count * sizeof(uint32_t), _Alignof(uint32_t), "the list of lengths", caller));
}

static int32_t call_method(struct engine *engine, iris_param *param) {
    const struct method *method = find_method(param->event);
    struct json *arguments = json_read(param->data);
    struct call call = {.engine = engine, .method = param->event, .arguments = arguments, .param = param};
    int32_t outcome = -4;
    if (arguments == NULL || arguments->type != JSON_OBJECT) {
        complain("%s: the parameters are no JSON object", param->event);
        outcome = -ERROR_ARGUMENT;
    } else if (method != NULL) {
        outcome = method->body(&call);
    }
    /* An unknown method is no complaint: a caller may find out in this way what a version can do. */
    json_free(arguments);
    size_t length = call.answer.length;
    if (outcome == 0 && length < ANSWER_SIZE) {
        if (length > 0) {
            memcpy(param->result, call.answer.text, length);
        }
        param->result[length] = '\0';
    }
    writer_free(&call.answer);
    return outcome;
}

PUBLIC int32_t CallIrisApi(void *handle, iris_param *param) {
    if (handle == NULL) {
        return NO_ENGINE;
    }
    struct engine *engine = thing_enter(handle, KIND_IRIS_ENGINE, __func__);
    if (engine == NULL) {
        return NO_ENGINE;
    }
    int32_t outcome = -ERROR_ARGUMENT;
    if (is_param(param)) {
        pthread_mutex_lock(&engine->calls);
        outcome = call_method(engine, param);
        pthread_mutex_unlock(&engine->calls);
    }
    thing_leave(handle);
    return outcome;
}

int answer_result(struct call *call, int64_t value) {
    writer_free(&call->answer);
    write_format(&call->answer, "{\"result\":%lld}", (long long)value);
    return 0;
}

void *call_buffer(struct call *call, uint32_t index, uint32_t size) {
    if (index >= call->param->buffer_count || call->param->length[index] < size) {
        complain("%s: buffer %u is missing or shorter than %u bytes", call->method, index, size);
        return NULL;
    }
    void *buffer = call->param->buffer[index];
    return size == 0 || check_memory(buffer, size, "a buffer", call->method) ? buffer : NULL;
}

/* --- Events ------------------------------------------------------------------------------------------------------ */

static void deliver(void (*on_event)(iris_param *), const char *name, const char *data, void *const *buffers, const uint32_t *lengths, int n) {
    iris_param *param = make(sizeof *param);
    char *event = strdup(name);
    char *copy = knob(KNOB_NULL_STRINGS) != 0 ? NULL : strdup(data);
    char *result = make(EVENT_ANSWER_SIZE);
    void **buffer_list = make((size_t)(n + 1) * sizeof *buffer_list);
    uint32_t *length_list = make((size_t)(n + 1) * sizeof *length_list);
    for (int i = 0; i < n; i++) {
        buffer_list[i] = buffers[i];
        length_list[i] = lengths[i];
    }
    *param = (iris_param){
        .event = event,
        .data = copy,
        .data_size = copy == NULL ? 0 : (uint32_t)strlen(copy),
        .result = result,
        .buffer = n > 0 ? buffer_list : NULL,
        .length = n > 0 ? length_list : NULL,
        .buffer_count = (uint32_t)n,
    };
    callback_begin();
    on_event(param);
    callback_end();
    if (memchr(result, '\0', EVENT_ANSWER_SIZE) == NULL) {
        complain("%s: the listener's answer has no end", name);
    }
    poison(param, sizeof *param);
    poison(event, strlen(event) + 1);
    if (copy != NULL) {
        poison(copy, strlen(copy) + 1);
    }
    poison(result, EVENT_ANSWER_SIZE);
    poison(buffer_list, (size_t)(n + 1) * sizeof *buffer_list);
    poison(length_list, (size_t)(n + 1) * sizeof *length_list);
}

/* What a listener's handler calls; NULL when none is registered. */
static void (*handler_of(struct engine *engine, enum listener listener))(iris_param *) {
    void (*on_event)(iris_param *) = NULL;
    pthread_mutex_lock(&engine->lock);
    struct handler *handler = engine->listeners[listener] == NULL ? NULL : thing_body(engine->listeners[listener], KIND_IRIS_HANDLER);
    if (handler != NULL) {
        on_event = handler->on_event;
        if (!is_readable(handler->at, sizeof *handler->at)) {
            complain("the event handler was freed while it is registered");
        } else if (handler->at->on_event != on_event) {
            complain("the event handler was changed or freed while it is registered");
        }
    }
    pthread_mutex_unlock(&engine->lock);
    return on_event;
}

void emit(struct engine *engine, enum listener listener, const char *name, char *data, void *const *buffers, const uint32_t *lengths, int n) {
    void (*on_event)(iris_param *) = handler_of(engine, listener);
    if (on_event != NULL) {
        deliver(on_event, name, data, buffers, lengths, n);
    }
    free(data);
}

void emit_later(struct engine *engine, enum listener listener, const char *name, char *data) {
    struct pending *pending = make(sizeof *pending);
    pending->listener = listener;
    pending->name = name;
    pending->data = data;
    pthread_mutex_lock(&engine->lock);
    if (engine->last_pending != NULL) {
        engine->last_pending->next = pending;
    } else {
        engine->first_pending = pending;
    }
    engine->last_pending = pending;
    pthread_cond_broadcast(&engine->changed);
    pthread_mutex_unlock(&engine->lock);
}

struct ghost {
    void (*on_event)(iris_param *);
    const char *name;
};

/* A listener that was unregistered, and perhaps destroyed, is called for a while yet. */
static void *haunt_listener(void *context) {
    struct ghost *ghost = context;
    for (int64_t until = now_ms() + HAUNT_MS; now_ms() < until; rest_ms(5)) {
        deliver(ghost->on_event, ghost->name, "{\"connection\":{\"channelId\":\"late\",\"localUid\":1},\"remoteUid\":4242}", NULL, NULL, 0);
    }
    free(ghost);
    return NULL;
}

static void haunt_if_asked(enum listener listener, void (*on_event)(iris_param *)) {
    static const char *const names[LISTENER_COUNT] = {
        "RtcEngineEventHandler_onUserJoined_c5499bd",
        "VideoFrameObserver_onRenderVideoFrame_43dcf82",
        "AudioFrameObserver_onPlaybackAudioFrameBeforeMixing_85ec0fc",
    };
    if (knob(KNOB_LATE_CALLBACKS) == 0) {
        return;
    }
    struct ghost *ghost = make(sizeof *ghost);
    *ghost = (struct ghost){on_event, names[listener]};
    pthread_t thread;
    if (start_thread(&thread, "standin-late", haunt_listener, ghost)) {
        pthread_detach(thread);
    } else {
        free(ghost);
    }
}

static int change_listener(struct call *call, enum listener listener, bool is_registering) {
    struct engine *engine = call->engine;
    void *handle = call->param->buffer_count == 1 ? call->param->buffer[0] : NULL;
    if (call->param->buffer_count != 1) {
        complain("%s: the handler has to be the only buffer", call->method);
        return answer_result(call, -ERROR_ARGUMENT);
    }
    if (!engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    struct handler *handler = thing_enter(handle, KIND_IRIS_HANDLER, call->method);
    if (handler == NULL) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    pthread_mutex_lock(&engine->lock);
    void *before = engine->listeners[listener];
    bool is_right = is_registering ? before == NULL : before == handle;
    if (is_right) {
        engine->listeners[listener] = is_registering ? handle : NULL;
        handler->registrations += is_registering ? 1 : -1;
        count(COUNT_OBSERVERS, is_registering ? 1 : -1);
    }
    pthread_mutex_unlock(&engine->lock);
    if (is_right && !is_registering) {
        haunt_if_asked(listener, handler->on_event);
    }
    if (!is_right) {
        complain("%s: %s", call->method, is_registering ? "a handler is registered already" : "this handler is not registered");
    }
    thing_leave(handle);
    return answer_result(call, is_right ? 0 : -ERROR_ARGUMENT);
}

int register_engine_listener(struct call *call) {
    return change_listener(call, LISTENER_ENGINE, true);
}

int unregister_engine_listener(struct call *call) {
    return change_listener(call, LISTENER_ENGINE, false);
}

int register_video_listener(struct call *call) {
    return change_listener(call, LISTENER_VIDEO, true);
}

int unregister_video_listener(struct call *call) {
    return change_listener(call, LISTENER_VIDEO, false);
}

int register_sound_listener(struct call *call) {
    return change_listener(call, LISTENER_SOUND, true);
}

int unregister_sound_listener(struct call *call) {
    return change_listener(call, LISTENER_SOUND, false);
}
