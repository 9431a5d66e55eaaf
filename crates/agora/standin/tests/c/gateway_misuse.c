/* Every wrong call gets its complaint and an error, and nothing crashes. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "../../c/knobs.h"
#include "expect.h"
#include "gateway.h"

#define APP_ID "0123456789abcdef0123456789abcdef"

/* The complaints since the last look contain this, and the number of them is as said. */
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

#define TABLE(type)      \
    struct {             \
        type table;      \
        void *spare[16]; \
    }

static atomic_int connected, called_back;
static agora_handle calling_from_inside;

static void on_connected(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    (void)info;
    (void)reason;
    /* Against the rules. */
    EXPECT(agora_rtc_conn_disconnect(handle) < 0);
    EXPECT(agora_local_user_unregister_observer(calling_from_inside) < 0);
    connected++;
}

static void on_stats(agora_handle handle, const agora_rtc_stats *stats) {
    (void)handle;
    (void)stats;
    called_back++;
}

static agora_service_config good_config(const char *app_id) {
    return (agora_service_config){.enable_audio_processor = 1, .enable_video = 1, .app_id = app_id, .area_code = 0xffffffff};
}

static void the_service_is_one_and_is_configured_rightly(const char *app_id) {
    agora_handle service = agora_service_create();
    EXPECT(agora_service_create() == NULL);
    COMPLAINT("one in a process");
    agora_service_config config = good_config(app_id);
    config.enable_audio_processor = 0;
    EXPECT(agora_service_initialize(service, &config) < 0);
    COMPLAINT("enable_audio_processor");
    config = good_config(NULL);
    EXPECT(agora_service_initialize(service, &config) < 0);
    COMPLAINT("app_id is NULL");
    config = good_config("short");
    EXPECT(agora_service_initialize(service, &config) == -101);
    COMPLAINT("32 hexadecimal digits");
    config = good_config("\xff\xfe");
    EXPECT(agora_service_initialize(service, &config) < 0);
    COMPLAINT("not UTF-8");
    EXPECT(agora_service_initialize(service, NULL) < 0);
    COMPLAINT("NULL");
    static char unaligned[sizeof config + 1];
    EXPECT(agora_service_initialize(service, (agora_service_config *)(void *)(unaligned + 1)) < 0);
    COMPLAINT("misaligned");
    EXPECT(agora_service_create_media_node_factory(service) == NULL);
    COMPLAINT("not initialized");
    agora_rtc_conn_config conn_config = {.client_role_type = 1};
    EXPECT(agora_rtc_conn_create(service, &conn_config) == NULL);
    COMPLAINT("not initialized");
    config = good_config(app_id);
    EXPECT(agora_service_initialize(service, &config) == 0);
    EXPECT(agora_service_initialize(service, &config) < 0);
    COMPLAINT("initialized twice");
    EXPECT(agora_service_release(service) == 0);
    NO_COMPLAINT;
    EXPECT(agora_service_release(service) < 0);
    COMPLAINT("destroyed before");
    EXPECT(agora_service_release((agora_handle)app_id) < 0);
    COMPLAINT("never was one");
    EXPECT(agora_service_release(NULL) < 0);
    COMPLAINT("NULL instead of");
}

static void observers_are_whole_and_stay(agora_handle connection, agora_handle user) {
    /* A table at the very end of what can be read: no room for spare slots. */
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(pages != MAP_FAILED && mprotect(pages + 4096, 4096, PROT_NONE) == 0);
    EXPECT(agora_rtc_conn_register_observer(connection, (void *)(pages + 4096 - sizeof(agora_rtc_conn_observer))) < 0);
    COMPLAINT("can't be read to its end");
    static TABLE(agora_local_user_observer) table;
    table.spare[3] = pages;
    EXPECT(agora_local_user_register_observer(user, &table.table) < 0);
    COMPLAINT("not zero");
    EXPECT(agora_rtc_conn_unregister_observer(connection) < 0);
    COMPLAINT("no observer is registered");
    EXPECT(agora_local_user_unregister_observer(connection) < 0);
    COMPLAINT("another kind");
    static TABLE(agora_video_frame_observer2) video[2];
    agora_handle first = agora_video_frame_observer2_create(&video[0].table), second = agora_video_frame_observer2_create(&video[1].table);
    EXPECT(agora_local_user_register_video_frame_observer(user, first) == 0);
    EXPECT(agora_local_user_unregister_video_frame_observer(user, second) < 0);
    COMPLAINT("not registered here");
    EXPECT(agora_video_frame_observer2_destroy(second) == 0);
    EXPECT(agora_local_user_unregister_video_frame_observer(user, second) < 0);
    COMPLAINT("destroyed before");
    EXPECT(agora_local_user_unregister_video_frame_observer(user, first) == 0 && agora_video_frame_observer2_destroy(first) == 0);
    NO_COMPLAINT;
    munmap(pages, 8192);
}

