/*
 * The part of Agora's server-gateway C interface (4.4.32, builds from .154 on) that Parley uses.
 *
 * Written by us from public facts; no line of Agora's own headers is in here. Handles are opaque pointers, booleans are
 * 32-bit integers, strings are UTF-8 and end with a zero, times are milliseconds. Layouts hold for 64-bit systems; a test
 * compares each with an independent table. Functions answer 0 or a negative error number unless said otherwise.
 */
#ifndef PARLEY_AGORA_GATEWAY_H
#define PARLEY_AGORA_GATEWAY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A service, connection, local user, track, sender, factory, observer or parameter. */
typedef void *agora_handle;

/* --- Structures that we give ------------------------------------------------------------------------------------- */

typedef struct agora_service_config {
    int32_t enable_audio_processor; /* must be 1, else every audio track is NULL */
    int32_t enable_audio_device;
    int32_t enable_video;
    void *context;
    const char *app_id; /* must live as long as the service */
    uint32_t area_code;
    int32_t channel_profile;
    int32_t audio_scenario;
    int32_t use_string_uid;
    int32_t domain_limit;
    int32_t log_level;
    const char *log_file_path;
    uint32_t log_file_size_kb;
    const char *data_dir;
    const char *config_dir;
} agora_service_config;

typedef struct agora_audio_subscription_options {
    int32_t packet_only;
    int32_t pcm_data_only;
    uint32_t bytes_per_sample;
    uint32_t number_of_channels;
    uint32_t sample_rate_hz;
} agora_audio_subscription_options;

typedef struct agora_rtc_conn_config {
    int32_t auto_subscribe_audio;
    int32_t auto_subscribe_video;
    int32_t enable_audio_recording_or_playout;
    int32_t max_send_bitrate;
    int32_t min_port;
    int32_t max_port;
    agora_audio_subscription_options audio_subs_options;
    int32_t client_role_type;
    int32_t channel_profile;
    int32_t audio_recv_media_packet;
    int32_t audio_recv_encoded_frame;
    int32_t video_recv_media_packet;
} agora_rtc_conn_config;

typedef struct agora_video_subscription_options {
    int32_t type;
    int32_t encoded_frame_only;
} agora_video_subscription_options;

typedef struct agora_video_dimensions {
    int32_t width;
    int32_t height;
} agora_video_dimensions;

typedef struct agora_video_encoder_config {
    int32_t codec_type;
    agora_video_dimensions dimensions;
    int32_t frame_rate;
    int32_t bitrate; /* bits a second */
    int32_t min_bitrate;
    int32_t orientation_mode;
    int32_t degradation_preference;
    int32_t mirror_mode;
    int32_t encode_alpha;
} agora_video_encoder_config;

typedef struct agora_audio_encoder_config {
    int32_t audio_profile;
} agora_audio_encoder_config;

typedef struct agora_encryption_config {
    int32_t encryption_mode;
    const char *encryption_key;
    uint8_t encryption_kdf_salt[32];
    uint8_t datastream_encryption_enabled;
} agora_encryption_config;

typedef struct agora_color_space_type {
    int32_t primaries_id;
    int32_t transfer_id;
    int32_t matrix_id;
    int32_t range_id;
} agora_color_space_type;

typedef struct agora_external_video_frame {
    int32_t type;   /* 1: raw bytes in `buffer` */
    int32_t format; /* 1: I420 */
    void *buffer;
    int32_t stride; /* of the luma plane, in pixels */
    int32_t height;
    int32_t crop_left;
    int32_t crop_top;
    int32_t crop_right;
    int32_t crop_bottom;
    int32_t rotation; /* 0, 90, 180 or 270 */
    int64_t timestamp;
    void *egl_context;
    int32_t egl_type;
    int32_t texture_id;
    float matrix[16];
    uint8_t *metadata_buffer;
    int32_t metadata_size;
    void *alpha_buffer;
    uint8_t fill_alpha_buffer;
    int32_t alpha_mode;
    agora_color_space_type color_space;
} agora_external_video_frame;

/* --- Structures that we are given, valid until the callback returns ------------------------------------------------ */

