/* Each knob makes the library misbehave in its way. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <string.h>

#include "../../c/knobs.h"
#include "expect.h"
#include "gateway.h"

#define TABLE(type)      \
    struct {             \
        type table;      \
        void *spare[16]; \
    }

static struct {
    atomic_int connected, failed, disconnected, reason, connecting, joined, published, will_expire, did_expire, lost, reconnecting, reconnected;
    atomic_int pictures, nameless, huge, odd, empty, garbage, sounds, bad_sounds, errors;
} seen;

static agora_handle service, factory, connection, user, observer;
static TABLE(agora_rtc_conn_observer) connection_table;
static TABLE(agora_local_user_observer) user_table;
static TABLE(agora_audio_frame_observer) sound_table;
static TABLE(agora_video_frame_observer2) video_table;

static void on_connected(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    (void)handle;
    (void)reason;
    seen.nameless += info->channel_id == NULL;
    seen.connected++;
}

static void on_connecting(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    (void)handle;
    EXPECT(info->state == 2 && reason == 0);
    seen.connecting++;
}

static void on_failure(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    (void)handle;
    (void)info;
    seen.reason = reason;
    seen.failed++;
}

static void on_disconnected(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    (void)handle;
    (void)info;
    seen.reason = reason;
    seen.disconnected++;
}

static void on_lost(agora_handle handle, const agora_rtc_conn_info *info) {
    (void)handle;
    (void)info;
    seen.lost++;
}

static void on_reconnecting(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    (void)handle;
    EXPECT(info->state == 4 && reason == 2);
    seen.reconnecting++;
}

static void on_reconnected(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    (void)handle;
    EXPECT(info->state == 3 && reason == 15);
    seen.reconnected++;
}

static void on_joined(agora_handle handle, const char *uid) {
    (void)handle;
    seen.nameless += uid == NULL;
    seen.joined++;
}

static void on_will_expire(agora_handle handle, const char *token) {
    (void)handle;
    (void)token;
    seen.will_expire++;
}

static void on_did_expire(agora_handle handle) {
    (void)handle;
    seen.did_expire++;
}

static void on_error(agora_handle handle, int32_t error, const char *message) {
    (void)handle;
    (void)message;
    seen.errors += error == 110 || error == 109;
}

static void on_published(agora_handle handle, const char *channel, int32_t old_state, int32_t new_state, int32_t elapsed) {
    (void)handle;
    (void)channel;
    (void)old_state;
    (void)elapsed;
    seen.published = new_state;
}

static int32_t on_sound(agora_handle handle, const char *channel, const char *uid, const agora_audio_frame *frame) {
    (void)handle;
    (void)channel;
    (void)uid;
    seen.bad_sounds += frame->buffer == NULL || frame->samples_per_channel <= 0 || frame->channels != 1 || frame->bytes_per_sample != 2;
    seen.sounds++;
    return 1;
}

static void on_frame(agora_handle handle, const char *channel, const char *uid, const agora_video_frame *frame) {
    (void)handle;
    (void)channel;
    seen.nameless += uid == NULL;
    seen.huge += frame->y_stride > 4 * (int64_t)frame->width;
    seen.odd += frame->width % 2 == 1 && frame->height % 2 == 1;
    seen.empty += frame->width == 0;
    seen.garbage += frame->y_buffer == NULL || frame->u_buffer == NULL || frame->width < 0 || frame->width > 10000 || frame->y_stride < frame->width;
    seen.pictures++;
}

static void begin(const char *token) {
    memset(&seen, 0, sizeof seen);
    agora_rtc_conn_config config = {.auto_subscribe_audio = 1, .auto_subscribe_video = 1, .client_role_type = 1};
    connection = agora_rtc_conn_create(service, &config);
    user = agora_rtc_conn_get_local_user(connection);
    connection_table.table = (agora_rtc_conn_observer){
        .on_connected = on_connected,
        .on_disconnected = on_disconnected,
        .on_connecting = on_connecting,
        .on_reconnecting = on_reconnecting,
        .on_reconnected = on_reconnected,
        .on_connection_lost = on_lost,
        .on_token_privilege_will_expire = on_will_expire,
        .on_token_privilege_did_expire = on_did_expire,
        .on_connection_failure = on_failure,
        .on_user_joined = on_joined,
        .on_error = on_error,
    };
    user_table.table.on_video_publish_state_changed = on_published;
    sound_table.table.on_playback_audio_frame_before_mixing = on_sound;
    video_table.table.on_frame = on_frame;
    EXPECT(agora_local_user_set_playback_audio_frame_before_mixing_parameters(user, 1, 48000) == 0);
    EXPECT(agora_rtc_conn_register_observer(connection, &connection_table.table) == 0);
    EXPECT(agora_local_user_register_observer(user, &user_table.table) == 0);
    EXPECT(agora_local_user_register_audio_frame_observer(user, &sound_table.table) == 0);
    observer = agora_video_frame_observer2_create(&video_table.table);
    EXPECT(agora_local_user_register_video_frame_observer(user, observer) == 0);
    EXPECT(agora_rtc_conn_connect(connection, token, "knobs", "1") == 0);
}

static void end(void) {
    agora_rtc_conn_disconnect(connection);
    agora_local_user_unregister_observer(user);
    agora_local_user_unregister_audio_frame_observer(user);
    agora_local_user_unregister_video_frame_observer(user, observer);
    agora_rtc_conn_unregister_observer(connection);
    agora_video_frame_observer2_destroy(observer);
    agora_rtc_conn_destroy(connection);
}

static void set(const char *name, long long value) {
    EXPECT(standin_set(name, value) == 0);
}

static void joining_fails_as_asked(void) {
    set("join_silent", 1);
    begin("");
    rest_ms(50);
    EXPECT(seen.connecting == 0 && seen.connected == 0 && seen.failed == 0);
    end();
    set("join_silent", 0);
    set("join_reason", 8);
    begin("");
    AWAIT(seen.failed == 1 && seen.disconnected == 1 && seen.reason == 8 && seen.errors == 1);
    end();
    set("join_reason", 0);
    set("join_error", 2);
    agora_rtc_conn_config config = {.client_role_type = 1};
    connection = agora_rtc_conn_create(service, &config);
    EXPECT(agora_rtc_conn_connect(connection, "", "knobs", "1") == -2);
    agora_rtc_conn_destroy(connection);
    set("join_error", 0);
    standin_set_text("certificate", "5CFd2fd1755d40ecb72977518be15d3b");
    begin("007nonsense");
    AWAIT(seen.failed == 1 && seen.disconnected == 1 && seen.reason == 8);
    end();
    standin_set_text("certificate", "");
    standin_set_text("app_id", "ffffffffffffffffffffffffffffffff");
    begin("");
    AWAIT(seen.failed == 1 && seen.disconnected == 1 && seen.reason == 6);
    end();
    standin_set_text("app_id", "");
}

static void connections_end_as_asked(void) {
    static const struct {
        const char *knob;
        int reason;
    } ends[] = {{"kick", 3}, {"same_uid", 19}};
    for (int i = 0; i < 2; i++) {
        begin("");
        AWAIT(seen.connected == 1);
        set(ends[i].knob, 1);
        AWAIT(seen.disconnected == 1);
        EXPECT(seen.reason == ends[i].reason);
        set(ends[i].knob, 0);
        end();
    }
    set("lose_connection", 20);
    begin("");
    AWAIT(seen.reconnected == 1);
    EXPECT(seen.lost == 1 && seen.reconnecting == 1);
    end();
    set("lose_connection", 0);
    set("token_expires_in", 1);
    begin("");
    AWAIT(seen.disconnected == 1);
    EXPECT(seen.will_expire == 1 && seen.did_expire == 1 && seen.reason == 9);
    end();
    begin("");
    AWAIT(seen.will_expire == 1);
    EXPECT(agora_rtc_conn_renew_token(connection, "new") == 0);
    rest_ms(1200);
    EXPECT(seen.did_expire == 0 && seen.disconnected == 0);
    end();
    set("token_expires_in", 0);
}

/* Somebody who sends while the knob is turned. */
static void media_are_spoiled_as_asked(void) {
    agora_rtc_conn_config config = {.client_role_type = 1};
    agora_handle other = agora_rtc_conn_create(service, &config), other_user = agora_rtc_conn_get_local_user(other);
    agora_handle video = agora_media_node_factory_create_video_frame_sender(factory);
    agora_handle video_track = agora_service_create_custom_video_track_frame(service, video);
    agora_handle sound = agora_media_node_factory_create_audio_pcm_data_sender(factory);
    agora_handle sound_track = agora_service_create_custom_audio_track_pcm(service, sound);
    agora_local_video_track_set_enabled(video_track, 1);
    agora_local_audio_track_set_enabled(sound_track, 1);
    EXPECT(agora_local_user_publish_video(other_user, video_track) == 0 && agora_local_user_publish_audio(other_user, sound_track) == 0);
    EXPECT(agora_rtc_conn_connect(other, "", "knobs", "2") == 0);
    static unsigned char pixels[64 * 48 * 3 / 2];
    int16_t samples[480] = {0};
    agora_external_video_frame frame = {.type = 1, .format = 1, .buffer = pixels, .stride = 64, .height = 48};
#define SENDING_UNTIL(condition)                                                              \
    do {                                                                                      \
        AWAIT(agora_video_frame_sender_send(video, &frame) == 0 &&                            \
              agora_audio_pcm_data_sender_send(sound, samples, 0, 0, 480, 2, 1, 48000) == 0 && \
              (rest_ms(5), (condition)));                                                     \
    } while (0)
    begin("");
    SENDING_UNTIL(seen.pictures > 5 && seen.sounds > 5);
    EXPECT(seen.nameless == 0 && seen.huge == 0 && seen.odd == 0 && seen.empty == 0 && seen.garbage == 0 && seen.bad_sounds == 0);
    set("huge_strides", 1);
    SENDING_UNTIL(seen.huge > 2);
    set("huge_strides", 0);
    set("odd_sizes", 1);
    SENDING_UNTIL(seen.odd > 2);
    set("odd_sizes", 0);
    set("zero_frames", 1);
    SENDING_UNTIL(seen.empty > 2 && seen.bad_sounds > 2);
    set("zero_frames", 0);
    set("garbage_frames", 1);
    SENDING_UNTIL(seen.garbage > 20 && seen.bad_sounds > 20);
    set("garbage_frames", 0);
    set("null_strings", 1);
    SENDING_UNTIL(seen.nameless > 2);
    set("null_strings", 0);
    end();
    set("burst", 7);
    begin("");
    AWAIT(seen.connected == 7 && seen.joined == 7);
    end();
    set("burst", 0);
    begin("");
    SENDING_UNTIL(seen.pictures > 1);
    set("late_callbacks", 1);
    end();
    /* Connection, user, and both frame observers are gone; their tables are called all the same. */
    int pictures = seen.pictures, sounds = seen.sounds, joined = seen.joined;
    AWAIT(seen.pictures > pictures && seen.sounds > sounds && seen.joined > joined);
    set("late_callbacks", 0);
    agora_local_user_unpublish_video(other_user, video_track);
    agora_local_user_unpublish_audio(other_user, sound_track);
    agora_rtc_conn_disconnect(other);
    agora_rtc_conn_destroy(other);
    set("publish_silent", 1);
    begin("");
    AWAIT(seen.connected == 1);
    EXPECT(agora_local_user_publish_video(user, video_track) == 0);
    AWAIT(seen.published == 2);
    rest_ms(100);
    EXPECT(seen.published == 2);
    agora_local_user_unpublish_video(user, video_track);
    end();
    set("publish_silent", 0);
    agora_local_video_track_destroy(video_track);
    agora_local_audio_track_destroy(sound_track);
    agora_video_frame_sender_destroy(video);
    agora_audio_pcm_data_sender_destroy(sound);
}

