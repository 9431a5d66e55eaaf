/* Two connections call each other by the gateway's functions alone, and every callback's arguments are looked at. */
#include <stdatomic.h>
#include <string.h>

#include "../../c/knobs.h"
#include "expect.h"
#include "gateway.h"

#define WIDTH 322
#define HEIGHT 182

/* A table with the spare slots that a newer library may read. */
#define TABLE(type)      \
    struct {             \
        type table;      \
        void *spare[16]; \
    }

struct side {
    agora_handle connection, user, observer, video_sender, video_track, sound_sender, sound_track;
    atomic_int connected, disconnected, joined, left, left_reason, pictures, sounds, messages, video_state, sound_state, published;
    atomic_int stats, qualities, volumes, width, height, reason;
    TABLE(agora_rtc_conn_observer) connection_table;
    TABLE(agora_local_user_observer) user_table;
    TABLE(agora_audio_frame_observer) sound_table;
    TABLE(agora_video_frame_observer2) video_table;
};

static struct side sides[2];

static struct side *side_of(agora_handle handle) {
    for (int i = 0; i < 2; i++) {
        if (sides[i].connection == handle || sides[i].user == handle || sides[i].observer == handle) {
            return &sides[i];
        }
    }
    EXPECT(!"a handle of nobody");
    return NULL;
}

static void on_connected(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    EXPECT(strcmp(info->channel_id, "tests") == 0 && info->state == 3 && reason == 1);
    side_of(handle)->connected++;
}

static void on_disconnected(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    EXPECT(info->state != 3);
    side_of(handle)->reason = reason;
    side_of(handle)->disconnected++;
}

static void on_user_joined(agora_handle handle, const char *uid) {
    EXPECT(strcmp(uid, "1") == 0 || strcmp(uid, "2") == 0);
    side_of(handle)->joined++;
}

static void on_user_left(agora_handle handle, const char *uid, int32_t reason) {
    EXPECT(strlen(uid) == 1);
    side_of(handle)->left_reason = reason;
    side_of(handle)->left++;
}

static void on_transport_stats(agora_handle handle, const agora_rtc_stats *stats) {
    EXPECT(stats->user_count >= 1);
    side_of(handle)->stats++;
}

static void on_quality(agora_handle handle, const char *uid, int32_t tx, int32_t rx) {
    EXPECT(uid != NULL && tx >= 0 && rx <= 6);
    side_of(handle)->qualities++;
}

static void on_video_state(agora_handle user, const char *uid, agora_handle track, int32_t state, int32_t reason, int32_t elapsed) {
    EXPECT(strlen(uid) == 1 && track != NULL && reason >= 0 && elapsed >= 0);
    side_of(user)->video_state = state;
}

static void on_sound_state(agora_handle user, const char *uid, agora_handle track, int32_t state, int32_t reason, int32_t elapsed) {
    EXPECT(strlen(uid) == 1 && track != NULL && reason >= 0 && elapsed >= 0);
    side_of(user)->sound_state = state;
}

static void on_published(agora_handle user, const char *channel, int32_t old_state, int32_t new_state, int32_t elapsed) {
    EXPECT(strcmp(channel, "tests") == 0 && old_state != new_state && elapsed >= 0);
    side_of(user)->published = new_state;
}

static void on_volumes(agora_handle user, const agora_audio_volume_info *speakers, uint32_t n, int32_t total) {
    EXPECT(n == 0 || speakers[n - 1].user_id != NULL);
    EXPECT(total <= 255);
    side_of(user)->volumes++;
}

static void on_message(agora_handle user, const char *uid, int32_t stream, const char *data, size_t length) {
    EXPECT(strlen(uid) == 1 && stream == 1 && length == 5 && memcmp(data, "hello", 5) == 0);
    side_of(user)->messages++;
}

static int32_t on_sound(agora_handle user, const char *channel, const char *uid, const agora_audio_frame *frame) {
    EXPECT(strcmp(channel, "tests") == 0 && strlen(uid) == 1);
    EXPECT(frame->channels == 2 && frame->samples_per_sec == 16000 && frame->samples_per_channel == 160 && frame->bytes_per_sample == 2);
    EXPECT(((const int16_t *)frame->buffer)[319] == 1000);
    side_of(user)->sounds++;
    return 1;
}