static void joining_is_checked(agora_handle connection) {
    EXPECT(agora_rtc_conn_connect(connection, "", NULL, "1") == -102);
    COMPLAINT("the channel is NULL");
    EXPECT(agora_rtc_conn_connect(connection, "", "caf\xe9", "1") == -102);
    COMPLAINT("not UTF-8");
    EXPECT(agora_rtc_conn_connect(connection, "", "caf\xc3\xa9", "1") == -102);
    EXPECT(agora_rtc_conn_connect(connection, "", "room", "bob") == -121);
    EXPECT(agora_rtc_conn_connect(connection, "", "room", "4294967296") == -121);
    NO_COMPLAINT;
    EXPECT(agora_rtc_conn_renew_token(connection, "007") == -113);
    int32_t stream;
    EXPECT(agora_rtc_conn_create_data_stream(connection, &stream, 1, 1) == -113);
    EXPECT(agora_rtc_conn_create_data_stream(connection, NULL, 1, 1) < 0);
    COMPLAINT("NULL");
}

static void frames_are_checked(agora_handle service, agora_handle factory) {
    agora_handle sender = agora_media_node_factory_create_video_frame_sender(factory);
    agora_handle track = agora_service_create_custom_video_track_frame(service, sender);
    EXPECT(agora_service_create_custom_video_track_frame(service, sender) == NULL);
    COMPLAINT("feeds another track");
    static unsigned char pixels[64 * 48 * 3 / 2];
    const agora_external_video_frame good = {.type = 1, .format = 1, .buffer = pixels, .stride = 64, .height = 48};
    EXPECT(agora_video_frame_sender_send(sender, &good) == 0);
    NO_COMPLAINT;
    agora_external_video_frame bad[6] = {good, good, good, good, good, good};
    bad[0].buffer = NULL;
    bad[1].rotation = 45;
    bad[2].height = -1;
    bad[3].format = 2;
    bad[4].crop_left = 64;
    bad[5].metadata_size = 9;
    for (int i = 0; i < 6; i++) {
        EXPECT(agora_video_frame_sender_send(sender, &bad[i]) < 0);
        COMPLAINT("agora_video_frame_sender_send");
    }
    agora_video_encoder_config config = {.codec_type = 2, .dimensions = {1280, 720}, .frame_rate = 30, .bitrate = 1500};
    EXPECT(agora_local_video_track_set_video_encoder_config(track, &config) < 0);
    COMPLAINT("bits a second");
    config.bitrate = 1500000;
    EXPECT(agora_local_video_track_set_video_encoder_config(track, &config) == 0);
    agora_video_frame_sender_destroy(sender);
    COMPLAINT("destroy the track first");
    EXPECT(agora_video_frame_sender_send(sender, &good) < 0);
    COMPLAINT("destroyed before");
    agora_local_video_track_destroy(track);
    NO_COMPLAINT;
    agora_local_video_track_destroy(track);
    COMPLAINT("destroyed before");
    EXPECT(agora_local_video_track_set_enabled(track, 1) < 0);
    COMPLAINT("destroyed before");

    sender = agora_media_node_factory_create_audio_pcm_data_sender(factory);
    int16_t samples[961] = {0};
    EXPECT(agora_audio_pcm_data_sender_send(sender, samples, 0, 0, 480, 2, 1, 48000) == 0);
    NO_COMPLAINT;
    EXPECT(agora_audio_pcm_data_sender_send(sender, samples, 0, 0, 441, 2, 1, 48000) < 0);
    COMPLAINT("whole milliseconds");
    EXPECT(agora_audio_pcm_data_sender_send(sender, samples, 0, 0, 480, 4, 1, 48000) < 0);
    COMPLAINT("bytes_per_sample");
    EXPECT(agora_audio_pcm_data_sender_send(sender, samples, 0, 0, 480, 2, 3, 48000) < 0);
    COMPLAINT("channels");
    EXPECT(agora_audio_pcm_data_sender_send(sender, NULL, 0, 0, 480, 2, 1, 48000) < 0);
    COMPLAINT("NULL");
    agora_audio_pcm_data_sender_destroy(sender);
    EXPECT(agora_audio_pcm_data_sender_send(sender, samples, 0, 0, 480, 2, 1, 48000) < 0);
    COMPLAINT("destroyed before");
}

