/* Two files of the wrapper in one process are two engines that call each other, each with its own knobs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <libgen.h>
#include <stdatomic.h>
#include <string.h>

#include "expect.h"
#include "iris.h"

struct copy {
    void *engine;
    atomic_int peers, pictures, left;
    void *(*create_engine)(void *);
    void (*destroy_engine)(void *);
    int32_t (*call)(void *, iris_param *);
    void *(*create_handler)(const iris_event_handler *);
    void (*destroy_handler)(void *);
    void (*use_arrays)(int32_t);
    int (*set)(const char *, long long);
    long long (*get)(const char *);
    int (*set_text)(const char *, const char *);
    int (*complaints)(char *, int);
    char answer[65536];
};

static struct copy copies[2];

static void note(struct copy *copy, const iris_param *event) {
    copy->peers += strstr(event->event, "onUserJoined") != NULL;
    copy->left += strstr(event->event, "onLeaveChannel") != NULL;
    copy->pictures += strstr(event->event, "onRenderVideoFrame") != NULL;
}

static void on_first(iris_param *event) {
    note(&copies[0], event);
}

static void on_second(iris_param *event) {
    note(&copies[1], event);
}

static void *find(void *library, const char *name) {
    void *symbol = dlsym(library, name);
    EXPECT(symbol != NULL);
    return symbol;
}

static void load(struct copy *copy, const char *path) {
    char folder[1024], sibling[1100];
    copy_text(folder, sizeof folder, path);
    snprintf(sibling, sizeof sibling, "%s/libagora_rtc_sdk.so", dirname(folder));
    EXPECT(dlopen(sibling, RTLD_NOW | RTLD_GLOBAL) != NULL);
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) {
        fprintf(stderr, "%s\n", dlerror());
    }
    EXPECT(library != NULL);
    *(void **)&copy->create_engine = find(library, "CreateIrisApiEngine");
    *(void **)&copy->destroy_engine = find(library, "DestroyIrisApiEngine");
    *(void **)&copy->call = find(library, "CallIrisApi");
    *(void **)&copy->create_handler = find(library, "CreateIrisEventHandler");
    *(void **)&copy->destroy_handler = find(library, "DestroyIrisEventHandler");
    *(void **)&copy->use_arrays = find(library, "enableUseJsonArray");
    *(void **)&copy->set = find(library, "standin_set");
    *(void **)&copy->get = find(library, "standin_get");
    *(void **)&copy->set_text = find(library, "standin_set_text");
    *(void **)&copy->complaints = find(library, "standin_complaints");
}

static void call(struct copy *copy, const char *method, const char *data, void **buffer) {
    uint32_t length = 8;
    iris_param param = {method, data, (uint32_t)strlen(data), copy->answer, buffer, buffer == NULL ? NULL : &length, buffer != NULL};
    EXPECT(copy->call(copy->engine, &param) == 0);
    EXPECT(strstr(copy->answer, "\"result\":0") != NULL);
}

int main(int argc, char **arguments) {
    EXPECT(argc == 4);
    static const iris_event_handler tables[2] = {{on_first}, {on_second}};
    void *handlers[2];
    for (int i = 0; i < 2; i++) {
        struct copy *copy = &copies[i];
        load(copy, arguments[2 + i]);
        copy->set_text("room", arguments[1]);
        copy->engine = copy->create_engine(NULL);
        EXPECT(copy->engine != NULL);
        copy->use_arrays(1);
        handlers[i] = copy->create_handler(&tables[i]);
        call(copy, "RtcEngine_initialize_0320339", "{\"context\":{\"appId\":\"0123456789abcdef0123456789abcdef\"}}", NULL);
        call(copy, "RtcEngine_registerEventHandler_5fc0465", "{}", &handlers[i]);
        call(copy, "MediaEngine_registerVideoFrameObserver_2cc0ef1", "{}", &handlers[i]);
        call(copy, "RtcEngine_enableVideo", "{}", NULL);
        char data[200];
        snprintf(data, sizeof data, "{\"token\":\"\",\"channelId\":\"copies\",\"uid\":%d,\"options\":{\"clientRoleType\":1,\"publishCameraTrack\":true}}", i + 1);
        call(copy, "RtcEngine_joinChannel_cdbb747", data, NULL);
    }
    AWAIT(copies[0].peers == 1 && copies[1].peers == 1 && copies[0].pictures > 3 && copies[1].pictures > 3);
    EXPECT(copies[0].set("kick", 0) == 0 && copies[0].set("burst", 3) == 0 && copies[1].get("burst") == 0);
    copies[0].set("burst", 0);
    for (int i = 0; i < 2; i++) {
        struct copy *copy = &copies[i];
        call(copy, "RtcEngine_leaveChannel_2c0e3aa", "{\"options\":{}}", NULL);
        AWAIT(copy->left > 0);
        call(copy, "MediaEngine_unregisterVideoFrameObserver", "{}", &handlers[i]);
        call(copy, "RtcEngine_unregisterEventHandler_5fc0465", "{}", &handlers[i]);
        call(copy, "RtcEngine_release", "{\"sync\":true}", NULL);
        copy->destroy_handler(handlers[i]);
        copy->destroy_engine(copy->engine);
        int n = copy->complaints(copy->answer, sizeof copy->answer);
        fputs(n > 0 ? copy->answer : "", stderr);
        EXPECT(n == 0 && copy->get("services") == 0 && copy->get("connections") == 0);
    }
    return 0;
}