static void a_wrong_key_is_told(void);

int main(int argc, char **arguments) {
    EXPECT(argc == 2);
    standin_set_text("room", arguments[1]);
    standin_set_text("version", "9.9.9");
    int32_t build = 0;
    EXPECT(strcmp(getAgoraSdkVersion(&build), "9.9.9") == 0 && build > 0);
    char app_id[] = "0123456789abcdef0123456789abcdef";
    agora_service_config config = {.enable_audio_processor = 1, .enable_video = 1, .app_id = app_id, .area_code = 0xffffffff};
    service = agora_service_create();
    set("init_result", -7);
    EXPECT(agora_service_initialize(service, &config) == -7);
    set("init_result", 0);
    EXPECT(agora_service_initialize(service, &config) == 0);
    factory = agora_service_create_media_node_factory(service);
    joining_fails_as_asked();
    connections_end_as_asked();
    media_are_spoiled_as_asked();
    a_wrong_key_is_told();
    agora_media_node_factory_destroy(factory);
    EXPECT(agora_service_release(service) == 0);
    static char complaints[4096];
    int n = standin_complaints(complaints, sizeof complaints);
    fputs(complaints, stderr);
    EXPECT(n == 0);
    AWAIT(standin_get("threads") == 0);
    return 0;
}

static atomic_int key_errors, key_joined;