typedef struct agora_rtc_conn_info {
    uint32_t id;
    const char *channel_id;
    int32_t state;
    const char *local_user_id;
    uint32_t internal_uid;
} agora_rtc_conn_info;

typedef struct agora_rtc_stats {
    uint32_t connection_id;
    uint32_t duration;
    uint32_t tx_bytes;
    uint32_t rx_bytes;
    uint32_t tx_audio_bytes;
    uint32_t tx_video_bytes;
    uint32_t rx_audio_bytes;
    uint32_t rx_video_bytes;
    uint16_t tx_k_bit_rate;
    uint16_t rx_k_bit_rate;
    uint16_t rx_audio_k_bit_rate;
    uint16_t tx_audio_k_bit_rate;
    uint16_t rx_video_k_bit_rate;
    uint16_t tx_video_k_bit_rate;
    uint16_t lastmile_delay;
    uint32_t user_count;
    double cpu_app_usage;
    double cpu_total_usage;
    int32_t gateway_rtt;
    double memory_app_usage_ratio;
    double memory_total_usage_ratio;
    int32_t memory_app_usage_in_kbytes;
    int32_t connect_time_ms;
    int32_t first_audio_packet_duration;
    int32_t first_video_packet_duration;
    int32_t first_video_key_frame_packet_duration;
    int32_t packets_before_first_key_frame_packet;
    int32_t first_audio_packet_duration_after_unmute;
    int32_t first_video_packet_duration_after_unmute;
    int32_t first_video_key_frame_packet_duration_after_unmute;
    int32_t first_video_key_frame_decoded_duration_after_unmute;
    int32_t first_video_key_frame_rendered_duration_after_unmute;
    int32_t tx_packet_loss_rate;
    int32_t rx_packet_loss_rate;
} agora_rtc_stats;

typedef struct agora_video_frame {
    int32_t type; /* 1: I420 in the three planes */
    int32_t width;
    int32_t height;
    int32_t y_stride; /* bytes a row */
    int32_t u_stride;
    int32_t v_stride;
    uint8_t *y_buffer;
    uint8_t *u_buffer;
    uint8_t *v_buffer;
    int32_t rotation; /* degrees that the picture has to be turned clockwise */
    int64_t render_time_ms;
    int32_t avsync_type;
    uint8_t *metadata_buffer;
    int32_t metadata_size;
    void *shared_context;
    int32_t texture_id;
    float matrix[16];
    uint8_t *alpha_buffer;
    int32_t alpha_mode;
} agora_video_frame;

typedef struct agora_audio_frame {
    int32_t type; /* 0: 16-bit samples, channels in turns */
    int32_t samples_per_channel;
    int32_t bytes_per_sample;
    int32_t channels;
    int32_t samples_per_sec;
    void *buffer;
    int64_t render_time_ms;
    int32_t avsync_type;
    int64_t presentation_ms;
    int32_t audio_track_number;
    uint32_t rtp_timestamp;
    int32_t far_field_flag;
    int32_t rms;
    int32_t voice_prob;
    int32_t music_prob;
    int32_t pitch;
} agora_audio_frame;

typedef struct agora_audio_params {
    int32_t sample_rate;
    int32_t channels;
    int32_t mode;
    int32_t samples_per_call;
} agora_audio_params;

typedef struct agora_audio_volume_info {
    const char *user_id; /* "0" or "" is the local user */
    uint32_t volume;     /* 0 to 255 */
    uint32_t vad;
    double voice_pitch;
} agora_audio_volume_info;

typedef struct agora_video_track_info {
    int32_t is_local;
    uint32_t owner_uid;
    uint32_t track_id;
    const char *channel_id;
    int32_t stream_type;
    int32_t codec_type;
    int32_t encoded_frame_only;
    int32_t source_type;
    uint32_t observation_position;
} agora_video_track_info;

typedef struct agora_remote_video_track_stats {
    uint32_t uid;
    int32_t delay;
    int32_t width;
    int32_t height;
    int32_t received_bitrate;
    int32_t decoder_output_frame_rate;
    int32_t renderer_output_frame_rate;
    int32_t frame_loss_rate;
    int32_t packet_loss_rate;
    int32_t rx_stream_type;
    int32_t total_frozen_time;
    int32_t frozen_rate;
    uint32_t total_decoded_frames;
    int32_t av_sync_time_ms;
    uint32_t downlink_process_time_ms;
    uint32_t frame_render_delay_ms;
    uint64_t total_active_time;
    uint64_t publish_duration;
} agora_remote_video_track_stats;

