/* Two processes call each other by Iris's functions alone: one with its camera and microphone, one with tracks of its own. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../c/iris/json.h"
#include "../../c/knobs.h"
#include "../../c/picture.h"
#include "expect.h"
#include "iris.h"

#define WIDTH 160
#define HEIGHT 90

static void *engine;
static char answer[65536];
static atomic_int joined, offline, left, pictures, captured, sounds, messages, volumes, stats, video_state, published, first_local, renewed;
static atomic_int screen_pictures, state_failed;
static atomic_uint seen_bytes;

static int has(const char *name, const char *wanted) {
    return strncmp(name, wanted, strlen(wanted)) == 0 && (name[strlen(wanted)] == '_' || name[strlen(wanted)] == '\0');
}

static void on_picture(const struct json *data, const iris_param *event, atomic_int *counter) {
    const struct json *frame = json_member(data, "videoFrame");
    int64_t height = json_integer(frame, "height", 0);
    EXPECT(frame != NULL && event->buffer_count == 5);
    EXPECT(event->length[0] == json_integer(frame, "yStride", 0) * height);
    EXPECT(event->length[1] == json_integer(frame, "uStride", 0) * ((height + 1) / 2));
    const unsigned char *luma = event->buffer[0], *last = event->buffer[2];
    seen_bytes += (unsigned)(luma[event->length[0] - 1 - (uint32_t)(json_integer(frame, "yStride", 0) - json_integer(frame, "width", 0))] + last[0]);
    (*counter)++;
}

static void on_event(iris_param *event) {
    struct json *data = json_read(event->data);
    EXPECT(data != NULL && event->data_size == strlen(event->data) && event->result[0] == '\0');
    const char *name = event->event;
    if (has(name, "RtcEngineEventHandler_onJoinChannelSuccess")) {
        EXPECT(strcmp(json_text(json_member(data, "connection"), "channelId", ""), "tests") == 0);
        joined++;
    } else if (has(name, "RtcEngineEventHandler_onUserOffline")) {
        offline++;
    } else if (has(name, "RtcEngineEventHandler_onLeaveChannel")) {
        left++;
    } else if (has(name, "RtcEngineEventHandler_onRemoteVideoStateChanged")) {
        video_state = (int)json_integer(data, "state", -1);
    } else if (has(name, "RtcEngineEventHandler_onVideoPublishStateChanged")) {
        published = (int)json_integer(data, "newState", -1);
    } else if (has(name, "RtcEngineEventHandler_onFirstLocalVideoFrame")) {
        first_local++;
    } else if (has(name, "RtcEngineEventHandler_onAudioVolumeIndication")) {
        volumes++;
    } else if (has(name, "RtcEngineEventHandler_onRtcStats")) {
        EXPECT(json_integer(json_member(data, "stats"), "userCount", 0) >= 1);
        stats++;
    } else if (has(name, "RtcEngineEventHandler_onRenewTokenResult")) {
        EXPECT(json_integer(data, "code", -1) == 0);
        renewed++;
    } else if (has(name, "RtcEngineEventHandler_onStreamMessage")) {
        EXPECT(event->buffer_count == 1 && event->length[0] == 4 && memcmp(event->buffer[0], "done", 4) == 0);
        messages++;
    } else if (has(name, "RtcEngineEventHandler_onConnectionStateChanged")) {
        state_failed += json_integer(data, "state", 0) == 5;
    } else if (has(name, "VideoFrameObserver_onRenderVideoFrame")) {
        on_picture(data, event, &pictures);
    } else if (has(name, "VideoFrameObserver_onCaptureVideoFrame")) {
        on_picture(data, event, json_integer(data, "sourceType", -1) == 2 ? &screen_pictures : &captured);
    } else if (has(name, "AudioFrameObserver_onPlaybackAudioFrameBeforeMixing")) {
        const struct json *frame = json_member(data, "audioFrame");
        EXPECT(json_integer(frame, "samplesPerSec", 0) == 16000 && json_integer(frame, "channels", 0) == 1);
        EXPECT(event->length[0] == 320);
        sounds++;
    }
    json_free(data);
}

/* The result of a call; its whole answer is in `answer`. */
static int64_t call_with(const char *method, const char *data, void **buffers, uint32_t *lengths, uint32_t n) {
    iris_param param = {method, data, (uint32_t)strlen(data), answer, buffers, lengths, n};
    memset(answer, 0x55, sizeof answer);
    EXPECT(CallIrisApi(engine, &param) == 0);
    struct json *json = json_read(answer);
    EXPECT(json != NULL);
    int64_t result = json_integer(json, "result", 0);
    json_free(json);
    return result;
}