static void message_limits_hold(agora_handle connection) {
    static char message[1025];
    int32_t stream;
    for (int i = 0; i < 5; i++) {
        EXPECT(agora_rtc_conn_create_data_stream(connection, &stream, 0, 0) == 0);
    }
    EXPECT(agora_rtc_conn_create_data_stream(connection, &stream, 0, 0) == -116);
    EXPECT(agora_rtc_conn_send_stream_message(connection, 77, message, 5) == -2);
    EXPECT(agora_rtc_conn_send_stream_message(connection, 1, message, 1025) == -114);
    /* Sixty in a second, and thirty kilobytes. */
    AWAIT(agora_rtc_conn_send_stream_message(connection, 1, message, 1) == -12);
    AWAIT(agora_rtc_conn_send_stream_message(connection, 1, message, 1024) == -115);
    NO_COMPLAINT;
}

int main(int argc, char **arguments) {
    EXPECT(argc == 2);
    standin_set_text("room", arguments[1]);
    EXPECT(standin_set("no_such_thing", 1) == -1 && standin_get("no_such_thing") == -1 && standin_set_text("nothing", "") == -1);
    char app_id[] = APP_ID;
    the_service_is_one_and_is_configured_rightly(app_id);
    agora_handle service = agora_service_create();
    agora_service_config config = good_config(app_id);
    EXPECT(agora_service_initialize(service, &config) == 0);
    agora_handle factory = agora_service_create_media_node_factory(service);
    agora_rtc_conn_config conn_config = {.client_role_type = 9};
    EXPECT(agora_rtc_conn_create(service, &conn_config) == NULL);
    COMPLAINT("client_role_type");
    conn_config.client_role_type = 1;
    agora_handle connection = agora_rtc_conn_create(service, &conn_config);
    agora_handle user = agora_rtc_conn_get_local_user(connection);
    calling_from_inside = user;
    observers_are_whole_and_stay(connection, user);
    frames_are_checked(service, factory);
    joining_is_checked(connection);

    static TABLE(agora_rtc_conn_observer) table;
    table.table.on_connected = on_connected;
    EXPECT(agora_rtc_conn_register_observer(connection, &table.table) == 0);
    EXPECT(agora_rtc_conn_register_observer(connection, &table.table) < 0);
    COMPLAINT("registered already");
    EXPECT(agora_rtc_conn_connect(connection, "", "room", "1") == 0);
    AWAIT(connected == 1);
    COMPLAINT("agora_rtc_conn_disconnect: called from inside a callback");
    EXPECT(agora_rtc_conn_connect(connection, "", "room", "1") == -17);
    COMPLAINT("in use");
    agora_encryption_config encryption = {.encryption_mode = 6, .encryption_key = "key"};
    EXPECT(agora_rtc_conn_enable_encryption(connection, 1, &encryption) < 0);
    COMPLAINT("after agora_rtc_conn_connect");
    EXPECT(agora_local_user_subscribe_video(user, "99", &(agora_video_subscription_options){0}) == -121);
    message_limits_hold(connection);
    /* The table is changed behind the library's back; it goes on with its own. */
    table.table.on_transport_stats = on_stats;
    AWAIT(standin_complaints(NULL, 0) > 0);
    EXPECT(called_back == 0);
    EXPECT(agora_service_release(service) < 0);
    COMPLAINT("a connection lives");
    standin_complaints(NULL, 0);
    agora_rtc_conn_destroy(connection);
    COMPLAINT("without agora_rtc_conn_disconnect");
    agora_rtc_conn_destroy(connection);
    COMPLAINT("destroyed before");
    EXPECT(agora_local_user_unregister_observer(user) < 0);
    COMPLAINT("destroyed before");
    agora_media_node_factory_destroy(factory);
    EXPECT(agora_service_release(service) == 0);
    NO_COMPLAINT;
    AWAIT(standin_get("threads") == 0);
    return 0;
}