typedef struct agora_remote_video_stream_info {
    uint32_t uid;
    uint8_t stream_type;
    uint8_t current_downscale_level;
    uint8_t total_downscale_level_counts;
} agora_remote_video_stream_info;

typedef struct agora_lastmile_probe_one_way_result {
    uint32_t packet_loss_rate;
    uint32_t jitter;
    uint32_t available_bandwidth;
} agora_lastmile_probe_one_way_result;

typedef struct agora_lastmile_probe_result {
    int32_t state;
    agora_lastmile_probe_one_way_result uplink_report;
    agora_lastmile_probe_one_way_result downlink_report;
    uint32_t rtt;
} agora_lastmile_probe_result;

/* --- Tables of callbacks --------------------------------------------------------------------------------------------
 * The first argument is the handle that the table was registered on. NULL slots are allowed. Callbacks come on the
 * library's own threads, several at once. A newer library may read further slots behind a table: whoever registers one
 * puts zeroes there. Where public sources disagree about an argument it is declared as `void *`: don't look into it.
 */

typedef struct agora_rtc_conn_observer {
    void (*on_connected)(agora_handle conn, const agora_rtc_conn_info *info, int32_t reason);
    void (*on_disconnected)(agora_handle conn, const agora_rtc_conn_info *info, int32_t reason);
    void (*on_connecting)(agora_handle conn, const agora_rtc_conn_info *info, int32_t reason);
    void (*on_reconnecting)(agora_handle conn, const agora_rtc_conn_info *info, int32_t reason);
    void (*on_reconnected)(agora_handle conn, const agora_rtc_conn_info *info, int32_t reason);
    void (*on_connection_lost)(agora_handle conn, const agora_rtc_conn_info *info);
    void (*on_lastmile_quality)(agora_handle conn, int32_t quality);
    void (*on_lastmile_probe_result)(agora_handle conn, const agora_lastmile_probe_result *result);
    void (*on_token_privilege_will_expire)(agora_handle conn, const char *token);
    void (*on_token_privilege_did_expire)(agora_handle conn);
    void (*on_connection_license_validation_failure)(agora_handle conn, int32_t reason);
    void (*on_connection_failure)(agora_handle conn, const agora_rtc_conn_info *info, int32_t reason);
    void (*on_user_joined)(agora_handle conn, const char *user_id);
    void (*on_user_left)(agora_handle conn, const char *user_id, int32_t reason);
    void (*on_transport_stats)(agora_handle conn, const agora_rtc_stats *stats);
    void (*on_change_role_success)(agora_handle conn, int32_t old_role, int32_t new_role);
    void (*on_change_role_failure)(agora_handle conn, int32_t reason, int32_t current_role);
    void (*on_user_network_quality)(agora_handle conn, const char *user_id, int32_t tx_quality, int32_t rx_quality);
    void (*on_network_type_changed)(agora_handle conn, int32_t type);
    void (*on_api_call_executed)(agora_handle conn, int32_t error, const char *api, const char *result);
    void (*on_content_inspect_result)(agora_handle conn, int32_t result);
    void (*on_snapshot_taken)(agora_handle conn, const char *channel, uint32_t uid, const char *path, int32_t width,
                              int32_t height, int32_t error);
    void (*on_error)(agora_handle conn, int32_t error, const char *message);
    void (*on_warning)(agora_handle conn, int32_t warning, const char *message);
    void (*on_channel_media_relay_state_changed)(agora_handle conn, int32_t state, int32_t code);
    void (*on_local_user_registered)(agora_handle conn, uint32_t uid, const char *account);
    void (*on_user_account_updated)(agora_handle conn, uint32_t uid, const char *account);
    void (*on_stream_message_error)(agora_handle conn, const char *user_id, int32_t stream, int32_t code,
                                    int32_t missed, int32_t cached);
    void (*on_encryption_error)(agora_handle conn, int32_t type);
    void (*on_upload_log_result)(agora_handle conn, const char *request, int32_t success, int32_t reason);
    void (*disputed)(agora_handle conn, int32_t type); /* one source has a second on_encryption_error here: stays NULL */
} agora_rtc_conn_observer;