static int64_t call(const char *method, const char *data) {
    return call_with(method, data, NULL, NULL, 0);
}

static int64_t call_with_handler(const char *method, void *handler) {
    uint32_t length = 8;
    return call_with(method, "{}", &handler, &length, 1);
}

static void push(int64_t video_track, int64_t sound_track, int turn) {
    static unsigned char pixels[WIDTH * HEIGHT * 3 / 2];
    char data[512];
    memset(pixels, 16 + turn % 200, sizeof pixels);
    void *buffers[5] = {pixels, NULL, NULL, NULL, NULL};
    uint32_t lengths[5] = {sizeof pixels, 0, 0, 0, 0};
    snprintf(data, sizeof data, "{\"frame\":{\"type\":1,\"format\":1,\"stride\":%d,\"height\":%d,\"rotation\":0,\"timestamp\":%lld},\"videoTrackId\":%lld}",
             WIDTH, HEIGHT, (long long)now_ms(), (long long)video_track);
    EXPECT(call_with("MediaEngine_pushVideoFrame_4e544e2", data, buffers, lengths, 5) == 0);
    int16_t samples[480] = {0};
    void *sound = samples;
    uint32_t length = sizeof samples;
    snprintf(data, sizeof data,
             "{\"frame\":{\"type\":0,\"samplesPerChannel\":480,\"bytesPerSample\":2,\"channels\":1,\"samplesPerSec\":48000,\"renderTimeMs\":0},"
             "\"trackId\":%lld}",
             (long long)sound_track);
    EXPECT(call_with("MediaEngine_pushAudioFrame_c71f4ab", data, &sound, &length, 1) == 0);
}

static void look_at_screens(void) {
    call("RtcEngine_getScreenCaptureSources_f3e02cb", "{\"thumbSize\":{\"width\":32,\"height\":18},\"iconSize\":{\"width\":0,\"height\":0},\"includeScreen\":true}");
    struct json *json = json_read(answer);
    const struct json *list = json_member(json, "result");
    int n = 0;
    for (const struct json *source = list->first; source != NULL; source = source->next) {
        const struct json *thumb = json_member(source, "thumbImage");
        const unsigned char *pixels = (const unsigned char *)(uintptr_t)json_integer(thumb, "buffer", 0);
        EXPECT(json_integer(thumb, "length", 0) == 32 * 18 * 4 && pixels[3] == 255);
        n++;
    }
    EXPECT(n == 3);
    char data[64];
    snprintf(data, sizeof data, "{\"sources\":%lld}", (long long)json_integer(json, "sources", 0));
    json_free(json);
    EXPECT(call("RtcEngine_releaseScreenCaptureSources", data) == 0);
    EXPECT(call("RtcEngine_startScreenCaptureByDisplayId_ce89867", "{\"displayId\":77,\"regionRect\":{},\"captureParams\":{}}") == -2);
    EXPECT(call("RtcEngine_startScreenCaptureByWindowId_ce89867",
                "{\"windowId\":9007199254740993,\"regionRect\":{\"x\":0,\"y\":0,\"width\":0,\"height\":0},"
                "\"captureParams\":{\"dimensions\":{\"width\":320,\"height\":180},\"frameRate\":10}}") == 0);
}