static void on_key_error(agora_handle handle, int32_t type) {
    (void)handle;
    (void)type;
    key_errors++;
}

static void on_key_joined(agora_handle handle, const char *uid) {
    (void)handle;
    (void)uid;
    key_joined++;
}

static void a_wrong_key_is_told(void) {
    static TABLE(agora_rtc_conn_observer) tables[3];
    static const char *const keys[3] = {"one", "one", "two"};
    agora_handle connections[3];
    for (int i = 0; i < 3; i++) {
        agora_rtc_conn_config config = {.client_role_type = 1};
        connections[i] = agora_rtc_conn_create(service, &config);
        tables[i].table.on_encryption_error = on_key_error;
        tables[i].table.on_user_joined = on_key_joined;
        EXPECT(agora_rtc_conn_register_observer(connections[i], &tables[i].table) == 0);
        agora_encryption_config encryption = {.encryption_mode = 7, .encryption_key = keys[i]};
        EXPECT(agora_rtc_conn_enable_encryption(connections[i], 1, &encryption) == 0);
        EXPECT(agora_rtc_conn_connect(connections[i], "", "secret", i == 0 ? "1" : i == 1 ? "2" : "3") == 0);
    }
    /* Each sees two others; the third understands nobody, and nobody it. */
    AWAIT(key_joined == 6 && key_errors == 4);
    for (int i = 0; i < 3; i++) {
        agora_rtc_conn_disconnect(connections[i]);
        agora_rtc_conn_unregister_observer(connections[i]);
        agora_rtc_conn_destroy(connections[i]);
    }
}