typedef struct agora_local_user_observer {
    void (*on_audio_track_publish_success)(agora_handle user, agora_handle track);
    void (*on_audio_track_publish_start)(agora_handle user, agora_handle track);
    void (*on_audio_track_unpublished)(agora_handle user, agora_handle track);
    void (*on_audio_track_publication_failure)(agora_handle user, agora_handle track, int32_t error);
    void (*on_local_audio_track_state_changed)(agora_handle user, agora_handle track, int32_t state, int32_t error);
    void (*on_local_audio_track_statistics)(agora_handle user, void *disputed);
    void (*on_remote_audio_track_statistics)(agora_handle user, void *disputed, void *disputed_too);
    void (*on_user_audio_track_subscribed)(agora_handle user, const char *user_id, agora_handle track);
    void (*on_user_audio_track_state_changed)(agora_handle user, const char *user_id, agora_handle track, int32_t state,
                                              int32_t reason, int32_t elapsed);
    void (*on_audio_subscribe_state_changed)(agora_handle user, const char *channel, const char *user_id,
                                             int32_t old_state, int32_t new_state, int32_t elapsed);
    void (*on_audio_publish_state_changed)(agora_handle user, const char *channel, int32_t old_state, int32_t new_state,
                                           int32_t elapsed);
    void (*on_first_remote_audio_frame)(agora_handle user, const char *user_id, int32_t elapsed);
    void (*on_first_remote_audio_decoded)(agora_handle user, const char *user_id, int32_t elapsed);
    void (*on_video_track_publish_success)(agora_handle user, agora_handle track);
    void (*on_video_track_publish_start)(agora_handle user, agora_handle track);
    void (*on_video_track_unpublished)(agora_handle user, agora_handle track);
    void (*on_video_track_publication_failure)(agora_handle user, agora_handle track, int32_t error);
    void (*on_local_video_track_state_changed)(agora_handle user, agora_handle track, int32_t state, int32_t error);
    void (*on_local_video_track_statistics)(agora_handle user, void *disputed, void *disputed_too);
    void (*on_user_video_track_subscribed)(agora_handle user, const char *user_id, const agora_video_track_info *info,
                                           agora_handle track);
    void (*on_user_video_track_state_changed)(agora_handle user, const char *user_id, agora_handle track, int32_t state,
                                              int32_t reason, int32_t elapsed);
    void (*on_remote_video_track_statistics)(agora_handle user, void *disputed, void *disputed_too);
    void (*on_audio_volume_indication)(agora_handle user, const agora_audio_volume_info *speakers, uint32_t count,
                                       int32_t total_volume);
    void (*on_active_speaker)(agora_handle user, const char *user_id);
    void (*on_remote_video_stream_info_updated)(agora_handle user, const agora_remote_video_stream_info *info);
    void (*on_video_subscribe_state_changed)(agora_handle user, const char *channel, const char *user_id,
                                             int32_t old_state, int32_t new_state, int32_t elapsed);
    void (*on_video_publish_state_changed)(agora_handle user, const char *channel, int32_t old_state, int32_t new_state,
                                           int32_t elapsed);
    void (*on_first_remote_video_frame)(agora_handle user, const char *user_id, int32_t width, int32_t height,
                                        int32_t elapsed);
    void (*on_first_remote_video_decoded)(agora_handle user, const char *user_id, int32_t width, int32_t height,
                                          int32_t elapsed);
    void (*on_first_remote_video_frame_rendered)(agora_handle user, const char *user_id, int32_t width, int32_t height,
                                                 int32_t elapsed);
    void (*on_video_size_changed)(agora_handle user, const char *user_id, int32_t width, int32_t height,
                                  int32_t rotation);
    void (*on_user_info_updated)(agora_handle user, const char *user_id, int32_t message, int32_t value);
    void (*on_intra_request_received)(agora_handle user);
    void (*on_remote_subscribe_fallback_to_audio_only)(agora_handle user, const char *user_id, int32_t fallback);
    void (*on_stream_message)(agora_handle user, const char *user_id, int32_t stream, const char *data, size_t length);
    void (*on_user_state_changed)(agora_handle user, const char *user_id, uint32_t state);
    void (*on_audio_meta_data_received)(agora_handle user, const char *user_id, const char *data, size_t length);
} agora_local_user_observer;