static void on_frame(agora_handle observer, const char *channel, const char *uid, const agora_video_frame *frame) {
    EXPECT(strcmp(channel, "tests") == 0 && strlen(uid) == 1 && frame->type == 1 && frame->rotation == 90);
    EXPECT(frame->y_stride > frame->width);
    int luma = frame->y_buffer[0];
    EXPECT(frame->y_buffer[(frame->height - 1) * frame->y_stride + frame->width - 1] == luma);
    int chroma = ((frame->height + 1) / 2 - 1) * frame->u_stride + (frame->width + 1) / 2 - 1;
    EXPECT(frame->u_buffer[chroma] == 7 && frame->v_buffer[chroma] == 9);
    struct side *side = side_of(observer);
    side->width = frame->width;
    side->height = frame->height;
    side->pictures++;
}

static void join(struct side *side, agora_handle service, agora_handle factory, const char *uid) {
    agora_rtc_conn_config config = {.auto_subscribe_audio = 1, .auto_subscribe_video = 1, .client_role_type = 1, .channel_profile = 1};
    side->connection = agora_rtc_conn_create(service, &config);
    EXPECT(side->connection != NULL);
    side->user = agora_rtc_conn_get_local_user(side->connection);
    EXPECT(agora_local_user_set_playback_audio_frame_before_mixing_parameters(side->user, 2, 16000) == 0);
    EXPECT(agora_local_user_set_audio_volume_indication_parameters(side->user, 100, 3, 1) == 0);
    side->connection_table.table = (agora_rtc_conn_observer){
        .on_connected = on_connected,
        .on_disconnected = on_disconnected,
        .on_user_joined = on_user_joined,
        .on_user_left = on_user_left,
        .on_transport_stats = on_transport_stats,
        .on_user_network_quality = on_quality,
    };
    side->user_table.table = (agora_local_user_observer){
        .on_user_video_track_state_changed = on_video_state,
        .on_user_audio_track_state_changed = on_sound_state,
        .on_video_publish_state_changed = on_published,
        .on_audio_volume_indication = on_volumes,
        .on_stream_message = on_message,
    };
    side->sound_table.table.on_playback_audio_frame_before_mixing = on_sound;
    side->video_table.table.on_frame = on_frame;
    EXPECT(agora_rtc_conn_register_observer(side->connection, &side->connection_table.table) == 0);
    EXPECT(agora_local_user_register_observer(side->user, &side->user_table.table) == 0);
    EXPECT(agora_local_user_register_audio_frame_observer(side->user, &side->sound_table.table) == 0);
    side->observer = agora_video_frame_observer2_create(&side->video_table.table);
    EXPECT(agora_local_user_register_video_frame_observer(side->user, side->observer) == 0);
    side->video_sender = agora_media_node_factory_create_video_frame_sender(factory);
    side->video_track = agora_service_create_custom_video_track_frame(service, side->video_sender);
    side->sound_sender = agora_media_node_factory_create_audio_pcm_data_sender(factory);
    side->sound_track = agora_service_create_custom_audio_track_pcm(service, side->sound_sender);
    EXPECT(agora_local_video_track_set_enabled(side->video_track, 1) == 0);
    EXPECT(agora_local_audio_track_set_enabled(side->sound_track, 1) == 0);
    EXPECT(agora_local_user_publish_video(side->user, side->video_track) == 0);
    EXPECT(agora_local_user_publish_audio(side->user, side->sound_track) == 0);
    EXPECT(agora_rtc_conn_connect(side->connection, "", "tests", uid) == 0);
}

static void send(struct side *side, int luma) {
    static unsigned char pixels[WIDTH * HEIGHT * 3 / 2];
    memset(pixels, luma, WIDTH * HEIGHT);
    memset(pixels + WIDTH * HEIGHT, 7, WIDTH * HEIGHT / 4);
    memset(pixels + WIDTH * HEIGHT * 5 / 4, 9, WIDTH * HEIGHT / 4);
    agora_external_video_frame frame = {
        .type = 1, .format = 1, .buffer = pixels, .stride = WIDTH, .height = HEIGHT, .rotation = 90, .timestamp = now_ms()};
    EXPECT(agora_video_frame_sender_send(side->video_sender, &frame) == 0);
    int16_t samples[480];
    for (int i = 0; i < 480; i++) {
        samples[i] = 1000;
    }
    EXPECT(agora_audio_pcm_data_sender_send(side->sound_sender, samples, 0, now_ms(), 480, 2, 1, 48000) == 0);
}

