/* Two displays and a window, all made up, with small pictures in the library's own memory. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../checks.h"
#include "../gateway/things.h"
#include "../system.h"
#include "engine.h"

#define SCREENS 3
#define TYPE_WINDOW 0
#define TYPE_DISPLAY 1

static const struct {
    int type;
    int64_t id; /* of a window more than a double holds exactly: such a handle must not go through one */
    const char *name, *title;
} screens[SCREENS] = {
    {TYPE_DISPLAY, 1, "Display 1", ""},
    {TYPE_DISPLAY, 2, "Display 2", ""},
    {TYPE_WINDOW, 9007199254740993, "Editor", "notes \xe2\x80\x93 Editor"},
};

/* A list that the caller holds. */
struct sources {
    unsigned char *thumbs[SCREENS];
    size_t size;
};

static void sources_free(struct sources *sources) {
    for (int i = 0; i < SCREENS; i++) {
        if (sources->thumbs[i] != NULL) {
            poison(sources->thumbs[i], sources->size);
        }
    }
    poison(sources, sizeof *sources);
}

void release_sources(struct engine *engine) {
    struct sources *sources = engine->sources == NULL ? NULL : thing_body(engine->sources, KIND_SCREEN_SOURCES);
    if (sources != NULL) {
        thing_retire(engine->sources);
        sources_free(sources);
    }
    engine->sources = NULL;
}

static unsigned char *paint_thumb(int width, int height, int turn) {
    unsigned char *pixels = make((size_t)width * (size_t)height * 4);
    for (int i = 0; i < width * height; i++) {
        pixels[4 * i] = (unsigned char)(60 * (turn + 1));
        pixels[4 * i + 1] = (unsigned char)(i % width * 255 / width);
        pixels[4 * i + 2] = (unsigned char)(i / width * 255 / height);
        pixels[4 * i + 3] = 255;
    }
    return pixels;
}

static int get_sources(struct call *call) {
    struct engine *engine = call->engine;
    const struct json *size = json_member(call->arguments, "thumbSize");
    int64_t width = json_integer(size, "width", -1), height = json_integer(size, "height", -1);
    if (!engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (!check_range(width, 0, 2048, "thumbSize.width", call->method) || !check_range(height, 0, 2048, "thumbSize.height", call->method)) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    if (!uses_json_arrays()) {
        complain("%s: a list without enableUseJsonArray(1)", call->method);
    }
    if (engine->sources != NULL) {
        complain("%s: the list before was not released", call->method);
        release_sources(engine);
    }
    struct sources *sources = make(sizeof *sources);
    sources->size = (size_t)(width * height * 4);
    bool with_displays = json_flag(call->arguments, "includeScreen", true);
    bool is_first = true;
    write_format(&call->answer, "{\"result\":[");
    for (int i = 0; i < SCREENS; i++) {
        if (screens[i].type == TYPE_DISPLAY && !with_displays) {
            continue;
        }
        if (sources->size > 0) {
            sources->thumbs[i] = paint_thumb((int)width, (int)height, i);
        }
        write_format(&call->answer, "%s{\"type\":%d,\"sourceId\":%lld,\"sourceName\":", is_first ? "" : ",", screens[i].type, (long long)screens[i].id);
        write_quoted(&call->answer, screens[i].name);
        write_format(&call->answer, ",\"sourceTitle\":");
        write_quoted(&call->answer, screens[i].title);
        write_format(&call->answer,
                     ",\"processPath\":\"\",\"primaryMonitor\":%s,\"isOccluded\":false,\"minimizeWindow\":false,\"sourceDisplayId\":1,"
                     "\"position\":{\"x\":0,\"y\":0,\"width\":1280,\"height\":720},"
                     "\"thumbImage\":{\"buffer\":%llu,\"length\":%zu,\"width\":%d,\"height\":%d},"
                     "\"iconImage\":{\"buffer\":0,\"length\":0,\"width\":0,\"height\":0}}",
                     i == 0 ? "true" : "false", (unsigned long long)(uintptr_t)sources->thumbs[i], sources->size, (int)width, (int)height);
        is_first = false;
    }
    engine->sources = thing_make(KIND_SCREEN_SOURCES, sources);
    write_format(&call->answer, "],\"sources\":%llu}", (unsigned long long)(uintptr_t)engine->sources);
    return 0;
}

static int release_list(struct call *call) {
    void *handle = (void *)(uintptr_t)json_integer(call->arguments, "sources", 0);
    struct sources *sources = thing_end(handle, KIND_SCREEN_SOURCES, call->method);
    if (sources == NULL) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    sources_free(sources);
    call->engine->sources = NULL;
    return answer_result(call, 0);
}

static int start(struct call *call, int type, const char *key) {
    struct engine *engine = call->engine;
    int64_t id = json_integer(call->arguments, key, -1);
    const struct json *parameters = json_member(call->arguments, "captureParams");
    const struct json *dimensions = json_member(parameters, "dimensions");
    int64_t width = json_integer(dimensions, "width", 1280), height = json_integer(dimensions, "height", 720);
    int64_t rate = json_integer(parameters, "frameRate", 5);
    if (!engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    bool is_known = false;
    for (int i = 0; i < SCREENS; i++) {
        is_known = is_known || (screens[i].type == type && screens[i].id == id);
    }
    if (parameters == NULL || json_member(call->arguments, "regionRect") == NULL || !check_range(width, 16, 8192, "width", call->method) ||
        !check_range(height, 16, 8192, "height", call->method) || !check_range(rate, 1, 60, "frameRate", call->method)) {
        complain("%s: captureParams or regionRect are missing or wrong", call->method);
        return answer_result(call, -ERROR_ARGUMENT);
    }
    if (!is_known) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    pthread_mutex_lock(&engine->lock);
    bool is_busy = engine->screen.is_on;
    if (!is_busy) {
        engine->screen = (struct scene){.is_on = true, .width = (int)width, .height = (int)height, .rate = (int)rate};
        engine->screen_id = id;
    }
    pthread_mutex_unlock(&engine->lock);
    if (!is_busy) {
        channels_settle(engine);
    }
    return answer_result(call, is_busy ? -ERROR_STATE : 0);
}

static int start_display(struct call *call) {
    return start(call, TYPE_DISPLAY, "displayId");
}

static int start_window(struct call *call) {
    return start(call, TYPE_WINDOW, "windowId");
}

static int stop(struct call *call) {
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    pthread_mutex_lock(&call->engine->lock);
    bool was_on = call->engine->screen.is_on;
    call->engine->screen.is_on = false;
    pthread_mutex_unlock(&call->engine->lock);
    channels_settle(call->engine);
    return answer_result(call, was_on ? 0 : -ERROR_STATE);
}

const struct method screen_methods[] = {
    {"RtcEngine_getScreenCaptureSources_f3e02cb", get_sources},
    {"RtcEngine_releaseScreenCaptureSources", release_list},
    {"RtcEngine_startScreenCaptureByDisplayId_ce89867", start_display},
    {"RtcEngine_startScreenCaptureByWindowId_ce89867", start_window},
    {"RtcEngine_stopScreenCapture", stop},
    {"RtcEngine_stopScreenCapture_4fd718e", stop},
    {NULL, NULL},
};