/* The frame callbacks answer 1 (ok). */
typedef struct agora_audio_frame_observer {
    int32_t (*on_record_audio_frame)(agora_handle user, const char *channel, const agora_audio_frame *frame);
    int32_t (*on_playback_audio_frame)(agora_handle user, const char *channel, const agora_audio_frame *frame);
    int32_t (*on_mixed_audio_frame)(agora_handle user, const char *channel, const agora_audio_frame *frame);
    int32_t (*on_ear_monitoring_audio_frame)(agora_handle user, const agora_audio_frame *frame);
    int32_t (*on_playback_audio_frame_before_mixing)(agora_handle user, const char *channel, const char *user_id,
                                                     const agora_audio_frame *frame);
    int32_t (*on_get_audio_frame_position)(agora_handle user); /* bits: 1 playback, 2 record, 4 mixed, 8 before mixing */
    agora_audio_params (*on_get_playback_audio_frame_param)(agora_handle user);
    agora_audio_params (*on_get_record_audio_frame_param)(agora_handle user);
    agora_audio_params (*on_get_mixed_audio_frame_param)(agora_handle user);
    agora_audio_params (*on_get_ear_monitoring_audio_frame_param)(agora_handle user);
} agora_audio_frame_observer;

typedef struct agora_video_frame_observer2 {
    void (*on_frame)(agora_handle observer, const char *channel, const char *user_id, const agora_video_frame *frame);
} agora_video_frame_observer2;

/* --- Version and words --------------------------------------------------------------------------------------------- */

const char *getAgoraSdkVersion(int32_t *build);
const char *getAgoraSdkErrorDescription(int32_t error);

/* --- Service: one in a process ------------------------------------------------------------------------------------- */

agora_handle agora_service_create(void);
int32_t agora_service_initialize(agora_handle service, const agora_service_config *config);
int32_t agora_service_release(agora_handle service);
int32_t agora_service_set_log_file(agora_handle service, const char *path, uint32_t size);
int32_t agora_service_set_log_filter(agora_handle service, uint32_t filter);
agora_handle agora_service_get_agora_parameter(agora_handle service);
int32_t agora_parameter_set_parameters(agora_handle parameter, const char *json);
agora_handle agora_service_create_media_node_factory(agora_handle service);
agora_handle agora_service_create_custom_video_track_frame(agora_handle service, agora_handle sender);
agora_handle agora_service_create_custom_audio_track_pcm(agora_handle service, agora_handle sender);

/* --- Connection ---------------------------------------------------------------------------------------------------- */

agora_handle agora_rtc_conn_create(agora_handle service, const agora_rtc_conn_config *config);
void agora_rtc_conn_destroy(agora_handle conn);
int32_t agora_rtc_conn_register_observer(agora_handle conn, const agora_rtc_conn_observer *observer);
int32_t agora_rtc_conn_unregister_observer(agora_handle conn);
/* 0 means that it began; the outcome comes by callback, or never. */
int32_t agora_rtc_conn_connect(agora_handle conn, const char *token, const char *channel, const char *user_id);
int32_t agora_rtc_conn_disconnect(agora_handle conn);
int32_t agora_rtc_conn_renew_token(agora_handle conn, const char *token);
int32_t agora_rtc_conn_enable_encryption(agora_handle conn, int32_t enable, const agora_encryption_config *config);
int32_t agora_rtc_conn_create_data_stream(agora_handle conn, int32_t *stream, int32_t reliable, int32_t ordered);
int32_t agora_rtc_conn_send_stream_message(agora_handle conn, int32_t stream, const char *data, uint32_t length);
/* Belongs to the connection; never destroyed by us. */
agora_handle agora_rtc_conn_get_local_user(agora_handle conn);

/* --- Local user ---------------------------------------------------------------------------------------------------- */