static void leave(struct side *side) {
    EXPECT(agora_local_user_unpublish_video(side->user, side->video_track) == 0);
    EXPECT(agora_local_user_unpublish_audio(side->user, side->sound_track) == 0);
    EXPECT(agora_rtc_conn_disconnect(side->connection) == 0);
    AWAIT(side->disconnected == 1);
    EXPECT(side->reason == 5);
    EXPECT(agora_local_user_unregister_observer(side->user) == 0);
    EXPECT(agora_local_user_unregister_audio_frame_observer(side->user) == 0);
    EXPECT(agora_local_user_unregister_video_frame_observer(side->user, side->observer) == 0);
    EXPECT(agora_rtc_conn_unregister_observer(side->connection) == 0);
    EXPECT(agora_video_frame_observer2_destroy(side->observer) == 0);
    agora_local_video_track_destroy(side->video_track);
    agora_local_audio_track_destroy(side->sound_track);
    agora_video_frame_sender_destroy(side->video_sender);
    agora_audio_pcm_data_sender_destroy(side->sound_sender);
    agora_rtc_conn_destroy(side->connection);
}

int main(int argc, char **arguments) {
    EXPECT(argc == 2);
    standin_set_text("room", arguments[1]);
    char app_id[] = "0123456789abcdef0123456789abcdef";
    agora_service_config config = {
        .enable_audio_processor = 1, .enable_video = 1, .app_id = app_id, .area_code = 0xffffffff, .channel_profile = 1};
    agora_handle service = agora_service_create();
    EXPECT(agora_service_initialize(service, &config) == 0);
    agora_handle factory = agora_service_create_media_node_factory(service);
    join(&sides[0], service, factory, "1");
    AWAIT(sides[0].connected == 1);
    join(&sides[1], service, factory, "2");
    AWAIT(sides[1].connected == 1 && sides[0].joined == 1 && sides[1].joined == 1);
    AWAIT(sides[0].published == 3 && sides[1].published == 3);
    int turn = 0;
    int64_t until = now_ms() + PATIENCE_MS;
    while (sides[0].pictures < 30 || sides[1].pictures < 30 || sides[0].sounds < 50 || sides[1].sounds < 50 || sides[0].qualities < 2) {
        EXPECT(now_ms() < until);
        send(&sides[0], 16 + turn % 200);
        send(&sides[1], 16 + turn % 200);
        turn++;
        rest_ms(10);
    }
    EXPECT(sides[0].width == WIDTH && sides[1].height == HEIGHT);
    AWAIT(sides[0].video_state == 2 && sides[1].sound_state == 2);
    EXPECT(sides[0].stats >= 1 && sides[0].volumes >= 1);
    int32_t stream = 0;
    EXPECT(agora_rtc_conn_create_data_stream(sides[0].connection, &stream, 1, 1) == 0 && stream == 1);
    EXPECT(agora_rtc_conn_send_stream_message(sides[0].connection, stream, "hello", 5) == 0);
    AWAIT(sides[1].messages == 1);
    EXPECT(agora_local_video_track_set_enabled(sides[0].video_track, 0) == 0);
    AWAIT(sides[1].video_state == 0);
    leave(&sides[0]);
    AWAIT(sides[1].left == 1);
    EXPECT(sides[1].left_reason == 0);
    leave(&sides[1]);
    agora_media_node_factory_destroy(factory);
    EXPECT(agora_service_release(service) == 0);
    char complaints[4096];
    int n = standin_complaints(complaints, sizeof complaints);
    fputs(complaints, stderr);
    EXPECT(n == 0);
    EXPECT(standin_get("services") == 0 && standin_get("connections") == 0 && standin_get("tracks") == 0);
    EXPECT(standin_get("senders") == 0 && standin_get("observers") == 0);
    AWAIT(standin_get("threads") == 0);
    EXPECT(standin_get("frames_sent") > 0 && standin_get("frames_delivered") >= 60 && standin_get("pcm_delivered") >= 100);
    return 0;
}
