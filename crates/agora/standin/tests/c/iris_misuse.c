/* Wrong calls of Iris's functions get their complaint and an error; misbehaviour reaches its events, too. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <string.h>

#include "../../c/iris/json.h"
#include "../../c/knobs.h"
#include "expect.h"
#include "iris.h"

static char answer[65536];
static void *engine;
static atomic_int events, nameless, joined, failed_state, call_answers, late;

static void expect_complaint(const char *wanted, int line) {
    static char lines[65536];
    int n = standin_complaints(lines, sizeof lines);
    if (n == 0 || strstr(lines, wanted) == NULL) {
        fprintf(stderr, "%s:%d: no complaint with \"%s\" but %d others:\n%s", __FILE__, line, wanted, n, lines);
        exit(1);
    }
}

#define COMPLAINT(wanted) expect_complaint(wanted, __LINE__)
#define NO_COMPLAINT EXPECT(standin_complaints(NULL, 0) == 0)

static int32_t call_raw(const char *method, const char *data, void **buffers, uint32_t *lengths, uint32_t n) {
    iris_param param = {method, data, (uint32_t)strlen(data), answer, buffers, lengths, n};
    memset(answer, 0, sizeof answer);
    return CallIrisApi(engine, &param);
}

static int64_t call(const char *method, const char *data) {
    EXPECT(call_raw(method, data, NULL, NULL, 0) == 0);
    struct json *json = json_read(answer);
    EXPECT(json != NULL);
    int64_t result = json_integer(json, "result", 0);
    json_free(json);
    return result;
}

static int64_t register_with(const char *method, void *handler) {
    uint32_t length = 8;
    EXPECT(call_raw(method, "{}", &handler, &length, 1) == 0);
    struct json *json = json_read(answer);
    int64_t result = json_integer(json, "result", 0);
    json_free(json);
    return result;
}

static void on_event(iris_param *event) {
    events++;
    if (event->data == NULL) {
        nameless++;
        return;
    }
    struct json *data = json_read(event->data);
    EXPECT(data != NULL);
    if (strstr(event->event, "onUserJoined") != NULL) {
        late += json_integer(data, "remoteUid", 0) == 4242;
    }
    if (strstr(event->event, "onJoinChannelSuccess") != NULL) {
        if (joined++ == 0) {
            static char other[65536];
            iris_param param = {"RtcEngine_enableVideo", "{}", 2, other, NULL, NULL, 0};
            call_answers = CallIrisApi(engine, &param);
        }
    }
    if (strstr(event->event, "onConnectionStateChanged") != NULL && json_integer(data, "state", 0) == 5) {
        failed_state = (int)json_integer(data, "reason", 0);
    }
    json_free(data);
}

#define CONTEXT "{\"context\":{\"appId\":\"0123456789abcdef0123456789abcdef\"}}"
#define JOIN "{\"token\":\"\",\"channelId\":\"misuse\",\"uid\":1,\"options\":{\"clientRoleType\":1}}"
#define LEAVE "{\"options\":{}}"
#define THUMBS "{\"thumbSize\":{\"width\":8,\"height\":8},\"iconSize\":{\"width\":0,\"height\":0},\"includeScreen\":false}"

static void calls_are_checked(void) {
    EXPECT(CallIrisApi(NULL, NULL) == 666666);
    EXPECT(CallIrisApi(answer, NULL) == 666666);
    COMPLAINT("never was one");
    EXPECT(CreateIrisApiEngine(NULL) == NULL);
    COMPLAINT("one in a process");
    EXPECT(CallIrisApi(engine, NULL) < 0);
    COMPLAINT("the call is NULL");
    iris_param wrong_size = {"RtcEngine_enableVideo", "{}", 3, answer, NULL, NULL, 0};
    EXPECT(CallIrisApi(engine, &wrong_size) < 0);
    COMPLAINT("data_size");
    iris_param no_answer = {"RtcEngine_enableVideo", "{}", 2, NULL, NULL, NULL, 0};
    EXPECT(CallIrisApi(engine, &no_answer) < 0);
    COMPLAINT("answer's buffer");
    iris_param no_buffers = {"RtcEngine_enableVideo", "{}", 2, answer, NULL, NULL, 3};
    EXPECT(CallIrisApi(engine, &no_buffers) < 0);
    COMPLAINT("list of buffers");
    EXPECT(call_raw("RtcEngine_enableVideo", "[]", NULL, NULL, 0) < 0);
    COMPLAINT("no JSON object");
    EXPECT(call_raw("RtcEngine_enableVideo", "{\"a\":\"\xff\"}", NULL, NULL, 0) < 0);
    COMPLAINT("not UTF-8");
    static const char *const broken[] = {"{", "{\"a\"}", "{\"a\":}", "{\"a\":01x}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\ud800\"}", "{}{}", "{\"a\":tru}"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        EXPECT(call_raw("RtcEngine_enableVideo", broken[i], NULL, NULL, 0) < 0);
        COMPLAINT("no JSON object");
    }
    EXPECT(call_raw("RtcEngine_enableVideo_0000000", "{}", NULL, NULL, 0) == -4);
    EXPECT(call("RtcEngine_enableVideo", "{}") == -7);
    NO_COMPLAINT;
    EXPECT(call("RtcEngine_initialize_0320339", "{\"context\":{\"appId\":\"no\"}}") == -101);
    COMPLAINT("32 hexadecimal");
}

static void listeners_are_checked(void *handler, void *other) {
    EXPECT(register_with("RtcEngine_registerEventHandler_5fc0465", NULL) < 0);
    COMPLAINT("NULL");
    EXPECT(register_with("RtcEngine_registerEventHandler_5fc0465", handler) == 0);
    EXPECT(register_with("RtcEngine_registerEventHandler_5fc0465", handler) < 0);
    COMPLAINT("registered already");
    EXPECT(register_with("RtcEngine_unregisterEventHandler_5fc0465", other) < 0);
    COMPLAINT("not registered");
    DestroyIrisEventHandler(other);
    NO_COMPLAINT;
    DestroyIrisEventHandler(other);
    COMPLAINT("destroyed before");
}

static void methods_are_checked(void) {
    EXPECT(call("RtcEngine_initialize_0320339", CONTEXT) < 0);
    COMPLAINT("initialized twice");
    EXPECT(call("RtcEngine_setAppType", "{}") == -2);
    COMPLAINT("appType is missing");
    EXPECT(call("RtcEngine_joinChannel_cdbb747", "{\"token\":\"\",\"channelId\":\"misuse\",\"uid\":-1,\"options\":{}}") == -2);
    COMPLAINT("wrong kind");
    EXPECT(call("RtcEngine_createDataStream_5862815", "{\"config\":{}}") == -113);
    EXPECT(call("RtcEngine_renewToken_3a2037f", "{\"token\":\"x\"}") == -113);
    EXPECT(call("VideoDeviceManager_setDevice_4ad5f6e", "{\"deviceIdUTF8\":\"none\"}") == -2);
    EXPECT(call("MediaEngine_pushVideoFrame_4e544e2", "{\"frame\":{},\"videoTrackId\":99}") == -2);
    NO_COMPLAINT;
    EXPECT(call("RtcEngine_destroyCustomVideoTrack_3019423", "{\"video_track_id\":99}") == -2);
    COMPLAINT("no track 99");
    int64_t track = call("RtcEngine_createCustomVideoTrack", "{}");
    char data[256];
    snprintf(data, sizeof data, "{\"frame\":{\"type\":1,\"format\":1,\"stride\":64,\"height\":48},\"videoTrackId\":%d}", (int)track);
    void *buffers[5] = {answer, NULL, NULL, NULL, NULL};
    uint32_t lengths[5] = {64, 0, 0, 0, 0};
    EXPECT(call_raw("MediaEngine_pushVideoFrame_4e544e2", data, buffers, lengths, 5) == 0 && strstr(answer, "-2") != NULL);
    COMPLAINT("shorter than 4608");
    snprintf(data, sizeof data, "{\"video_track_id\":%d}", (int)track);
    EXPECT(call("RtcEngine_destroyCustomVideoTrack_3019423", data) == 0);
    EXPECT(call("RtcEngine_releaseScreenCaptureSources", "{\"sources\":12345}") == -2);
    COMPLAINT("never was one");
    call("RtcEngine_getScreenCaptureSources_f3e02cb", THUMBS);
    NO_COMPLAINT;
    call("RtcEngine_getScreenCaptureSources_f3e02cb", THUMBS);
    COMPLAINT("not released");
}

static void misbehaviour_reaches_the_events(void) {
    EXPECT(standin_set("burst", 5) == 0);
    EXPECT(call("RtcEngine_joinChannel_cdbb747", JOIN) == 0);
    AWAIT(joined == 5);
    EXPECT(call_answers != 0);
    COMPLAINT("called from inside a callback");
    standin_set("burst", 0);
    standin_set("null_strings", 1);
    AWAIT(nameless > 0);
    standin_set("null_strings", 0);
    standin_set("kick", 1);
    AWAIT(failed_state == 3);
    standin_set("kick", 0);
    EXPECT(call("RtcEngine_leaveChannel_2c0e3aa", LEAVE) == 0);
    EXPECT(call("RtcEngine_joinChannel_cdbb747", JOIN) == 0);
    AWAIT(joined == 6);
}

int main(int argc, char **arguments) {
    EXPECT(argc == 2);
    standin_set_text("room", arguments[1]);
    engine = CreateIrisApiEngine(NULL);
    enableUseJsonArray(1);
    iris_event_handler table = {on_event};
    void *handler = CreateIrisEventHandler(&table), *other = CreateIrisEventHandler(&table);
    calls_are_checked();
    EXPECT(call("RtcEngine_initialize_0320339", CONTEXT) == 0);
    listeners_are_checked(handler, other);
    methods_are_checked();
    misbehaviour_reaches_the_events();
    standin_set("late_callbacks", 1);
    EXPECT(register_with("RtcEngine_unregisterEventHandler_5fc0465", handler) == 0);
    DestroyIrisEventHandler(handler);
    NO_COMPLAINT;
    AWAIT(late > 0);
    standin_set("late_callbacks", 0);
    DestroyIrisApiEngine(engine);
    COMPLAINT("without RtcEngine_release");
    EXPECT(call_raw("RtcEngine_enableVideo", "{}", NULL, NULL, 0) == 666666);
    COMPLAINT("destroyed before");
    EXPECT(standin_get("services") == 0 && standin_get("connections") == 0);
    AWAIT(standin_get("threads") == 0);
    return 0;
}