int32_t agora_local_user_register_observer(agora_handle user, const agora_local_user_observer *observer);
int32_t agora_local_user_unregister_observer(agora_handle user);
int32_t agora_local_user_register_audio_frame_observer(agora_handle user, const agora_audio_frame_observer *observer);
int32_t agora_local_user_unregister_audio_frame_observer(agora_handle user);
int32_t agora_local_user_register_video_frame_observer(agora_handle user, agora_handle observer);
int32_t agora_local_user_unregister_video_frame_observer(agora_handle user, agora_handle observer);
int32_t agora_local_user_set_audio_scenario(agora_handle user, int32_t scenario);
int32_t agora_local_user_set_audio_encoder_config(agora_handle user, const agora_audio_encoder_config *config);
/* Before the audio frame observer is registered, or the frames before mixing don't come. */
int32_t agora_local_user_set_playback_audio_frame_before_mixing_parameters(agora_handle user, int32_t channels,
                                                                           int32_t samples_per_sec);
int32_t agora_local_user_set_audio_volume_indication_parameters(agora_handle user, int32_t interval_ms, int32_t smooth,
                                                                int32_t report_vad);
int32_t agora_local_user_publish_audio(agora_handle user, agora_handle track);
int32_t agora_local_user_unpublish_audio(agora_handle user, agora_handle track);
int32_t agora_local_user_publish_video(agora_handle user, agora_handle track);
int32_t agora_local_user_unpublish_video(agora_handle user, agora_handle track);
int32_t agora_local_user_subscribe_audio(agora_handle user, const char *user_id);
int32_t agora_local_user_unsubscribe_audio(agora_handle user, const char *user_id);
int32_t agora_local_user_subscribe_video(agora_handle user, const char *user_id,
                                         const agora_video_subscription_options *options);
int32_t agora_local_user_unsubscribe_video(agora_handle user, const char *user_id);
int32_t agora_local_user_send_intra_request(agora_handle user, const char *user_id);

/* --- Frames in and out --------------------------------------------------------------------------------------------- */

agora_handle agora_video_frame_observer2_create(const agora_video_frame_observer2 *observer);
int32_t agora_video_frame_observer2_destroy(agora_handle observer);

void agora_media_node_factory_destroy(agora_handle factory);
agora_handle agora_media_node_factory_create_video_frame_sender(agora_handle factory);
agora_handle agora_media_node_factory_create_audio_pcm_data_sender(agora_handle factory);

/* The frame is read before the function returns. */
int32_t agora_video_frame_sender_send(agora_handle sender, const agora_external_video_frame *frame);
void agora_video_frame_sender_destroy(agora_handle sender);
/* The form with eight arguments, since 4.4.32 of August 2025; the seven of before don't fit in the same registers. */
int32_t agora_audio_pcm_data_sender_send(agora_handle sender, const void *samples, uint32_t capture_ms,
                                         int64_t presentation_ms, uint32_t samples_per_channel,
                                         uint32_t bytes_per_sample, uint32_t channels, uint32_t samples_per_sec);
void agora_audio_pcm_data_sender_destroy(agora_handle sender);

int32_t agora_local_video_track_set_video_encoder_config(agora_handle track, const agora_video_encoder_config *config);
int32_t agora_local_video_track_set_enabled(agora_handle track, int32_t enabled);
void agora_local_video_track_destroy(agora_handle track);
int32_t agora_local_audio_track_set_enabled(agora_handle track, int32_t enabled);
void agora_local_audio_track_set_send_delay_ms(agora_handle track, int32_t delay_ms);
void agora_local_audio_track_set_max_bufferd_frame_number(agora_handle track, int32_t frames); /* spelled so */
int32_t agora_local_audio_track_clear_sender_buffer(agora_handle track);
void agora_local_audio_track_destroy(agora_handle track);

agora_remote_video_track_stats *agora_remote_video_track_get_statistics(agora_handle track);
void agora_remote_video_track_destroy_statistics(agora_handle track, agora_remote_video_track_stats *stats);

/* --- Never called: their presence says that the library is 4.4.32.154 or newer ------------------------------------- */

agora_handle agora_audio_sink_create(void *observer);
int32_t agora_local_audio_track_set_total_extra_send_ms(agora_handle track, uint64_t milliseconds);

#ifdef __cplusplus
}
#endif
#endif