static int side(bool has_devices, const char *room) {
    standin_set_text("room", room);
    engine = CreateIrisApiEngine(NULL);
    enableUseJsonArray(1);
    iris_event_handler table = {on_event};
    void *handler = CreateIrisEventHandler(&table);
    EXPECT(call("RtcEngine_enableVideo", "{}") == -7);
    EXPECT(call("RtcEngine_initialize_0320339", "{\"context\":{\"appId\":\"0123456789abcdef0123456789abcdef\",\"channelProfile\":1}}") == 0);
    EXPECT(call("RtcEngine_setAppType", "{\"appType\":11}") == 0);
    EXPECT(call_with_handler("RtcEngine_registerEventHandler_5fc0465", handler) == 0);
    EXPECT(call_with_handler("MediaEngine_registerVideoFrameObserver_2cc0ef1", handler) == 0);
    EXPECT(call_with_handler("MediaEngine_registerAudioFrameObserver_d873a64", handler) == 0);
    EXPECT(call("RtcEngine_setPlaybackAudioFrameBeforeMixingParameters_ee7e270", "{\"sampleRate\":16000,\"channel\":1,\"samplesPerCall\":160}") == 0);
    EXPECT(call("RtcEngine_enableAudioVolumeIndication_39794a0", "{\"interval\":100,\"smooth\":3,\"reportVad\":true}") == 0);
    EXPECT(call("RtcEngine_enableVideo", "{}") == 0);
    int64_t video_track = call("RtcEngine_createCustomVideoTrack", "{}");
    int64_t sound_track = call("MediaEngine_createCustomAudioTrack_5a0bf1a", "{\"trackType\":1,\"config\":{\"enableLocalPlayback\":false}}");
    char data[512];
    snprintf(data, sizeof data,
             "{\"token\":\"\",\"channelId\":\"tests\",\"uid\":%d,\"options\":{\"clientRoleType\":1,\"channelProfile\":1,"
             "\"publishCameraTrack\":%s,\"publishMicrophoneTrack\":%s,\"publishCustomVideoTrack\":%s,\"publishCustomAudioTrack\":%s,"
             "\"customVideoTrackId\":%lld,\"publishCustomAudioTrackId\":%lld}}",
             has_devices ? 1 : 2, has_devices ? "true" : "false", has_devices ? "true" : "false", has_devices ? "false" : "true",
             has_devices ? "false" : "true", (long long)video_track, (long long)sound_track);
    EXPECT(call("RtcEngine_joinChannel_cdbb747", data) == 0);
    EXPECT(call("RtcEngine_joinChannel_cdbb747", data) == -17);
    AWAIT(joined == 1);
    EXPECT(call("RtcEngine_renewToken_3a2037f", "{\"token\":\"\"}") == 0);
    AWAIT(renewed == 1);
    int turn = 0;
    int64_t until = now_ms() + PATIENCE_MS;
    while (pictures < 10 || sounds < 30 || stats < 1 || volumes < 1 || published != 3 || video_state != 2) {
        EXPECT(now_ms() < until);
        if (!has_devices) {
            push(video_track, sound_track, turn);
        }
        turn++;
        rest_ms(10);
    }
    if (has_devices) {
        AWAIT(first_local == 1 && captured > 5);
        look_at_screens();
        AWAIT(screen_pictures > 3);
        EXPECT(call("RtcEngine_stopScreenCapture", "{}") == 0);
    }
    call("RtcEngine_createDataStream_5862815", "{\"config\":{\"syncWithAudio\":false,\"ordered\":true}}");
    void *message = "done";
    uint32_t length = 4;
    EXPECT(call_with("RtcEngine_sendStreamMessage_8715a45", "{\"streamId\":1,\"length\":4}", &message, &length, 1) == 0);
    until = now_ms() + PATIENCE_MS;
    while (messages == 0) {
        EXPECT(now_ms() < until);
        if (!has_devices) {
            push(video_track, sound_track, turn++);
        }
        rest_ms(10);
    }
    EXPECT(call("RtcEngine_leaveChannel_2c0e3aa", "{\"options\":{\"stopMicrophoneRecording\":true}}") == 0);
    AWAIT(left == 1);
    EXPECT(call_with_handler("MediaEngine_unregisterVideoFrameObserver", handler) == 0);
    EXPECT(call_with_handler("MediaEngine_unregisterAudioFrameObserver", handler) == 0);
    EXPECT(call_with_handler("RtcEngine_unregisterEventHandler_5fc0465", handler) == 0);
    iris_param unknown = {"RtcEngine_flyToTheMoon_1234567", "{}", 2, answer, NULL, NULL, 0};
    EXPECT(CallIrisApi(engine, &unknown) < 0);
    snprintf(data, sizeof data, "{\"video_track_id\":%lld}", (long long)video_track);
    EXPECT(call("RtcEngine_destroyCustomVideoTrack_3019423", data) == 0);
    snprintf(data, sizeof data, "{\"trackId\":%lld}", (long long)sound_track);
    EXPECT(call("MediaEngine_destroyCustomAudioTrack_6178b5d", data) == 0);
    EXPECT(call("RtcEngine_release", "{\"sync\":true}") == 0);
    DestroyIrisEventHandler(handler);
    DestroyIrisApiEngine(engine);
    static char complaints[4096];
    int n = standin_complaints(complaints, sizeof complaints);
    fputs(complaints, stderr);
    EXPECT(n == 0 && state_failed == 0);
    EXPECT(standin_get("services") == 0 && standin_get("connections") == 0 && standin_get("tracks") == 0 && standin_get("observers") == 0);
    AWAIT(standin_get("threads") == 0);
    return 0;
}

int main(int argc, char **arguments) {
    EXPECT(argc == 2);
    pid_t child = fork();
    EXPECT(child >= 0);
    if (child == 0) {
        return side(false, arguments[1]);
    }
    int outcome = side(true, arguments[1]), status = 1;
    EXPECT(waitpid(child, &status, 0) == child && status == 0);
    return outcome;
}
