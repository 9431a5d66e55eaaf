// Made from include/gateway.h by `cargo xtask bindings`; not edited by hand.

pub type agora_handle = *mut ::core::ffi::c_void;
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct agora_service_config {
    pub enable_audio_processor: i32,
    pub enable_audio_device: i32,
    pub enable_video: i32,
    pub context: *mut ::core::ffi::c_void,
    pub app_id: *const ::core::ffi::c_char,
    pub area_code: u32,
    pub channel_profile: i32,
    pub audio_scenario: i32,
    pub use_string_uid: i32,
    pub domain_limit: i32,
    pub log_level: i32,
    pub log_file_path: *const ::core::ffi::c_char,
    pub log_file_size_kb: u32,
    pub data_dir: *const ::core::ffi::c_char,
    pub config_dir: *const ::core::ffi::c_char,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_service_config"][::core::mem::size_of::<agora_service_config>() - 88usize];
    ["Alignment of agora_service_config"][::core::mem::align_of::<agora_service_config>() - 8usize];
    ["Offset of field: agora_service_config::enable_audio_processor"]
        [::core::mem::offset_of!(agora_service_config, enable_audio_processor) - 0usize];
    ["Offset of field: agora_service_config::enable_audio_device"]
        [::core::mem::offset_of!(agora_service_config, enable_audio_device) - 4usize];
    ["Offset of field: agora_service_config::enable_video"]
        [::core::mem::offset_of!(agora_service_config, enable_video) - 8usize];
    ["Offset of field: agora_service_config::context"]
        [::core::mem::offset_of!(agora_service_config, context) - 16usize];
    ["Offset of field: agora_service_config::app_id"][::core::mem::offset_of!(agora_service_config, app_id) - 24usize];
    ["Offset of field: agora_service_config::area_code"]
        [::core::mem::offset_of!(agora_service_config, area_code) - 32usize];
    ["Offset of field: agora_service_config::channel_profile"]
        [::core::mem::offset_of!(agora_service_config, channel_profile) - 36usize];
    ["Offset of field: agora_service_config::audio_scenario"]
        [::core::mem::offset_of!(agora_service_config, audio_scenario) - 40usize];
    ["Offset of field: agora_service_config::use_string_uid"]
        [::core::mem::offset_of!(agora_service_config, use_string_uid) - 44usize];
    ["Offset of field: agora_service_config::domain_limit"]
        [::core::mem::offset_of!(agora_service_config, domain_limit) - 48usize];
    ["Offset of field: agora_service_config::log_level"]
        [::core::mem::offset_of!(agora_service_config, log_level) - 52usize];
    ["Offset of field: agora_service_config::log_file_path"]
        [::core::mem::offset_of!(agora_service_config, log_file_path) - 56usize];
    ["Offset of field: agora_service_config::log_file_size_kb"]
        [::core::mem::offset_of!(agora_service_config, log_file_size_kb) - 64usize];
    ["Offset of field: agora_service_config::data_dir"]
        [::core::mem::offset_of!(agora_service_config, data_dir) - 72usize];
    ["Offset of field: agora_service_config::config_dir"]
        [::core::mem::offset_of!(agora_service_config, config_dir) - 80usize];
};
impl Default for agora_service_config {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_audio_subscription_options {
    pub packet_only: i32,
    pub pcm_data_only: i32,
    pub bytes_per_sample: u32,
    pub number_of_channels: u32,
    pub sample_rate_hz: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_audio_subscription_options"][::core::mem::size_of::<agora_audio_subscription_options>() - 20usize];
    ["Alignment of agora_audio_subscription_options"]
        [::core::mem::align_of::<agora_audio_subscription_options>() - 4usize];
    ["Offset of field: agora_audio_subscription_options::packet_only"]
        [::core::mem::offset_of!(agora_audio_subscription_options, packet_only) - 0usize];
    ["Offset of field: agora_audio_subscription_options::pcm_data_only"]
        [::core::mem::offset_of!(agora_audio_subscription_options, pcm_data_only) - 4usize];
    ["Offset of field: agora_audio_subscription_options::bytes_per_sample"]
        [::core::mem::offset_of!(agora_audio_subscription_options, bytes_per_sample) - 8usize];
    ["Offset of field: agora_audio_subscription_options::number_of_channels"]
        [::core::mem::offset_of!(agora_audio_subscription_options, number_of_channels) - 12usize];
    ["Offset of field: agora_audio_subscription_options::sample_rate_hz"]
        [::core::mem::offset_of!(agora_audio_subscription_options, sample_rate_hz) - 16usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_rtc_conn_config {
    pub auto_subscribe_audio: i32,
    pub auto_subscribe_video: i32,
    pub enable_audio_recording_or_playout: i32,
    pub max_send_bitrate: i32,
    pub min_port: i32,
    pub max_port: i32,
    pub audio_subs_options: agora_audio_subscription_options,
    pub client_role_type: i32,
    pub channel_profile: i32,
    pub audio_recv_media_packet: i32,
    pub audio_recv_encoded_frame: i32,
    pub video_recv_media_packet: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_rtc_conn_config"][::core::mem::size_of::<agora_rtc_conn_config>() - 64usize];
    ["Alignment of agora_rtc_conn_config"][::core::mem::align_of::<agora_rtc_conn_config>() - 4usize];
    ["Offset of field: agora_rtc_conn_config::auto_subscribe_audio"]
        [::core::mem::offset_of!(agora_rtc_conn_config, auto_subscribe_audio) - 0usize];
    ["Offset of field: agora_rtc_conn_config::auto_subscribe_video"]
        [::core::mem::offset_of!(agora_rtc_conn_config, auto_subscribe_video) - 4usize];
    ["Offset of field: agora_rtc_conn_config::enable_audio_recording_or_playout"]
        [::core::mem::offset_of!(agora_rtc_conn_config, enable_audio_recording_or_playout) - 8usize];
    ["Offset of field: agora_rtc_conn_config::max_send_bitrate"]
        [::core::mem::offset_of!(agora_rtc_conn_config, max_send_bitrate) - 12usize];
    ["Offset of field: agora_rtc_conn_config::min_port"]
        [::core::mem::offset_of!(agora_rtc_conn_config, min_port) - 16usize];
    ["Offset of field: agora_rtc_conn_config::max_port"]
        [::core::mem::offset_of!(agora_rtc_conn_config, max_port) - 20usize];
    ["Offset of field: agora_rtc_conn_config::audio_subs_options"]
        [::core::mem::offset_of!(agora_rtc_conn_config, audio_subs_options) - 24usize];
    ["Offset of field: agora_rtc_conn_config::client_role_type"]
        [::core::mem::offset_of!(agora_rtc_conn_config, client_role_type) - 44usize];
    ["Offset of field: agora_rtc_conn_config::channel_profile"]
        [::core::mem::offset_of!(agora_rtc_conn_config, channel_profile) - 48usize];
    ["Offset of field: agora_rtc_conn_config::audio_recv_media_packet"]
        [::core::mem::offset_of!(agora_rtc_conn_config, audio_recv_media_packet) - 52usize];
    ["Offset of field: agora_rtc_conn_config::audio_recv_encoded_frame"]
        [::core::mem::offset_of!(agora_rtc_conn_config, audio_recv_encoded_frame) - 56usize];
    ["Offset of field: agora_rtc_conn_config::video_recv_media_packet"]
        [::core::mem::offset_of!(agora_rtc_conn_config, video_recv_media_packet) - 60usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_video_subscription_options {
    pub type_: i32,
    pub encoded_frame_only: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_video_subscription_options"][::core::mem::size_of::<agora_video_subscription_options>() - 8usize];
    ["Alignment of agora_video_subscription_options"]
        [::core::mem::align_of::<agora_video_subscription_options>() - 4usize];
    ["Offset of field: agora_video_subscription_options::type_"]
        [::core::mem::offset_of!(agora_video_subscription_options, type_) - 0usize];
    ["Offset of field: agora_video_subscription_options::encoded_frame_only"]
        [::core::mem::offset_of!(agora_video_subscription_options, encoded_frame_only) - 4usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_video_dimensions {
    pub width: i32,
    pub height: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_video_dimensions"][::core::mem::size_of::<agora_video_dimensions>() - 8usize];
    ["Alignment of agora_video_dimensions"][::core::mem::align_of::<agora_video_dimensions>() - 4usize];
    ["Offset of field: agora_video_dimensions::width"][::core::mem::offset_of!(agora_video_dimensions, width) - 0usize];
    ["Offset of field: agora_video_dimensions::height"]
        [::core::mem::offset_of!(agora_video_dimensions, height) - 4usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_video_encoder_config {
    pub codec_type: i32,
    pub dimensions: agora_video_dimensions,
    pub frame_rate: i32,
    pub bitrate: i32,
    pub min_bitrate: i32,
    pub orientation_mode: i32,
    pub degradation_preference: i32,
    pub mirror_mode: i32,
    pub encode_alpha: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_video_encoder_config"][::core::mem::size_of::<agora_video_encoder_config>() - 40usize];
    ["Alignment of agora_video_encoder_config"][::core::mem::align_of::<agora_video_encoder_config>() - 4usize];
    ["Offset of field: agora_video_encoder_config::codec_type"]
        [::core::mem::offset_of!(agora_video_encoder_config, codec_type) - 0usize];
    ["Offset of field: agora_video_encoder_config::dimensions"]
        [::core::mem::offset_of!(agora_video_encoder_config, dimensions) - 4usize];
    ["Offset of field: agora_video_encoder_config::frame_rate"]
        [::core::mem::offset_of!(agora_video_encoder_config, frame_rate) - 12usize];
    ["Offset of field: agora_video_encoder_config::bitrate"]
        [::core::mem::offset_of!(agora_video_encoder_config, bitrate) - 16usize];
    ["Offset of field: agora_video_encoder_config::min_bitrate"]
        [::core::mem::offset_of!(agora_video_encoder_config, min_bitrate) - 20usize];
    ["Offset of field: agora_video_encoder_config::orientation_mode"]
        [::core::mem::offset_of!(agora_video_encoder_config, orientation_mode) - 24usize];
    ["Offset of field: agora_video_encoder_config::degradation_preference"]
        [::core::mem::offset_of!(agora_video_encoder_config, degradation_preference) - 28usize];
    ["Offset of field: agora_video_encoder_config::mirror_mode"]
        [::core::mem::offset_of!(agora_video_encoder_config, mirror_mode) - 32usize];
    ["Offset of field: agora_video_encoder_config::encode_alpha"]
        [::core::mem::offset_of!(agora_video_encoder_config, encode_alpha) - 36usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_audio_encoder_config {
    pub audio_profile: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_audio_encoder_config"][::core::mem::size_of::<agora_audio_encoder_config>() - 4usize];
    ["Alignment of agora_audio_encoder_config"][::core::mem::align_of::<agora_audio_encoder_config>() - 4usize];
    ["Offset of field: agora_audio_encoder_config::audio_profile"]
        [::core::mem::offset_of!(agora_audio_encoder_config, audio_profile) - 0usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct agora_encryption_config {
    pub encryption_mode: i32,
    pub encryption_key: *const ::core::ffi::c_char,
    pub encryption_kdf_salt: [u8; 32usize],
    pub datastream_encryption_enabled: u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_encryption_config"][::core::mem::size_of::<agora_encryption_config>() - 56usize];
    ["Alignment of agora_encryption_config"][::core::mem::align_of::<agora_encryption_config>() - 8usize];
    ["Offset of field: agora_encryption_config::encryption_mode"]
        [::core::mem::offset_of!(agora_encryption_config, encryption_mode) - 0usize];
    ["Offset of field: agora_encryption_config::encryption_key"]
        [::core::mem::offset_of!(agora_encryption_config, encryption_key) - 8usize];
    ["Offset of field: agora_encryption_config::encryption_kdf_salt"]
        [::core::mem::offset_of!(agora_encryption_config, encryption_kdf_salt) - 16usize];
    ["Offset of field: agora_encryption_config::datastream_encryption_enabled"]
        [::core::mem::offset_of!(agora_encryption_config, datastream_encryption_enabled) - 48usize];
};
impl Default for agora_encryption_config {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_color_space_type {
    pub primaries_id: i32,
    pub transfer_id: i32,
    pub matrix_id: i32,
    pub range_id: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_color_space_type"][::core::mem::size_of::<agora_color_space_type>() - 16usize];
    ["Alignment of agora_color_space_type"][::core::mem::align_of::<agora_color_space_type>() - 4usize];
    ["Offset of field: agora_color_space_type::primaries_id"]
        [::core::mem::offset_of!(agora_color_space_type, primaries_id) - 0usize];
    ["Offset of field: agora_color_space_type::transfer_id"]
        [::core::mem::offset_of!(agora_color_space_type, transfer_id) - 4usize];
    ["Offset of field: agora_color_space_type::matrix_id"]
        [::core::mem::offset_of!(agora_color_space_type, matrix_id) - 8usize];
    ["Offset of field: agora_color_space_type::range_id"]
        [::core::mem::offset_of!(agora_color_space_type, range_id) - 12usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct agora_external_video_frame {
    pub type_: i32,
    pub format: i32,
    pub buffer: *mut ::core::ffi::c_void,
    pub stride: i32,
    pub height: i32,
    pub crop_left: i32,
    pub crop_top: i32,
    pub crop_right: i32,
    pub crop_bottom: i32,
    pub rotation: i32,
    pub timestamp: i64,
    pub egl_context: *mut ::core::ffi::c_void,
    pub egl_type: i32,
    pub texture_id: i32,
    pub matrix: [f32; 16usize],
    pub metadata_buffer: *mut u8,
    pub metadata_size: i32,
    pub alpha_buffer: *mut ::core::ffi::c_void,
    pub fill_alpha_buffer: u8,
    pub alpha_mode: i32,
    pub color_space: agora_color_space_type,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_external_video_frame"][::core::mem::size_of::<agora_external_video_frame>() - 184usize];
    ["Alignment of agora_external_video_frame"][::core::mem::align_of::<agora_external_video_frame>() - 8usize];
    ["Offset of field: agora_external_video_frame::type_"]
        [::core::mem::offset_of!(agora_external_video_frame, type_) - 0usize];
    ["Offset of field: agora_external_video_frame::format"]
        [::core::mem::offset_of!(agora_external_video_frame, format) - 4usize];
    ["Offset of field: agora_external_video_frame::buffer"]
        [::core::mem::offset_of!(agora_external_video_frame, buffer) - 8usize];
    ["Offset of field: agora_external_video_frame::stride"]
        [::core::mem::offset_of!(agora_external_video_frame, stride) - 16usize];
    ["Offset of field: agora_external_video_frame::height"]
        [::core::mem::offset_of!(agora_external_video_frame, height) - 20usize];
    ["Offset of field: agora_external_video_frame::crop_left"]
        [::core::mem::offset_of!(agora_external_video_frame, crop_left) - 24usize];
    ["Offset of field: agora_external_video_frame::crop_top"]
        [::core::mem::offset_of!(agora_external_video_frame, crop_top) - 28usize];
    ["Offset of field: agora_external_video_frame::crop_right"]
        [::core::mem::offset_of!(agora_external_video_frame, crop_right) - 32usize];
    ["Offset of field: agora_external_video_frame::crop_bottom"]
        [::core::mem::offset_of!(agora_external_video_frame, crop_bottom) - 36usize];
    ["Offset of field: agora_external_video_frame::rotation"]
        [::core::mem::offset_of!(agora_external_video_frame, rotation) - 40usize];
    ["Offset of field: agora_external_video_frame::timestamp"]
        [::core::mem::offset_of!(agora_external_video_frame, timestamp) - 48usize];
    ["Offset of field: agora_external_video_frame::egl_context"]
        [::core::mem::offset_of!(agora_external_video_frame, egl_context) - 56usize];
    ["Offset of field: agora_external_video_frame::egl_type"]
        [::core::mem::offset_of!(agora_external_video_frame, egl_type) - 64usize];
    ["Offset of field: agora_external_video_frame::texture_id"]
        [::core::mem::offset_of!(agora_external_video_frame, texture_id) - 68usize];
    ["Offset of field: agora_external_video_frame::matrix"]
        [::core::mem::offset_of!(agora_external_video_frame, matrix) - 72usize];
    ["Offset of field: agora_external_video_frame::metadata_buffer"]
        [::core::mem::offset_of!(agora_external_video_frame, metadata_buffer) - 136usize];
    ["Offset of field: agora_external_video_frame::metadata_size"]
        [::core::mem::offset_of!(agora_external_video_frame, metadata_size) - 144usize];
    ["Offset of field: agora_external_video_frame::alpha_buffer"]
        [::core::mem::offset_of!(agora_external_video_frame, alpha_buffer) - 152usize];
    ["Offset of field: agora_external_video_frame::fill_alpha_buffer"]
        [::core::mem::offset_of!(agora_external_video_frame, fill_alpha_buffer) - 160usize];
    ["Offset of field: agora_external_video_frame::alpha_mode"]
        [::core::mem::offset_of!(agora_external_video_frame, alpha_mode) - 164usize];
    ["Offset of field: agora_external_video_frame::color_space"]
        [::core::mem::offset_of!(agora_external_video_frame, color_space) - 168usize];
};
impl Default for agora_external_video_frame {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct agora_rtc_conn_info {
    pub id: u32,
    pub channel_id: *const ::core::ffi::c_char,
    pub state: i32,
    pub local_user_id: *const ::core::ffi::c_char,
    pub internal_uid: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_rtc_conn_info"][::core::mem::size_of::<agora_rtc_conn_info>() - 40usize];
    ["Alignment of agora_rtc_conn_info"][::core::mem::align_of::<agora_rtc_conn_info>() - 8usize];
    ["Offset of field: agora_rtc_conn_info::id"][::core::mem::offset_of!(agora_rtc_conn_info, id) - 0usize];
    ["Offset of field: agora_rtc_conn_info::channel_id"]
        [::core::mem::offset_of!(agora_rtc_conn_info, channel_id) - 8usize];
    ["Offset of field: agora_rtc_conn_info::state"][::core::mem::offset_of!(agora_rtc_conn_info, state) - 16usize];
    ["Offset of field: agora_rtc_conn_info::local_user_id"]
        [::core::mem::offset_of!(agora_rtc_conn_info, local_user_id) - 24usize];
    ["Offset of field: agora_rtc_conn_info::internal_uid"]
        [::core::mem::offset_of!(agora_rtc_conn_info, internal_uid) - 32usize];
};
impl Default for agora_rtc_conn_info {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_rtc_stats {
    pub connection_id: u32,
    pub duration: u32,
    pub tx_bytes: u32,
    pub rx_bytes: u32,
    pub tx_audio_bytes: u32,
    pub tx_video_bytes: u32,
    pub rx_audio_bytes: u32,
    pub rx_video_bytes: u32,
    pub tx_k_bit_rate: u16,
    pub rx_k_bit_rate: u16,
    pub rx_audio_k_bit_rate: u16,
    pub tx_audio_k_bit_rate: u16,
    pub rx_video_k_bit_rate: u16,
    pub tx_video_k_bit_rate: u16,
    pub lastmile_delay: u16,
    pub user_count: u32,
    pub cpu_app_usage: f64,
    pub cpu_total_usage: f64,
    pub gateway_rtt: i32,
    pub memory_app_usage_ratio: f64,
    pub memory_total_usage_ratio: f64,
    pub memory_app_usage_in_kbytes: i32,
    pub connect_time_ms: i32,
    pub first_audio_packet_duration: i32,
    pub first_video_packet_duration: i32,
    pub first_video_key_frame_packet_duration: i32,
    pub packets_before_first_key_frame_packet: i32,
    pub first_audio_packet_duration_after_unmute: i32,
    pub first_video_packet_duration_after_unmute: i32,
    pub first_video_key_frame_packet_duration_after_unmute: i32,
    pub first_video_key_frame_decoded_duration_after_unmute: i32,
    pub first_video_key_frame_rendered_duration_after_unmute: i32,
    pub tx_packet_loss_rate: i32,
    pub rx_packet_loss_rate: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_rtc_stats"][::core::mem::size_of::<agora_rtc_stats>() - 152usize];
    ["Alignment of agora_rtc_stats"][::core::mem::align_of::<agora_rtc_stats>() - 8usize];
    ["Offset of field: agora_rtc_stats::connection_id"]
        [::core::mem::offset_of!(agora_rtc_stats, connection_id) - 0usize];
    ["Offset of field: agora_rtc_stats::duration"][::core::mem::offset_of!(agora_rtc_stats, duration) - 4usize];
    ["Offset of field: agora_rtc_stats::tx_bytes"][::core::mem::offset_of!(agora_rtc_stats, tx_bytes) - 8usize];
    ["Offset of field: agora_rtc_stats::rx_bytes"][::core::mem::offset_of!(agora_rtc_stats, rx_bytes) - 12usize];
    ["Offset of field: agora_rtc_stats::tx_audio_bytes"]
        [::core::mem::offset_of!(agora_rtc_stats, tx_audio_bytes) - 16usize];
    ["Offset of field: agora_rtc_stats::tx_video_bytes"]
        [::core::mem::offset_of!(agora_rtc_stats, tx_video_bytes) - 20usize];
    ["Offset of field: agora_rtc_stats::rx_audio_bytes"]
        [::core::mem::offset_of!(agora_rtc_stats, rx_audio_bytes) - 24usize];
    ["Offset of field: agora_rtc_stats::rx_video_bytes"]
        [::core::mem::offset_of!(agora_rtc_stats, rx_video_bytes) - 28usize];
    ["Offset of field: agora_rtc_stats::tx_k_bit_rate"]
        [::core::mem::offset_of!(agora_rtc_stats, tx_k_bit_rate) - 32usize];
    ["Offset of field: agora_rtc_stats::rx_k_bit_rate"]
        [::core::mem::offset_of!(agora_rtc_stats, rx_k_bit_rate) - 34usize];
    ["Offset of field: agora_rtc_stats::rx_audio_k_bit_rate"]
        [::core::mem::offset_of!(agora_rtc_stats, rx_audio_k_bit_rate) - 36usize];
    ["Offset of field: agora_rtc_stats::tx_audio_k_bit_rate"]
        [::core::mem::offset_of!(agora_rtc_stats, tx_audio_k_bit_rate) - 38usize];
    ["Offset of field: agora_rtc_stats::rx_video_k_bit_rate"]
        [::core::mem::offset_of!(agora_rtc_stats, rx_video_k_bit_rate) - 40usize];
    ["Offset of field: agora_rtc_stats::tx_video_k_bit_rate"]
        [::core::mem::offset_of!(agora_rtc_stats, tx_video_k_bit_rate) - 42usize];
    ["Offset of field: agora_rtc_stats::lastmile_delay"]
        [::core::mem::offset_of!(agora_rtc_stats, lastmile_delay) - 44usize];
    ["Offset of field: agora_rtc_stats::user_count"][::core::mem::offset_of!(agora_rtc_stats, user_count) - 48usize];
    ["Offset of field: agora_rtc_stats::cpu_app_usage"]
        [::core::mem::offset_of!(agora_rtc_stats, cpu_app_usage) - 56usize];
    ["Offset of field: agora_rtc_stats::cpu_total_usage"]
        [::core::mem::offset_of!(agora_rtc_stats, cpu_total_usage) - 64usize];
    ["Offset of field: agora_rtc_stats::gateway_rtt"][::core::mem::offset_of!(agora_rtc_stats, gateway_rtt) - 72usize];
    ["Offset of field: agora_rtc_stats::memory_app_usage_ratio"]
        [::core::mem::offset_of!(agora_rtc_stats, memory_app_usage_ratio) - 80usize];
    ["Offset of field: agora_rtc_stats::memory_total_usage_ratio"]
        [::core::mem::offset_of!(agora_rtc_stats, memory_total_usage_ratio) - 88usize];
    ["Offset of field: agora_rtc_stats::memory_app_usage_in_kbytes"]
        [::core::mem::offset_of!(agora_rtc_stats, memory_app_usage_in_kbytes) - 96usize];
    ["Offset of field: agora_rtc_stats::connect_time_ms"]
        [::core::mem::offset_of!(agora_rtc_stats, connect_time_ms) - 100usize];
    ["Offset of field: agora_rtc_stats::first_audio_packet_duration"]
        [::core::mem::offset_of!(agora_rtc_stats, first_audio_packet_duration) - 104usize];
    ["Offset of field: agora_rtc_stats::first_video_packet_duration"]
        [::core::mem::offset_of!(agora_rtc_stats, first_video_packet_duration) - 108usize];
    ["Offset of field: agora_rtc_stats::first_video_key_frame_packet_duration"]
        [::core::mem::offset_of!(agora_rtc_stats, first_video_key_frame_packet_duration) - 112usize];
    ["Offset of field: agora_rtc_stats::packets_before_first_key_frame_packet"]
        [::core::mem::offset_of!(agora_rtc_stats, packets_before_first_key_frame_packet) - 116usize];
    ["Offset of field: agora_rtc_stats::first_audio_packet_duration_after_unmute"]
        [::core::mem::offset_of!(agora_rtc_stats, first_audio_packet_duration_after_unmute) - 120usize];
    ["Offset of field: agora_rtc_stats::first_video_packet_duration_after_unmute"]
        [::core::mem::offset_of!(agora_rtc_stats, first_video_packet_duration_after_unmute) - 124usize];
    ["Offset of field: agora_rtc_stats::first_video_key_frame_packet_duration_after_unmute"]
        [::core::mem::offset_of!(agora_rtc_stats, first_video_key_frame_packet_duration_after_unmute) - 128usize];
    ["Offset of field: agora_rtc_stats::first_video_key_frame_decoded_duration_after_unmute"]
        [::core::mem::offset_of!(agora_rtc_stats, first_video_key_frame_decoded_duration_after_unmute) - 132usize];
    ["Offset of field: agora_rtc_stats::first_video_key_frame_rendered_duration_after_unmute"]
        [::core::mem::offset_of!(agora_rtc_stats, first_video_key_frame_rendered_duration_after_unmute) - 136usize];
    ["Offset of field: agora_rtc_stats::tx_packet_loss_rate"]
        [::core::mem::offset_of!(agora_rtc_stats, tx_packet_loss_rate) - 140usize];
    ["Offset of field: agora_rtc_stats::rx_packet_loss_rate"]
        [::core::mem::offset_of!(agora_rtc_stats, rx_packet_loss_rate) - 144usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct agora_video_frame {
    pub type_: i32,
    pub width: i32,
    pub height: i32,
    pub y_stride: i32,
    pub u_stride: i32,
    pub v_stride: i32,
    pub y_buffer: *mut u8,
    pub u_buffer: *mut u8,
    pub v_buffer: *mut u8,
    pub rotation: i32,
    pub render_time_ms: i64,
    pub avsync_type: i32,
    pub metadata_buffer: *mut u8,
    pub metadata_size: i32,
    pub shared_context: *mut ::core::ffi::c_void,
    pub texture_id: i32,
    pub matrix: [f32; 16usize],
    pub alpha_buffer: *mut u8,
    pub alpha_mode: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_video_frame"][::core::mem::size_of::<agora_video_frame>() - 184usize];
    ["Alignment of agora_video_frame"][::core::mem::align_of::<agora_video_frame>() - 8usize];
    ["Offset of field: agora_video_frame::type_"][::core::mem::offset_of!(agora_video_frame, type_) - 0usize];
    ["Offset of field: agora_video_frame::width"][::core::mem::offset_of!(agora_video_frame, width) - 4usize];
    ["Offset of field: agora_video_frame::height"][::core::mem::offset_of!(agora_video_frame, height) - 8usize];
    ["Offset of field: agora_video_frame::y_stride"][::core::mem::offset_of!(agora_video_frame, y_stride) - 12usize];
    ["Offset of field: agora_video_frame::u_stride"][::core::mem::offset_of!(agora_video_frame, u_stride) - 16usize];
    ["Offset of field: agora_video_frame::v_stride"][::core::mem::offset_of!(agora_video_frame, v_stride) - 20usize];
    ["Offset of field: agora_video_frame::y_buffer"][::core::mem::offset_of!(agora_video_frame, y_buffer) - 24usize];
    ["Offset of field: agora_video_frame::u_buffer"][::core::mem::offset_of!(agora_video_frame, u_buffer) - 32usize];
    ["Offset of field: agora_video_frame::v_buffer"][::core::mem::offset_of!(agora_video_frame, v_buffer) - 40usize];
    ["Offset of field: agora_video_frame::rotation"][::core::mem::offset_of!(agora_video_frame, rotation) - 48usize];
    ["Offset of field: agora_video_frame::render_time_ms"]
        [::core::mem::offset_of!(agora_video_frame, render_time_ms) - 56usize];
    ["Offset of field: agora_video_frame::avsync_type"]
        [::core::mem::offset_of!(agora_video_frame, avsync_type) - 64usize];
    ["Offset of field: agora_video_frame::metadata_buffer"]
        [::core::mem::offset_of!(agora_video_frame, metadata_buffer) - 72usize];
    ["Offset of field: agora_video_frame::metadata_size"]
        [::core::mem::offset_of!(agora_video_frame, metadata_size) - 80usize];
    ["Offset of field: agora_video_frame::shared_context"]
        [::core::mem::offset_of!(agora_video_frame, shared_context) - 88usize];
    ["Offset of field: agora_video_frame::texture_id"]
        [::core::mem::offset_of!(agora_video_frame, texture_id) - 96usize];
    ["Offset of field: agora_video_frame::matrix"][::core::mem::offset_of!(agora_video_frame, matrix) - 100usize];
    ["Offset of field: agora_video_frame::alpha_buffer"]
        [::core::mem::offset_of!(agora_video_frame, alpha_buffer) - 168usize];
    ["Offset of field: agora_video_frame::alpha_mode"]
        [::core::mem::offset_of!(agora_video_frame, alpha_mode) - 176usize];
};
impl Default for agora_video_frame {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct agora_audio_frame {
    pub type_: i32,
    pub samples_per_channel: i32,
    pub bytes_per_sample: i32,
    pub channels: i32,
    pub samples_per_sec: i32,
    pub buffer: *mut ::core::ffi::c_void,
    pub render_time_ms: i64,
    pub avsync_type: i32,
    pub presentation_ms: i64,
    pub audio_track_number: i32,
    pub rtp_timestamp: u32,
    pub far_field_flag: i32,
    pub rms: i32,
    pub voice_prob: i32,
    pub music_prob: i32,
    pub pitch: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_audio_frame"][::core::mem::size_of::<agora_audio_frame>() - 88usize];
    ["Alignment of agora_audio_frame"][::core::mem::align_of::<agora_audio_frame>() - 8usize];
    ["Offset of field: agora_audio_frame::type_"][::core::mem::offset_of!(agora_audio_frame, type_) - 0usize];
    ["Offset of field: agora_audio_frame::samples_per_channel"]
        [::core::mem::offset_of!(agora_audio_frame, samples_per_channel) - 4usize];
    ["Offset of field: agora_audio_frame::bytes_per_sample"]
        [::core::mem::offset_of!(agora_audio_frame, bytes_per_sample) - 8usize];
    ["Offset of field: agora_audio_frame::channels"][::core::mem::offset_of!(agora_audio_frame, channels) - 12usize];
    ["Offset of field: agora_audio_frame::samples_per_sec"]
        [::core::mem::offset_of!(agora_audio_frame, samples_per_sec) - 16usize];
    ["Offset of field: agora_audio_frame::buffer"][::core::mem::offset_of!(agora_audio_frame, buffer) - 24usize];
    ["Offset of field: agora_audio_frame::render_time_ms"]
        [::core::mem::offset_of!(agora_audio_frame, render_time_ms) - 32usize];
    ["Offset of field: agora_audio_frame::avsync_type"]
        [::core::mem::offset_of!(agora_audio_frame, avsync_type) - 40usize];
    ["Offset of field: agora_audio_frame::presentation_ms"]
        [::core::mem::offset_of!(agora_audio_frame, presentation_ms) - 48usize];
    ["Offset of field: agora_audio_frame::audio_track_number"]
        [::core::mem::offset_of!(agora_audio_frame, audio_track_number) - 56usize];
    ["Offset of field: agora_audio_frame::rtp_timestamp"]
        [::core::mem::offset_of!(agora_audio_frame, rtp_timestamp) - 60usize];
    ["Offset of field: agora_audio_frame::far_field_flag"]
        [::core::mem::offset_of!(agora_audio_frame, far_field_flag) - 64usize];
    ["Offset of field: agora_audio_frame::rms"][::core::mem::offset_of!(agora_audio_frame, rms) - 68usize];
    ["Offset of field: agora_audio_frame::voice_prob"]
        [::core::mem::offset_of!(agora_audio_frame, voice_prob) - 72usize];
    ["Offset of field: agora_audio_frame::music_prob"]
        [::core::mem::offset_of!(agora_audio_frame, music_prob) - 76usize];
    ["Offset of field: agora_audio_frame::pitch"][::core::mem::offset_of!(agora_audio_frame, pitch) - 80usize];
};
impl Default for agora_audio_frame {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_audio_params {
    pub sample_rate: i32,
    pub channels: i32,
    pub mode: i32,
    pub samples_per_call: i32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_audio_params"][::core::mem::size_of::<agora_audio_params>() - 16usize];
    ["Alignment of agora_audio_params"][::core::mem::align_of::<agora_audio_params>() - 4usize];
    ["Offset of field: agora_audio_params::sample_rate"]
        [::core::mem::offset_of!(agora_audio_params, sample_rate) - 0usize];
    ["Offset of field: agora_audio_params::channels"][::core::mem::offset_of!(agora_audio_params, channels) - 4usize];
    ["Offset of field: agora_audio_params::mode"][::core::mem::offset_of!(agora_audio_params, mode) - 8usize];
    ["Offset of field: agora_audio_params::samples_per_call"]
        [::core::mem::offset_of!(agora_audio_params, samples_per_call) - 12usize];
};
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct agora_audio_volume_info {
    pub user_id: *const ::core::ffi::c_char,
    pub volume: u32,
    pub vad: u32,
    pub voice_pitch: f64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_audio_volume_info"][::core::mem::size_of::<agora_audio_volume_info>() - 24usize];
    ["Alignment of agora_audio_volume_info"][::core::mem::align_of::<agora_audio_volume_info>() - 8usize];
    ["Offset of field: agora_audio_volume_info::user_id"]
        [::core::mem::offset_of!(agora_audio_volume_info, user_id) - 0usize];
    ["Offset of field: agora_audio_volume_info::volume"]
        [::core::mem::offset_of!(agora_audio_volume_info, volume) - 8usize];
    ["Offset of field: agora_audio_volume_info::vad"][::core::mem::offset_of!(agora_audio_volume_info, vad) - 12usize];
    ["Offset of field: agora_audio_volume_info::voice_pitch"]
        [::core::mem::offset_of!(agora_audio_volume_info, voice_pitch) - 16usize];
};
impl Default for agora_audio_volume_info {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Copy, Clone)]
pub struct agora_video_track_info {
    pub is_local: i32,
    pub owner_uid: u32,
    pub track_id: u32,
    pub channel_id: *const ::core::ffi::c_char,
    pub stream_type: i32,
    pub codec_type: i32,
    pub encoded_frame_only: i32,
    pub source_type: i32,
    pub observation_position: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_video_track_info"][::core::mem::size_of::<agora_video_track_info>() - 48usize];
    ["Alignment of agora_video_track_info"][::core::mem::align_of::<agora_video_track_info>() - 8usize];
    ["Offset of field: agora_video_track_info::is_local"]
        [::core::mem::offset_of!(agora_video_track_info, is_local) - 0usize];
    ["Offset of field: agora_video_track_info::owner_uid"]
        [::core::mem::offset_of!(agora_video_track_info, owner_uid) - 4usize];
    ["Offset of field: agora_video_track_info::track_id"]
        [::core::mem::offset_of!(agora_video_track_info, track_id) - 8usize];
    ["Offset of field: agora_video_track_info::channel_id"]
        [::core::mem::offset_of!(agora_video_track_info, channel_id) - 16usize];
    ["Offset of field: agora_video_track_info::stream_type"]
        [::core::mem::offset_of!(agora_video_track_info, stream_type) - 24usize];
    ["Offset of field: agora_video_track_info::codec_type"]
        [::core::mem::offset_of!(agora_video_track_info, codec_type) - 28usize];
    ["Offset of field: agora_video_track_info::encoded_frame_only"]
        [::core::mem::offset_of!(agora_video_track_info, encoded_frame_only) - 32usize];
    ["Offset of field: agora_video_track_info::source_type"]
        [::core::mem::offset_of!(agora_video_track_info, source_type) - 36usize];
    ["Offset of field: agora_video_track_info::observation_position"]
        [::core::mem::offset_of!(agora_video_track_info, observation_position) - 40usize];
};
impl Default for agora_video_track_info {
    fn default() -> Self {
        let mut s = ::core::mem::MaybeUninit::<Self>::uninit();
        unsafe {
            ::core::ptr::write_bytes(s.as_mut_ptr(), 0, 1);
            s.assume_init()
        }
    }
}
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_remote_video_track_stats {
    pub uid: u32,
    pub delay: i32,
    pub width: i32,
    pub height: i32,
    pub received_bitrate: i32,
    pub decoder_output_frame_rate: i32,
    pub renderer_output_frame_rate: i32,
    pub frame_loss_rate: i32,
    pub packet_loss_rate: i32,
    pub rx_stream_type: i32,
    pub total_frozen_time: i32,
    pub frozen_rate: i32,
    pub total_decoded_frames: u32,
    pub av_sync_time_ms: i32,
    pub downlink_process_time_ms: u32,
    pub frame_render_delay_ms: u32,
    pub total_active_time: u64,
    pub publish_duration: u64,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_remote_video_track_stats"][::core::mem::size_of::<agora_remote_video_track_stats>() - 80usize];
    ["Alignment of agora_remote_video_track_stats"][::core::mem::align_of::<agora_remote_video_track_stats>() - 8usize];
    ["Offset of field: agora_remote_video_track_stats::uid"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, uid) - 0usize];
    ["Offset of field: agora_remote_video_track_stats::delay"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, delay) - 4usize];
    ["Offset of field: agora_remote_video_track_stats::width"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, width) - 8usize];
    ["Offset of field: agora_remote_video_track_stats::height"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, height) - 12usize];
    ["Offset of field: agora_remote_video_track_stats::received_bitrate"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, received_bitrate) - 16usize];
    ["Offset of field: agora_remote_video_track_stats::decoder_output_frame_rate"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, decoder_output_frame_rate) - 20usize];
    ["Offset of field: agora_remote_video_track_stats::renderer_output_frame_rate"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, renderer_output_frame_rate) - 24usize];
    ["Offset of field: agora_remote_video_track_stats::frame_loss_rate"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, frame_loss_rate) - 28usize];
    ["Offset of field: agora_remote_video_track_stats::packet_loss_rate"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, packet_loss_rate) - 32usize];
    ["Offset of field: agora_remote_video_track_stats::rx_stream_type"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, rx_stream_type) - 36usize];
    ["Offset of field: agora_remote_video_track_stats::total_frozen_time"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, total_frozen_time) - 40usize];
    ["Offset of field: agora_remote_video_track_stats::frozen_rate"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, frozen_rate) - 44usize];
    ["Offset of field: agora_remote_video_track_stats::total_decoded_frames"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, total_decoded_frames) - 48usize];
    ["Offset of field: agora_remote_video_track_stats::av_sync_time_ms"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, av_sync_time_ms) - 52usize];
    ["Offset of field: agora_remote_video_track_stats::downlink_process_time_ms"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, downlink_process_time_ms) - 56usize];
    ["Offset of field: agora_remote_video_track_stats::frame_render_delay_ms"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, frame_render_delay_ms) - 60usize];
    ["Offset of field: agora_remote_video_track_stats::total_active_time"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, total_active_time) - 64usize];
    ["Offset of field: agora_remote_video_track_stats::publish_duration"]
        [::core::mem::offset_of!(agora_remote_video_track_stats, publish_duration) - 72usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_remote_video_stream_info {
    pub uid: u32,
    pub stream_type: u8,
    pub current_downscale_level: u8,
    pub total_downscale_level_counts: u8,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_remote_video_stream_info"][::core::mem::size_of::<agora_remote_video_stream_info>() - 8usize];
    ["Alignment of agora_remote_video_stream_info"][::core::mem::align_of::<agora_remote_video_stream_info>() - 4usize];
    ["Offset of field: agora_remote_video_stream_info::uid"]
        [::core::mem::offset_of!(agora_remote_video_stream_info, uid) - 0usize];
    ["Offset of field: agora_remote_video_stream_info::stream_type"]
        [::core::mem::offset_of!(agora_remote_video_stream_info, stream_type) - 4usize];
    ["Offset of field: agora_remote_video_stream_info::current_downscale_level"]
        [::core::mem::offset_of!(agora_remote_video_stream_info, current_downscale_level) - 5usize];
    ["Offset of field: agora_remote_video_stream_info::total_downscale_level_counts"]
        [::core::mem::offset_of!(agora_remote_video_stream_info, total_downscale_level_counts) - 6usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_lastmile_probe_one_way_result {
    pub packet_loss_rate: u32,
    pub jitter: u32,
    pub available_bandwidth: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_lastmile_probe_one_way_result"]
        [::core::mem::size_of::<agora_lastmile_probe_one_way_result>() - 12usize];
    ["Alignment of agora_lastmile_probe_one_way_result"]
        [::core::mem::align_of::<agora_lastmile_probe_one_way_result>() - 4usize];
    ["Offset of field: agora_lastmile_probe_one_way_result::packet_loss_rate"]
        [::core::mem::offset_of!(agora_lastmile_probe_one_way_result, packet_loss_rate) - 0usize];
    ["Offset of field: agora_lastmile_probe_one_way_result::jitter"]
        [::core::mem::offset_of!(agora_lastmile_probe_one_way_result, jitter) - 4usize];
    ["Offset of field: agora_lastmile_probe_one_way_result::available_bandwidth"]
        [::core::mem::offset_of!(agora_lastmile_probe_one_way_result, available_bandwidth) - 8usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_lastmile_probe_result {
    pub state: i32,
    pub uplink_report: agora_lastmile_probe_one_way_result,
    pub downlink_report: agora_lastmile_probe_one_way_result,
    pub rtt: u32,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_lastmile_probe_result"][::core::mem::size_of::<agora_lastmile_probe_result>() - 32usize];
    ["Alignment of agora_lastmile_probe_result"][::core::mem::align_of::<agora_lastmile_probe_result>() - 4usize];
    ["Offset of field: agora_lastmile_probe_result::state"]
        [::core::mem::offset_of!(agora_lastmile_probe_result, state) - 0usize];
    ["Offset of field: agora_lastmile_probe_result::uplink_report"]
        [::core::mem::offset_of!(agora_lastmile_probe_result, uplink_report) - 4usize];
    ["Offset of field: agora_lastmile_probe_result::downlink_report"]
        [::core::mem::offset_of!(agora_lastmile_probe_result, downlink_report) - 16usize];
    ["Offset of field: agora_lastmile_probe_result::rtt"]
        [::core::mem::offset_of!(agora_lastmile_probe_result, rtt) - 28usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_rtc_conn_observer {
    pub on_connected:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, info: *const agora_rtc_conn_info, reason: i32)>,
    pub on_disconnected:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, info: *const agora_rtc_conn_info, reason: i32)>,
    pub on_connecting:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, info: *const agora_rtc_conn_info, reason: i32)>,
    pub on_reconnecting:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, info: *const agora_rtc_conn_info, reason: i32)>,
    pub on_reconnected:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, info: *const agora_rtc_conn_info, reason: i32)>,
    pub on_connection_lost:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, info: *const agora_rtc_conn_info)>,
    pub on_lastmile_quality: ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, quality: i32)>,
    pub on_lastmile_probe_result:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, result: *const agora_lastmile_probe_result)>,
    pub on_token_privilege_will_expire:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, token: *const ::core::ffi::c_char)>,
    pub on_token_privilege_did_expire: ::core::option::Option<unsafe extern "C" fn(conn: agora_handle)>,
    pub on_connection_license_validation_failure:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, reason: i32)>,
    pub on_connection_failure:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, info: *const agora_rtc_conn_info, reason: i32)>,
    pub on_user_joined:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, user_id: *const ::core::ffi::c_char)>,
    pub on_user_left: ::core::option::Option<
        unsafe extern "C" fn(conn: agora_handle, user_id: *const ::core::ffi::c_char, reason: i32),
    >,
    pub on_transport_stats:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, stats: *const agora_rtc_stats)>,
    pub on_change_role_success:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, old_role: i32, new_role: i32)>,
    pub on_change_role_failure:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, reason: i32, current_role: i32)>,
    pub on_user_network_quality: ::core::option::Option<
        unsafe extern "C" fn(conn: agora_handle, user_id: *const ::core::ffi::c_char, tx_quality: i32, rx_quality: i32),
    >,
    pub on_network_type_changed: ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, type_: i32)>,
    pub on_api_call_executed: ::core::option::Option<
        unsafe extern "C" fn(
            conn: agora_handle,
            error: i32,
            api: *const ::core::ffi::c_char,
            result: *const ::core::ffi::c_char,
        ),
    >,
    pub on_content_inspect_result: ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, result: i32)>,
    pub on_snapshot_taken: ::core::option::Option<
        unsafe extern "C" fn(
            conn: agora_handle,
            channel: *const ::core::ffi::c_char,
            uid: u32,
            path: *const ::core::ffi::c_char,
            width: i32,
            height: i32,
            error: i32,
        ),
    >,
    pub on_error: ::core::option::Option<
        unsafe extern "C" fn(conn: agora_handle, error: i32, message: *const ::core::ffi::c_char),
    >,
    pub on_warning: ::core::option::Option<
        unsafe extern "C" fn(conn: agora_handle, warning: i32, message: *const ::core::ffi::c_char),
    >,
    pub on_channel_media_relay_state_changed:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, state: i32, code: i32)>,
    pub on_local_user_registered:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, uid: u32, account: *const ::core::ffi::c_char)>,
    pub on_user_account_updated:
        ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, uid: u32, account: *const ::core::ffi::c_char)>,
    pub on_stream_message_error: ::core::option::Option<
        unsafe extern "C" fn(
            conn: agora_handle,
            user_id: *const ::core::ffi::c_char,
            stream: i32,
            code: i32,
            missed: i32,
            cached: i32,
        ),
    >,
    pub on_encryption_error: ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, type_: i32)>,
    pub on_upload_log_result: ::core::option::Option<
        unsafe extern "C" fn(conn: agora_handle, request: *const ::core::ffi::c_char, success: i32, reason: i32),
    >,
    pub disputed: ::core::option::Option<unsafe extern "C" fn(conn: agora_handle, type_: i32)>,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_rtc_conn_observer"][::core::mem::size_of::<agora_rtc_conn_observer>() - 248usize];
    ["Alignment of agora_rtc_conn_observer"][::core::mem::align_of::<agora_rtc_conn_observer>() - 8usize];
    ["Offset of field: agora_rtc_conn_observer::on_connected"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_connected) - 0usize];
    ["Offset of field: agora_rtc_conn_observer::on_disconnected"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_disconnected) - 8usize];
    ["Offset of field: agora_rtc_conn_observer::on_connecting"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_connecting) - 16usize];
    ["Offset of field: agora_rtc_conn_observer::on_reconnecting"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_reconnecting) - 24usize];
    ["Offset of field: agora_rtc_conn_observer::on_reconnected"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_reconnected) - 32usize];
    ["Offset of field: agora_rtc_conn_observer::on_connection_lost"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_connection_lost) - 40usize];
    ["Offset of field: agora_rtc_conn_observer::on_lastmile_quality"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_lastmile_quality) - 48usize];
    ["Offset of field: agora_rtc_conn_observer::on_lastmile_probe_result"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_lastmile_probe_result) - 56usize];
    ["Offset of field: agora_rtc_conn_observer::on_token_privilege_will_expire"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_token_privilege_will_expire) - 64usize];
    ["Offset of field: agora_rtc_conn_observer::on_token_privilege_did_expire"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_token_privilege_did_expire) - 72usize];
    ["Offset of field: agora_rtc_conn_observer::on_connection_license_validation_failure"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_connection_license_validation_failure) - 80usize];
    ["Offset of field: agora_rtc_conn_observer::on_connection_failure"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_connection_failure) - 88usize];
    ["Offset of field: agora_rtc_conn_observer::on_user_joined"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_user_joined) - 96usize];
    ["Offset of field: agora_rtc_conn_observer::on_user_left"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_user_left) - 104usize];
    ["Offset of field: agora_rtc_conn_observer::on_transport_stats"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_transport_stats) - 112usize];
    ["Offset of field: agora_rtc_conn_observer::on_change_role_success"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_change_role_success) - 120usize];
    ["Offset of field: agora_rtc_conn_observer::on_change_role_failure"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_change_role_failure) - 128usize];
    ["Offset of field: agora_rtc_conn_observer::on_user_network_quality"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_user_network_quality) - 136usize];
    ["Offset of field: agora_rtc_conn_observer::on_network_type_changed"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_network_type_changed) - 144usize];
    ["Offset of field: agora_rtc_conn_observer::on_api_call_executed"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_api_call_executed) - 152usize];
    ["Offset of field: agora_rtc_conn_observer::on_content_inspect_result"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_content_inspect_result) - 160usize];
    ["Offset of field: agora_rtc_conn_observer::on_snapshot_taken"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_snapshot_taken) - 168usize];
    ["Offset of field: agora_rtc_conn_observer::on_error"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_error) - 176usize];
    ["Offset of field: agora_rtc_conn_observer::on_warning"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_warning) - 184usize];
    ["Offset of field: agora_rtc_conn_observer::on_channel_media_relay_state_changed"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_channel_media_relay_state_changed) - 192usize];
    ["Offset of field: agora_rtc_conn_observer::on_local_user_registered"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_local_user_registered) - 200usize];
    ["Offset of field: agora_rtc_conn_observer::on_user_account_updated"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_user_account_updated) - 208usize];
    ["Offset of field: agora_rtc_conn_observer::on_stream_message_error"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_stream_message_error) - 216usize];
    ["Offset of field: agora_rtc_conn_observer::on_encryption_error"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_encryption_error) - 224usize];
    ["Offset of field: agora_rtc_conn_observer::on_upload_log_result"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, on_upload_log_result) - 232usize];
    ["Offset of field: agora_rtc_conn_observer::disputed"]
        [::core::mem::offset_of!(agora_rtc_conn_observer, disputed) - 240usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_local_user_observer {
    pub on_audio_track_publish_success:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, track: agora_handle)>,
    pub on_audio_track_publish_start:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, track: agora_handle)>,
    pub on_audio_track_unpublished:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, track: agora_handle)>,
    pub on_audio_track_publication_failure:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, track: agora_handle, error: i32)>,
    pub on_local_audio_track_state_changed:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, track: agora_handle, state: i32, error: i32)>,
    pub on_local_audio_track_statistics:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, disputed: *mut ::core::ffi::c_void)>,
    pub on_remote_audio_track_statistics: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            disputed: *mut ::core::ffi::c_void,
            disputed_too: *mut ::core::ffi::c_void,
        ),
    >,
    pub on_user_audio_track_subscribed: ::core::option::Option<
        unsafe extern "C" fn(user: agora_handle, user_id: *const ::core::ffi::c_char, track: agora_handle),
    >,
    pub on_user_audio_track_state_changed: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            user_id: *const ::core::ffi::c_char,
            track: agora_handle,
            state: i32,
            reason: i32,
            elapsed: i32,
        ),
    >,
    pub on_audio_subscribe_state_changed: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            channel: *const ::core::ffi::c_char,
            user_id: *const ::core::ffi::c_char,
            old_state: i32,
            new_state: i32,
            elapsed: i32,
        ),
    >,
    pub on_audio_publish_state_changed: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            channel: *const ::core::ffi::c_char,
            old_state: i32,
            new_state: i32,
            elapsed: i32,
        ),
    >,
    pub on_first_remote_audio_frame: ::core::option::Option<
        unsafe extern "C" fn(user: agora_handle, user_id: *const ::core::ffi::c_char, elapsed: i32),
    >,
    pub on_first_remote_audio_decoded: ::core::option::Option<
        unsafe extern "C" fn(user: agora_handle, user_id: *const ::core::ffi::c_char, elapsed: i32),
    >,
    pub on_video_track_publish_success:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, track: agora_handle)>,
    pub on_video_track_publish_start:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, track: agora_handle)>,
    pub on_video_track_unpublished:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, track: agora_handle)>,
    pub on_video_track_publication_failure:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, track: agora_handle, error: i32)>,
    pub on_local_video_track_state_changed:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, track: agora_handle, state: i32, error: i32)>,
    pub on_local_video_track_statistics: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            disputed: *mut ::core::ffi::c_void,
            disputed_too: *mut ::core::ffi::c_void,
        ),
    >,
    pub on_user_video_track_subscribed: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            user_id: *const ::core::ffi::c_char,
            info: *const agora_video_track_info,
            track: agora_handle,
        ),
    >,
    pub on_user_video_track_state_changed: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            user_id: *const ::core::ffi::c_char,
            track: agora_handle,
            state: i32,
            reason: i32,
            elapsed: i32,
        ),
    >,
    pub on_remote_video_track_statistics: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            disputed: *mut ::core::ffi::c_void,
            disputed_too: *mut ::core::ffi::c_void,
        ),
    >,
    pub on_audio_volume_indication: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            speakers: *const agora_audio_volume_info,
            count: u32,
            total_volume: i32,
        ),
    >,
    pub on_active_speaker:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, user_id: *const ::core::ffi::c_char)>,
    pub on_remote_video_stream_info_updated:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, info: *const agora_remote_video_stream_info)>,
    pub on_video_subscribe_state_changed: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            channel: *const ::core::ffi::c_char,
            user_id: *const ::core::ffi::c_char,
            old_state: i32,
            new_state: i32,
            elapsed: i32,
        ),
    >,
    pub on_video_publish_state_changed: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            channel: *const ::core::ffi::c_char,
            old_state: i32,
            new_state: i32,
            elapsed: i32,
        ),
    >,
    pub on_first_remote_video_frame: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            user_id: *const ::core::ffi::c_char,
            width: i32,
            height: i32,
            elapsed: i32,
        ),
    >,
    pub on_first_remote_video_decoded: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            user_id: *const ::core::ffi::c_char,
            width: i32,
            height: i32,
            elapsed: i32,
        ),
    >,
    pub on_first_remote_video_frame_rendered: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            user_id: *const ::core::ffi::c_char,
            width: i32,
            height: i32,
            elapsed: i32,
        ),
    >,
    pub on_video_size_changed: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            user_id: *const ::core::ffi::c_char,
            width: i32,
            height: i32,
            rotation: i32,
        ),
    >,
    pub on_user_info_updated: ::core::option::Option<
        unsafe extern "C" fn(user: agora_handle, user_id: *const ::core::ffi::c_char, message: i32, value: i32),
    >,
    pub on_intra_request_received: ::core::option::Option<unsafe extern "C" fn(user: agora_handle)>,
    pub on_remote_subscribe_fallback_to_audio_only: ::core::option::Option<
        unsafe extern "C" fn(user: agora_handle, user_id: *const ::core::ffi::c_char, fallback: i32),
    >,
    pub on_stream_message: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            user_id: *const ::core::ffi::c_char,
            stream: i32,
            data: *const ::core::ffi::c_char,
            length: usize,
        ),
    >,
    pub on_user_state_changed: ::core::option::Option<
        unsafe extern "C" fn(user: agora_handle, user_id: *const ::core::ffi::c_char, state: u32),
    >,
    pub on_audio_meta_data_received: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            user_id: *const ::core::ffi::c_char,
            data: *const ::core::ffi::c_char,
            length: usize,
        ),
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_local_user_observer"][::core::mem::size_of::<agora_local_user_observer>() - 296usize];
    ["Alignment of agora_local_user_observer"][::core::mem::align_of::<agora_local_user_observer>() - 8usize];
    ["Offset of field: agora_local_user_observer::on_audio_track_publish_success"]
        [::core::mem::offset_of!(agora_local_user_observer, on_audio_track_publish_success) - 0usize];
    ["Offset of field: agora_local_user_observer::on_audio_track_publish_start"]
        [::core::mem::offset_of!(agora_local_user_observer, on_audio_track_publish_start) - 8usize];
    ["Offset of field: agora_local_user_observer::on_audio_track_unpublished"]
        [::core::mem::offset_of!(agora_local_user_observer, on_audio_track_unpublished) - 16usize];
    ["Offset of field: agora_local_user_observer::on_audio_track_publication_failure"]
        [::core::mem::offset_of!(agora_local_user_observer, on_audio_track_publication_failure) - 24usize];
    ["Offset of field: agora_local_user_observer::on_local_audio_track_state_changed"]
        [::core::mem::offset_of!(agora_local_user_observer, on_local_audio_track_state_changed) - 32usize];
    ["Offset of field: agora_local_user_observer::on_local_audio_track_statistics"]
        [::core::mem::offset_of!(agora_local_user_observer, on_local_audio_track_statistics) - 40usize];
    ["Offset of field: agora_local_user_observer::on_remote_audio_track_statistics"]
        [::core::mem::offset_of!(agora_local_user_observer, on_remote_audio_track_statistics) - 48usize];
    ["Offset of field: agora_local_user_observer::on_user_audio_track_subscribed"]
        [::core::mem::offset_of!(agora_local_user_observer, on_user_audio_track_subscribed) - 56usize];
    ["Offset of field: agora_local_user_observer::on_user_audio_track_state_changed"]
        [::core::mem::offset_of!(agora_local_user_observer, on_user_audio_track_state_changed) - 64usize];
    ["Offset of field: agora_local_user_observer::on_audio_subscribe_state_changed"]
        [::core::mem::offset_of!(agora_local_user_observer, on_audio_subscribe_state_changed) - 72usize];
    ["Offset of field: agora_local_user_observer::on_audio_publish_state_changed"]
        [::core::mem::offset_of!(agora_local_user_observer, on_audio_publish_state_changed) - 80usize];
    ["Offset of field: agora_local_user_observer::on_first_remote_audio_frame"]
        [::core::mem::offset_of!(agora_local_user_observer, on_first_remote_audio_frame) - 88usize];
    ["Offset of field: agora_local_user_observer::on_first_remote_audio_decoded"]
        [::core::mem::offset_of!(agora_local_user_observer, on_first_remote_audio_decoded) - 96usize];
    ["Offset of field: agora_local_user_observer::on_video_track_publish_success"]
        [::core::mem::offset_of!(agora_local_user_observer, on_video_track_publish_success) - 104usize];
    ["Offset of field: agora_local_user_observer::on_video_track_publish_start"]
        [::core::mem::offset_of!(agora_local_user_observer, on_video_track_publish_start) - 112usize];
    ["Offset of field: agora_local_user_observer::on_video_track_unpublished"]
        [::core::mem::offset_of!(agora_local_user_observer, on_video_track_unpublished) - 120usize];
    ["Offset of field: agora_local_user_observer::on_video_track_publication_failure"]
        [::core::mem::offset_of!(agora_local_user_observer, on_video_track_publication_failure) - 128usize];
    ["Offset of field: agora_local_user_observer::on_local_video_track_state_changed"]
        [::core::mem::offset_of!(agora_local_user_observer, on_local_video_track_state_changed) - 136usize];
    ["Offset of field: agora_local_user_observer::on_local_video_track_statistics"]
        [::core::mem::offset_of!(agora_local_user_observer, on_local_video_track_statistics) - 144usize];
    ["Offset of field: agora_local_user_observer::on_user_video_track_subscribed"]
        [::core::mem::offset_of!(agora_local_user_observer, on_user_video_track_subscribed) - 152usize];
    ["Offset of field: agora_local_user_observer::on_user_video_track_state_changed"]
        [::core::mem::offset_of!(agora_local_user_observer, on_user_video_track_state_changed) - 160usize];
    ["Offset of field: agora_local_user_observer::on_remote_video_track_statistics"]
        [::core::mem::offset_of!(agora_local_user_observer, on_remote_video_track_statistics) - 168usize];
    ["Offset of field: agora_local_user_observer::on_audio_volume_indication"]
        [::core::mem::offset_of!(agora_local_user_observer, on_audio_volume_indication) - 176usize];
    ["Offset of field: agora_local_user_observer::on_active_speaker"]
        [::core::mem::offset_of!(agora_local_user_observer, on_active_speaker) - 184usize];
    ["Offset of field: agora_local_user_observer::on_remote_video_stream_info_updated"]
        [::core::mem::offset_of!(agora_local_user_observer, on_remote_video_stream_info_updated) - 192usize];
    ["Offset of field: agora_local_user_observer::on_video_subscribe_state_changed"]
        [::core::mem::offset_of!(agora_local_user_observer, on_video_subscribe_state_changed) - 200usize];
    ["Offset of field: agora_local_user_observer::on_video_publish_state_changed"]
        [::core::mem::offset_of!(agora_local_user_observer, on_video_publish_state_changed) - 208usize];
    ["Offset of field: agora_local_user_observer::on_first_remote_video_frame"]
        [::core::mem::offset_of!(agora_local_user_observer, on_first_remote_video_frame) - 216usize];
    ["Offset of field: agora_local_user_observer::on_first_remote_video_decoded"]
        [::core::mem::offset_of!(agora_local_user_observer, on_first_remote_video_decoded) - 224usize];
    ["Offset of field: agora_local_user_observer::on_first_remote_video_frame_rendered"]
        [::core::mem::offset_of!(agora_local_user_observer, on_first_remote_video_frame_rendered) - 232usize];
    ["Offset of field: agora_local_user_observer::on_video_size_changed"]
        [::core::mem::offset_of!(agora_local_user_observer, on_video_size_changed) - 240usize];
    ["Offset of field: agora_local_user_observer::on_user_info_updated"]
        [::core::mem::offset_of!(agora_local_user_observer, on_user_info_updated) - 248usize];
    ["Offset of field: agora_local_user_observer::on_intra_request_received"]
        [::core::mem::offset_of!(agora_local_user_observer, on_intra_request_received) - 256usize];
    ["Offset of field: agora_local_user_observer::on_remote_subscribe_fallback_to_audio_only"]
        [::core::mem::offset_of!(agora_local_user_observer, on_remote_subscribe_fallback_to_audio_only) - 264usize];
    ["Offset of field: agora_local_user_observer::on_stream_message"]
        [::core::mem::offset_of!(agora_local_user_observer, on_stream_message) - 272usize];
    ["Offset of field: agora_local_user_observer::on_user_state_changed"]
        [::core::mem::offset_of!(agora_local_user_observer, on_user_state_changed) - 280usize];
    ["Offset of field: agora_local_user_observer::on_audio_meta_data_received"]
        [::core::mem::offset_of!(agora_local_user_observer, on_audio_meta_data_received) - 288usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_audio_frame_observer {
    pub on_record_audio_frame: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            channel: *const ::core::ffi::c_char,
            frame: *const agora_audio_frame,
        ) -> i32,
    >,
    pub on_playback_audio_frame: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            channel: *const ::core::ffi::c_char,
            frame: *const agora_audio_frame,
        ) -> i32,
    >,
    pub on_mixed_audio_frame: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            channel: *const ::core::ffi::c_char,
            frame: *const agora_audio_frame,
        ) -> i32,
    >,
    pub on_ear_monitoring_audio_frame:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle, frame: *const agora_audio_frame) -> i32>,
    pub on_playback_audio_frame_before_mixing: ::core::option::Option<
        unsafe extern "C" fn(
            user: agora_handle,
            channel: *const ::core::ffi::c_char,
            user_id: *const ::core::ffi::c_char,
            frame: *const agora_audio_frame,
        ) -> i32,
    >,
    pub on_get_audio_frame_position: ::core::option::Option<unsafe extern "C" fn(user: agora_handle) -> i32>,
    pub on_get_playback_audio_frame_param:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle) -> agora_audio_params>,
    pub on_get_record_audio_frame_param:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle) -> agora_audio_params>,
    pub on_get_mixed_audio_frame_param:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle) -> agora_audio_params>,
    pub on_get_ear_monitoring_audio_frame_param:
        ::core::option::Option<unsafe extern "C" fn(user: agora_handle) -> agora_audio_params>,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_audio_frame_observer"][::core::mem::size_of::<agora_audio_frame_observer>() - 80usize];
    ["Alignment of agora_audio_frame_observer"][::core::mem::align_of::<agora_audio_frame_observer>() - 8usize];
    ["Offset of field: agora_audio_frame_observer::on_record_audio_frame"]
        [::core::mem::offset_of!(agora_audio_frame_observer, on_record_audio_frame) - 0usize];
    ["Offset of field: agora_audio_frame_observer::on_playback_audio_frame"]
        [::core::mem::offset_of!(agora_audio_frame_observer, on_playback_audio_frame) - 8usize];
    ["Offset of field: agora_audio_frame_observer::on_mixed_audio_frame"]
        [::core::mem::offset_of!(agora_audio_frame_observer, on_mixed_audio_frame) - 16usize];
    ["Offset of field: agora_audio_frame_observer::on_ear_monitoring_audio_frame"]
        [::core::mem::offset_of!(agora_audio_frame_observer, on_ear_monitoring_audio_frame) - 24usize];
    ["Offset of field: agora_audio_frame_observer::on_playback_audio_frame_before_mixing"]
        [::core::mem::offset_of!(agora_audio_frame_observer, on_playback_audio_frame_before_mixing) - 32usize];
    ["Offset of field: agora_audio_frame_observer::on_get_audio_frame_position"]
        [::core::mem::offset_of!(agora_audio_frame_observer, on_get_audio_frame_position) - 40usize];
    ["Offset of field: agora_audio_frame_observer::on_get_playback_audio_frame_param"]
        [::core::mem::offset_of!(agora_audio_frame_observer, on_get_playback_audio_frame_param) - 48usize];
    ["Offset of field: agora_audio_frame_observer::on_get_record_audio_frame_param"]
        [::core::mem::offset_of!(agora_audio_frame_observer, on_get_record_audio_frame_param) - 56usize];
    ["Offset of field: agora_audio_frame_observer::on_get_mixed_audio_frame_param"]
        [::core::mem::offset_of!(agora_audio_frame_observer, on_get_mixed_audio_frame_param) - 64usize];
    ["Offset of field: agora_audio_frame_observer::on_get_ear_monitoring_audio_frame_param"]
        [::core::mem::offset_of!(agora_audio_frame_observer, on_get_ear_monitoring_audio_frame_param) - 72usize];
};
#[repr(C)]
#[derive(Debug, Default, Copy, Clone)]
pub struct agora_video_frame_observer2 {
    pub on_frame: ::core::option::Option<
        unsafe extern "C" fn(
            observer: agora_handle,
            channel: *const ::core::ffi::c_char,
            user_id: *const ::core::ffi::c_char,
            frame: *const agora_video_frame,
        ),
    >,
}
#[allow(clippy::unnecessary_operation, clippy::identity_op)]
const _: () = {
    ["Size of agora_video_frame_observer2"][::core::mem::size_of::<agora_video_frame_observer2>() - 8usize];
    ["Alignment of agora_video_frame_observer2"][::core::mem::align_of::<agora_video_frame_observer2>() - 8usize];
    ["Offset of field: agora_video_frame_observer2::on_frame"]
        [::core::mem::offset_of!(agora_video_frame_observer2, on_frame) - 0usize];
};
pub struct Gateway {
    __library: ::libloading::Library,
    pub getAgoraSdkVersion:
        Result<unsafe extern "C" fn(build: *mut i32) -> *const ::core::ffi::c_char, ::libloading::Error>,
    pub getAgoraSdkErrorDescription:
        Result<unsafe extern "C" fn(error: i32) -> *const ::core::ffi::c_char, ::libloading::Error>,
    pub agora_service_create: Result<unsafe extern "C" fn() -> agora_handle, ::libloading::Error>,
    pub agora_service_initialize: Result<
        unsafe extern "C" fn(service: agora_handle, config: *const agora_service_config) -> i32,
        ::libloading::Error,
    >,
    pub agora_service_release: Result<unsafe extern "C" fn(service: agora_handle) -> i32, ::libloading::Error>,
    pub agora_service_set_log_file: Result<
        unsafe extern "C" fn(service: agora_handle, path: *const ::core::ffi::c_char, size: u32) -> i32,
        ::libloading::Error,
    >,
    pub agora_service_set_log_filter:
        Result<unsafe extern "C" fn(service: agora_handle, filter: u32) -> i32, ::libloading::Error>,
    pub agora_service_get_agora_parameter:
        Result<unsafe extern "C" fn(service: agora_handle) -> agora_handle, ::libloading::Error>,
    pub agora_parameter_set_parameters: Result<
        unsafe extern "C" fn(parameter: agora_handle, json: *const ::core::ffi::c_char) -> i32,
        ::libloading::Error,
    >,
    pub agora_service_create_media_node_factory:
        Result<unsafe extern "C" fn(service: agora_handle) -> agora_handle, ::libloading::Error>,
    pub agora_service_create_custom_video_track_frame:
        Result<unsafe extern "C" fn(service: agora_handle, sender: agora_handle) -> agora_handle, ::libloading::Error>,
    pub agora_service_create_custom_audio_track_pcm:
        Result<unsafe extern "C" fn(service: agora_handle, sender: agora_handle) -> agora_handle, ::libloading::Error>,
    pub agora_rtc_conn_create: Result<
        unsafe extern "C" fn(service: agora_handle, config: *const agora_rtc_conn_config) -> agora_handle,
        ::libloading::Error,
    >,
    pub agora_rtc_conn_destroy: Result<unsafe extern "C" fn(conn: agora_handle), ::libloading::Error>,
    pub agora_rtc_conn_register_observer: Result<
        unsafe extern "C" fn(conn: agora_handle, observer: *const agora_rtc_conn_observer) -> i32,
        ::libloading::Error,
    >,
    pub agora_rtc_conn_unregister_observer:
        Result<unsafe extern "C" fn(conn: agora_handle) -> i32, ::libloading::Error>,
    pub agora_rtc_conn_connect: Result<
        unsafe extern "C" fn(
            conn: agora_handle,
            token: *const ::core::ffi::c_char,
            channel: *const ::core::ffi::c_char,
            user_id: *const ::core::ffi::c_char,
        ) -> i32,
        ::libloading::Error,
    >,
    pub agora_rtc_conn_disconnect: Result<unsafe extern "C" fn(conn: agora_handle) -> i32, ::libloading::Error>,
    pub agora_rtc_conn_renew_token:
        Result<unsafe extern "C" fn(conn: agora_handle, token: *const ::core::ffi::c_char) -> i32, ::libloading::Error>,
    pub agora_rtc_conn_enable_encryption: Result<
        unsafe extern "C" fn(conn: agora_handle, enable: i32, config: *const agora_encryption_config) -> i32,
        ::libloading::Error,
    >,
    pub agora_rtc_conn_create_data_stream: Result<
        unsafe extern "C" fn(conn: agora_handle, stream: *mut i32, reliable: i32, ordered: i32) -> i32,
        ::libloading::Error,
    >,
    pub agora_rtc_conn_send_stream_message: Result<
        unsafe extern "C" fn(conn: agora_handle, stream: i32, data: *const ::core::ffi::c_char, length: u32) -> i32,
        ::libloading::Error,
    >,
    pub agora_rtc_conn_get_local_user:
        Result<unsafe extern "C" fn(conn: agora_handle) -> agora_handle, ::libloading::Error>,
    pub agora_local_user_register_observer: Result<
        unsafe extern "C" fn(user: agora_handle, observer: *const agora_local_user_observer) -> i32,
        ::libloading::Error,
    >,
    pub agora_local_user_unregister_observer:
        Result<unsafe extern "C" fn(user: agora_handle) -> i32, ::libloading::Error>,
    pub agora_local_user_register_audio_frame_observer: Result<
        unsafe extern "C" fn(user: agora_handle, observer: *const agora_audio_frame_observer) -> i32,
        ::libloading::Error,
    >,
    pub agora_local_user_unregister_audio_frame_observer:
        Result<unsafe extern "C" fn(user: agora_handle) -> i32, ::libloading::Error>,
    pub agora_local_user_register_video_frame_observer:
        Result<unsafe extern "C" fn(user: agora_handle, observer: agora_handle) -> i32, ::libloading::Error>,
    pub agora_local_user_unregister_video_frame_observer:
        Result<unsafe extern "C" fn(user: agora_handle, observer: agora_handle) -> i32, ::libloading::Error>,
    pub agora_local_user_set_audio_scenario:
        Result<unsafe extern "C" fn(user: agora_handle, scenario: i32) -> i32, ::libloading::Error>,
    pub agora_local_user_set_audio_encoder_config: Result<
        unsafe extern "C" fn(user: agora_handle, config: *const agora_audio_encoder_config) -> i32,
        ::libloading::Error,
    >,
    pub agora_local_user_set_playback_audio_frame_before_mixing_parameters: Result<
        unsafe extern "C" fn(user: agora_handle, channels: i32, samples_per_sec: i32) -> i32,
        ::libloading::Error,
    >,
    pub agora_local_user_set_audio_volume_indication_parameters: Result<
        unsafe extern "C" fn(user: agora_handle, interval_ms: i32, smooth: i32, report_vad: i32) -> i32,
        ::libloading::Error,
    >,
    pub agora_local_user_publish_audio:
        Result<unsafe extern "C" fn(user: agora_handle, track: agora_handle) -> i32, ::libloading::Error>,
    pub agora_local_user_unpublish_audio:
        Result<unsafe extern "C" fn(user: agora_handle, track: agora_handle) -> i32, ::libloading::Error>,
    pub agora_local_user_publish_video:
        Result<unsafe extern "C" fn(user: agora_handle, track: agora_handle) -> i32, ::libloading::Error>,
    pub agora_local_user_unpublish_video:
        Result<unsafe extern "C" fn(user: agora_handle, track: agora_handle) -> i32, ::libloading::Error>,
    pub agora_local_user_subscribe_audio: Result<
        unsafe extern "C" fn(user: agora_handle, user_id: *const ::core::ffi::c_char) -> i32,
        ::libloading::Error,
    >,
    pub agora_local_user_unsubscribe_audio: Result<
        unsafe extern "C" fn(user: agora_handle, user_id: *const ::core::ffi::c_char) -> i32,
        ::libloading::Error,
    >,
    pub agora_local_user_subscribe_video: Result<
        unsafe extern "C" fn(
            user: agora_handle,
            user_id: *const ::core::ffi::c_char,
            options: *const agora_video_subscription_options,
        ) -> i32,
        ::libloading::Error,
    >,
    pub agora_local_user_unsubscribe_video: Result<
        unsafe extern "C" fn(user: agora_handle, user_id: *const ::core::ffi::c_char) -> i32,
        ::libloading::Error,
    >,
    pub agora_local_user_send_intra_request: Result<
        unsafe extern "C" fn(user: agora_handle, user_id: *const ::core::ffi::c_char) -> i32,
        ::libloading::Error,
    >,
    pub agora_video_frame_observer2_create:
        Result<unsafe extern "C" fn(observer: *const agora_video_frame_observer2) -> agora_handle, ::libloading::Error>,
    pub agora_video_frame_observer2_destroy:
        Result<unsafe extern "C" fn(observer: agora_handle) -> i32, ::libloading::Error>,
    pub agora_media_node_factory_destroy: Result<unsafe extern "C" fn(factory: agora_handle), ::libloading::Error>,
    pub agora_media_node_factory_create_video_frame_sender:
        Result<unsafe extern "C" fn(factory: agora_handle) -> agora_handle, ::libloading::Error>,
    pub agora_media_node_factory_create_audio_pcm_data_sender:
        Result<unsafe extern "C" fn(factory: agora_handle) -> agora_handle, ::libloading::Error>,
    pub agora_video_frame_sender_send: Result<
        unsafe extern "C" fn(sender: agora_handle, frame: *const agora_external_video_frame) -> i32,
        ::libloading::Error,
    >,
    pub agora_video_frame_sender_destroy: Result<unsafe extern "C" fn(sender: agora_handle), ::libloading::Error>,
    pub agora_audio_pcm_data_sender_send: Result<
        unsafe extern "C" fn(
            sender: agora_handle,
            samples: *const ::core::ffi::c_void,
            capture_ms: u32,
            presentation_ms: i64,
            samples_per_channel: u32,
            bytes_per_sample: u32,
            channels: u32,
            samples_per_sec: u32,
        ) -> i32,
        ::libloading::Error,
    >,
    pub agora_audio_pcm_data_sender_destroy: Result<unsafe extern "C" fn(sender: agora_handle), ::libloading::Error>,
    pub agora_local_video_track_set_video_encoder_config: Result<
        unsafe extern "C" fn(track: agora_handle, config: *const agora_video_encoder_config) -> i32,
        ::libloading::Error,
    >,
    pub agora_local_video_track_set_enabled:
        Result<unsafe extern "C" fn(track: agora_handle, enabled: i32) -> i32, ::libloading::Error>,
    pub agora_local_video_track_destroy: Result<unsafe extern "C" fn(track: agora_handle), ::libloading::Error>,
    pub agora_local_audio_track_set_enabled:
        Result<unsafe extern "C" fn(track: agora_handle, enabled: i32) -> i32, ::libloading::Error>,
    pub agora_local_audio_track_set_send_delay_ms:
        Result<unsafe extern "C" fn(track: agora_handle, delay_ms: i32), ::libloading::Error>,
    pub agora_local_audio_track_set_max_bufferd_frame_number:
        Result<unsafe extern "C" fn(track: agora_handle, frames: i32), ::libloading::Error>,
    pub agora_local_audio_track_clear_sender_buffer:
        Result<unsafe extern "C" fn(track: agora_handle) -> i32, ::libloading::Error>,
    pub agora_local_audio_track_destroy: Result<unsafe extern "C" fn(track: agora_handle), ::libloading::Error>,
    pub agora_remote_video_track_get_statistics:
        Result<unsafe extern "C" fn(track: agora_handle) -> *mut agora_remote_video_track_stats, ::libloading::Error>,
    pub agora_remote_video_track_destroy_statistics: Result<
        unsafe extern "C" fn(track: agora_handle, stats: *mut agora_remote_video_track_stats),
        ::libloading::Error,
    >,
    pub agora_audio_sink_create:
        Result<unsafe extern "C" fn(observer: *mut ::core::ffi::c_void) -> agora_handle, ::libloading::Error>,
    pub agora_local_audio_track_set_total_extra_send_ms:
        Result<unsafe extern "C" fn(track: agora_handle, milliseconds: u64) -> i32, ::libloading::Error>,
}
impl Gateway {
    pub unsafe fn new<P>(path: P) -> Result<Self, ::libloading::Error>
    where
        P: AsRef<::std::ffi::OsStr>,
    {
        let path = path.as_ref();
        let library = unsafe { ::libloading::Library::new(path) }?;
        unsafe { Self::from_library(library) }
    }
    pub unsafe fn from_library<L>(library: L) -> Result<Self, ::libloading::Error>
    where
        L: Into<::libloading::Library>,
    {
        let __library = library.into();
        let getAgoraSdkVersion = unsafe { __library.get(b"getAgoraSdkVersion\0") }.map(|sym| *sym);
        let getAgoraSdkErrorDescription = unsafe { __library.get(b"getAgoraSdkErrorDescription\0") }.map(|sym| *sym);
        let agora_service_create = unsafe { __library.get(b"agora_service_create\0") }.map(|sym| *sym);
        let agora_service_initialize = unsafe { __library.get(b"agora_service_initialize\0") }.map(|sym| *sym);
        let agora_service_release = unsafe { __library.get(b"agora_service_release\0") }.map(|sym| *sym);
        let agora_service_set_log_file = unsafe { __library.get(b"agora_service_set_log_file\0") }.map(|sym| *sym);
        let agora_service_set_log_filter = unsafe { __library.get(b"agora_service_set_log_filter\0") }.map(|sym| *sym);
        let agora_service_get_agora_parameter =
            unsafe { __library.get(b"agora_service_get_agora_parameter\0") }.map(|sym| *sym);
        let agora_parameter_set_parameters =
            unsafe { __library.get(b"agora_parameter_set_parameters\0") }.map(|sym| *sym);
        let agora_service_create_media_node_factory =
            unsafe { __library.get(b"agora_service_create_media_node_factory\0") }.map(|sym| *sym);
        let agora_service_create_custom_video_track_frame =
            unsafe { __library.get(b"agora_service_create_custom_video_track_frame\0") }.map(|sym| *sym);
        let agora_service_create_custom_audio_track_pcm =
            unsafe { __library.get(b"agora_service_create_custom_audio_track_pcm\0") }.map(|sym| *sym);
        let agora_rtc_conn_create = unsafe { __library.get(b"agora_rtc_conn_create\0") }.map(|sym| *sym);
        let agora_rtc_conn_destroy = unsafe { __library.get(b"agora_rtc_conn_destroy\0") }.map(|sym| *sym);
        let agora_rtc_conn_register_observer =
            unsafe { __library.get(b"agora_rtc_conn_register_observer\0") }.map(|sym| *sym);
        let agora_rtc_conn_unregister_observer =
            unsafe { __library.get(b"agora_rtc_conn_unregister_observer\0") }.map(|sym| *sym);
        let agora_rtc_conn_connect = unsafe { __library.get(b"agora_rtc_conn_connect\0") }.map(|sym| *sym);
        let agora_rtc_conn_disconnect = unsafe { __library.get(b"agora_rtc_conn_disconnect\0") }.map(|sym| *sym);
        let agora_rtc_conn_renew_token = unsafe { __library.get(b"agora_rtc_conn_renew_token\0") }.map(|sym| *sym);
        let agora_rtc_conn_enable_encryption =
            unsafe { __library.get(b"agora_rtc_conn_enable_encryption\0") }.map(|sym| *sym);
        let agora_rtc_conn_create_data_stream =
            unsafe { __library.get(b"agora_rtc_conn_create_data_stream\0") }.map(|sym| *sym);
        let agora_rtc_conn_send_stream_message =
            unsafe { __library.get(b"agora_rtc_conn_send_stream_message\0") }.map(|sym| *sym);
        let agora_rtc_conn_get_local_user =
            unsafe { __library.get(b"agora_rtc_conn_get_local_user\0") }.map(|sym| *sym);
        let agora_local_user_register_observer =
            unsafe { __library.get(b"agora_local_user_register_observer\0") }.map(|sym| *sym);
        let agora_local_user_unregister_observer =
            unsafe { __library.get(b"agora_local_user_unregister_observer\0") }.map(|sym| *sym);
        let agora_local_user_register_audio_frame_observer =
            unsafe { __library.get(b"agora_local_user_register_audio_frame_observer\0") }.map(|sym| *sym);
        let agora_local_user_unregister_audio_frame_observer =
            unsafe { __library.get(b"agora_local_user_unregister_audio_frame_observer\0") }.map(|sym| *sym);
        let agora_local_user_register_video_frame_observer =
            unsafe { __library.get(b"agora_local_user_register_video_frame_observer\0") }.map(|sym| *sym);
        let agora_local_user_unregister_video_frame_observer =
            unsafe { __library.get(b"agora_local_user_unregister_video_frame_observer\0") }.map(|sym| *sym);
        let agora_local_user_set_audio_scenario =
            unsafe { __library.get(b"agora_local_user_set_audio_scenario\0") }.map(|sym| *sym);
        let agora_local_user_set_audio_encoder_config =
            unsafe { __library.get(b"agora_local_user_set_audio_encoder_config\0") }.map(|sym| *sym);
        let agora_local_user_set_playback_audio_frame_before_mixing_parameters =
            unsafe { __library.get(b"agora_local_user_set_playback_audio_frame_before_mixing_parameters\0") }
                .map(|sym| *sym);
        let agora_local_user_set_audio_volume_indication_parameters =
            unsafe { __library.get(b"agora_local_user_set_audio_volume_indication_parameters\0") }.map(|sym| *sym);
        let agora_local_user_publish_audio =
            unsafe { __library.get(b"agora_local_user_publish_audio\0") }.map(|sym| *sym);
        let agora_local_user_unpublish_audio =
            unsafe { __library.get(b"agora_local_user_unpublish_audio\0") }.map(|sym| *sym);
        let agora_local_user_publish_video =
            unsafe { __library.get(b"agora_local_user_publish_video\0") }.map(|sym| *sym);
        let agora_local_user_unpublish_video =
            unsafe { __library.get(b"agora_local_user_unpublish_video\0") }.map(|sym| *sym);
        let agora_local_user_subscribe_audio =
            unsafe { __library.get(b"agora_local_user_subscribe_audio\0") }.map(|sym| *sym);
        let agora_local_user_unsubscribe_audio =
            unsafe { __library.get(b"agora_local_user_unsubscribe_audio\0") }.map(|sym| *sym);
        let agora_local_user_subscribe_video =
            unsafe { __library.get(b"agora_local_user_subscribe_video\0") }.map(|sym| *sym);
        let agora_local_user_unsubscribe_video =
            unsafe { __library.get(b"agora_local_user_unsubscribe_video\0") }.map(|sym| *sym);
        let agora_local_user_send_intra_request =
            unsafe { __library.get(b"agora_local_user_send_intra_request\0") }.map(|sym| *sym);
        let agora_video_frame_observer2_create =
            unsafe { __library.get(b"agora_video_frame_observer2_create\0") }.map(|sym| *sym);
        let agora_video_frame_observer2_destroy =
            unsafe { __library.get(b"agora_video_frame_observer2_destroy\0") }.map(|sym| *sym);
        let agora_media_node_factory_destroy =
            unsafe { __library.get(b"agora_media_node_factory_destroy\0") }.map(|sym| *sym);
        let agora_media_node_factory_create_video_frame_sender =
            unsafe { __library.get(b"agora_media_node_factory_create_video_frame_sender\0") }.map(|sym| *sym);
        let agora_media_node_factory_create_audio_pcm_data_sender =
            unsafe { __library.get(b"agora_media_node_factory_create_audio_pcm_data_sender\0") }.map(|sym| *sym);
        let agora_video_frame_sender_send =
            unsafe { __library.get(b"agora_video_frame_sender_send\0") }.map(|sym| *sym);
        let agora_video_frame_sender_destroy =
            unsafe { __library.get(b"agora_video_frame_sender_destroy\0") }.map(|sym| *sym);
        let agora_audio_pcm_data_sender_send =
            unsafe { __library.get(b"agora_audio_pcm_data_sender_send\0") }.map(|sym| *sym);
        let agora_audio_pcm_data_sender_destroy =
            unsafe { __library.get(b"agora_audio_pcm_data_sender_destroy\0") }.map(|sym| *sym);
        let agora_local_video_track_set_video_encoder_config =
            unsafe { __library.get(b"agora_local_video_track_set_video_encoder_config\0") }.map(|sym| *sym);
        let agora_local_video_track_set_enabled =
            unsafe { __library.get(b"agora_local_video_track_set_enabled\0") }.map(|sym| *sym);
        let agora_local_video_track_destroy =
            unsafe { __library.get(b"agora_local_video_track_destroy\0") }.map(|sym| *sym);
        let agora_local_audio_track_set_enabled =
            unsafe { __library.get(b"agora_local_audio_track_set_enabled\0") }.map(|sym| *sym);
        let agora_local_audio_track_set_send_delay_ms =
            unsafe { __library.get(b"agora_local_audio_track_set_send_delay_ms\0") }.map(|sym| *sym);
        let agora_local_audio_track_set_max_bufferd_frame_number =
            unsafe { __library.get(b"agora_local_audio_track_set_max_bufferd_frame_number\0") }.map(|sym| *sym);
        let agora_local_audio_track_clear_sender_buffer =
            unsafe { __library.get(b"agora_local_audio_track_clear_sender_buffer\0") }.map(|sym| *sym);
        let agora_local_audio_track_destroy =
            unsafe { __library.get(b"agora_local_audio_track_destroy\0") }.map(|sym| *sym);
        let agora_remote_video_track_get_statistics =
            unsafe { __library.get(b"agora_remote_video_track_get_statistics\0") }.map(|sym| *sym);
        let agora_remote_video_track_destroy_statistics =
            unsafe { __library.get(b"agora_remote_video_track_destroy_statistics\0") }.map(|sym| *sym);
        let agora_audio_sink_create = unsafe { __library.get(b"agora_audio_sink_create\0") }.map(|sym| *sym);
        let agora_local_audio_track_set_total_extra_send_ms =
            unsafe { __library.get(b"agora_local_audio_track_set_total_extra_send_ms\0") }.map(|sym| *sym);
        Ok(Gateway {
            __library,
            getAgoraSdkVersion,
            getAgoraSdkErrorDescription,
            agora_service_create,
            agora_service_initialize,
            agora_service_release,
            agora_service_set_log_file,
            agora_service_set_log_filter,
            agora_service_get_agora_parameter,
            agora_parameter_set_parameters,
            agora_service_create_media_node_factory,
            agora_service_create_custom_video_track_frame,
            agora_service_create_custom_audio_track_pcm,
            agora_rtc_conn_create,
            agora_rtc_conn_destroy,
            agora_rtc_conn_register_observer,
            agora_rtc_conn_unregister_observer,
            agora_rtc_conn_connect,
            agora_rtc_conn_disconnect,
            agora_rtc_conn_renew_token,
            agora_rtc_conn_enable_encryption,
            agora_rtc_conn_create_data_stream,
            agora_rtc_conn_send_stream_message,
            agora_rtc_conn_get_local_user,
            agora_local_user_register_observer,
            agora_local_user_unregister_observer,
            agora_local_user_register_audio_frame_observer,
            agora_local_user_unregister_audio_frame_observer,
            agora_local_user_register_video_frame_observer,
            agora_local_user_unregister_video_frame_observer,
            agora_local_user_set_audio_scenario,
            agora_local_user_set_audio_encoder_config,
            agora_local_user_set_playback_audio_frame_before_mixing_parameters,
            agora_local_user_set_audio_volume_indication_parameters,
            agora_local_user_publish_audio,
            agora_local_user_unpublish_audio,
            agora_local_user_publish_video,
            agora_local_user_unpublish_video,
            agora_local_user_subscribe_audio,
            agora_local_user_unsubscribe_audio,
            agora_local_user_subscribe_video,
            agora_local_user_unsubscribe_video,
            agora_local_user_send_intra_request,
            agora_video_frame_observer2_create,
            agora_video_frame_observer2_destroy,
            agora_media_node_factory_destroy,
            agora_media_node_factory_create_video_frame_sender,
            agora_media_node_factory_create_audio_pcm_data_sender,
            agora_video_frame_sender_send,
            agora_video_frame_sender_destroy,
            agora_audio_pcm_data_sender_send,
            agora_audio_pcm_data_sender_destroy,
            agora_local_video_track_set_video_encoder_config,
            agora_local_video_track_set_enabled,
            agora_local_video_track_destroy,
            agora_local_audio_track_set_enabled,
            agora_local_audio_track_set_send_delay_ms,
            agora_local_audio_track_set_max_bufferd_frame_number,
            agora_local_audio_track_clear_sender_buffer,
            agora_local_audio_track_destroy,
            agora_remote_video_track_get_statistics,
            agora_remote_video_track_destroy_statistics,
            agora_audio_sink_create,
            agora_local_audio_track_set_total_extra_send_ms,
        })
    }
    pub unsafe fn getAgoraSdkVersion(&self, build: *mut i32) -> *const ::core::ffi::c_char {
        unsafe { (self.getAgoraSdkVersion.as_ref().expect("Expected function, got error."))(build) }
    }
    pub unsafe fn getAgoraSdkErrorDescription(&self, error: i32) -> *const ::core::ffi::c_char {
        unsafe { (self.getAgoraSdkErrorDescription.as_ref().expect("Expected function, got error."))(error) }
    }
    pub unsafe fn agora_service_create(&self) -> agora_handle {
        unsafe { (self.agora_service_create.as_ref().expect("Expected function, got error."))() }
    }
    pub unsafe fn agora_service_initialize(&self, service: agora_handle, config: *const agora_service_config) -> i32 {
        unsafe { (self.agora_service_initialize.as_ref().expect("Expected function, got error."))(service, config) }
    }
    pub unsafe fn agora_service_release(&self, service: agora_handle) -> i32 {
        unsafe { (self.agora_service_release.as_ref().expect("Expected function, got error."))(service) }
    }
    pub unsafe fn agora_service_set_log_file(
        &self,
        service: agora_handle,
        path: *const ::core::ffi::c_char,
        size: u32,
    ) -> i32 {
        unsafe {
            (self.agora_service_set_log_file.as_ref().expect("Expected function, got error."))(service, path, size)
        }
    }
    pub unsafe fn agora_service_set_log_filter(&self, service: agora_handle, filter: u32) -> i32 {
        unsafe { (self.agora_service_set_log_filter.as_ref().expect("Expected function, got error."))(service, filter) }
    }
    pub unsafe fn agora_service_get_agora_parameter(&self, service: agora_handle) -> agora_handle {
        unsafe { (self.agora_service_get_agora_parameter.as_ref().expect("Expected function, got error."))(service) }
    }
    pub unsafe fn agora_parameter_set_parameters(
        &self,
        parameter: agora_handle,
        json: *const ::core::ffi::c_char,
    ) -> i32 {
        unsafe {
            (self.agora_parameter_set_parameters.as_ref().expect("Expected function, got error."))(parameter, json)
        }
    }
    pub unsafe fn agora_service_create_media_node_factory(&self, service: agora_handle) -> agora_handle {
        unsafe {
            (self.agora_service_create_media_node_factory.as_ref().expect("Expected function, got error."))(service)
        }
    }
    pub unsafe fn agora_service_create_custom_video_track_frame(
        &self,
        service: agora_handle,
        sender: agora_handle,
    ) -> agora_handle {
        unsafe {
            (self.agora_service_create_custom_video_track_frame.as_ref().expect("Expected function, got error."))(
                service, sender,
            )
        }
    }
    pub unsafe fn agora_service_create_custom_audio_track_pcm(
        &self,
        service: agora_handle,
        sender: agora_handle,
    ) -> agora_handle {
        unsafe {
            (self.agora_service_create_custom_audio_track_pcm.as_ref().expect("Expected function, got error."))(
                service, sender,
            )
        }
    }
    pub unsafe fn agora_rtc_conn_create(
        &self,
        service: agora_handle,
        config: *const agora_rtc_conn_config,
    ) -> agora_handle {
        unsafe { (self.agora_rtc_conn_create.as_ref().expect("Expected function, got error."))(service, config) }
    }
    pub unsafe fn agora_rtc_conn_destroy(&self, conn: agora_handle) {
        unsafe { (self.agora_rtc_conn_destroy.as_ref().expect("Expected function, got error."))(conn) }
    }
    pub unsafe fn agora_rtc_conn_register_observer(
        &self,
        conn: agora_handle,
        observer: *const agora_rtc_conn_observer,
    ) -> i32 {
        unsafe {
            (self.agora_rtc_conn_register_observer.as_ref().expect("Expected function, got error."))(conn, observer)
        }
    }
    pub unsafe fn agora_rtc_conn_unregister_observer(&self, conn: agora_handle) -> i32 {
        unsafe { (self.agora_rtc_conn_unregister_observer.as_ref().expect("Expected function, got error."))(conn) }
    }
    pub unsafe fn agora_rtc_conn_connect(
        &self,
        conn: agora_handle,
        token: *const ::core::ffi::c_char,
        channel: *const ::core::ffi::c_char,
        user_id: *const ::core::ffi::c_char,
    ) -> i32 {
        unsafe {
            (self.agora_rtc_conn_connect.as_ref().expect("Expected function, got error."))(
                conn, token, channel, user_id,
            )
        }
    }
    pub unsafe fn agora_rtc_conn_disconnect(&self, conn: agora_handle) -> i32 {
        unsafe { (self.agora_rtc_conn_disconnect.as_ref().expect("Expected function, got error."))(conn) }
    }
    pub unsafe fn agora_rtc_conn_renew_token(&self, conn: agora_handle, token: *const ::core::ffi::c_char) -> i32 {
        unsafe { (self.agora_rtc_conn_renew_token.as_ref().expect("Expected function, got error."))(conn, token) }
    }
    pub unsafe fn agora_rtc_conn_enable_encryption(
        &self,
        conn: agora_handle,
        enable: i32,
        config: *const agora_encryption_config,
    ) -> i32 {
        unsafe {
            (self.agora_rtc_conn_enable_encryption.as_ref().expect("Expected function, got error."))(
                conn, enable, config,
            )
        }
    }
    pub unsafe fn agora_rtc_conn_create_data_stream(
        &self,
        conn: agora_handle,
        stream: *mut i32,
        reliable: i32,
        ordered: i32,
    ) -> i32 {
        unsafe {
            (self.agora_rtc_conn_create_data_stream.as_ref().expect("Expected function, got error."))(
                conn, stream, reliable, ordered,
            )
        }
    }
    pub unsafe fn agora_rtc_conn_send_stream_message(
        &self,
        conn: agora_handle,
        stream: i32,
        data: *const ::core::ffi::c_char,
        length: u32,
    ) -> i32 {
        unsafe {
            (self.agora_rtc_conn_send_stream_message.as_ref().expect("Expected function, got error."))(
                conn, stream, data, length,
            )
        }
    }
    pub unsafe fn agora_rtc_conn_get_local_user(&self, conn: agora_handle) -> agora_handle {
        unsafe { (self.agora_rtc_conn_get_local_user.as_ref().expect("Expected function, got error."))(conn) }
    }
    pub unsafe fn agora_local_user_register_observer(
        &self,
        user: agora_handle,
        observer: *const agora_local_user_observer,
    ) -> i32 {
        unsafe {
            (self.agora_local_user_register_observer.as_ref().expect("Expected function, got error."))(user, observer)
        }
    }
    pub unsafe fn agora_local_user_unregister_observer(&self, user: agora_handle) -> i32 {
        unsafe { (self.agora_local_user_unregister_observer.as_ref().expect("Expected function, got error."))(user) }
    }
    pub unsafe fn agora_local_user_register_audio_frame_observer(
        &self,
        user: agora_handle,
        observer: *const agora_audio_frame_observer,
    ) -> i32 {
        unsafe {
            (self.agora_local_user_register_audio_frame_observer.as_ref().expect("Expected function, got error."))(
                user, observer,
            )
        }
    }
    pub unsafe fn agora_local_user_unregister_audio_frame_observer(&self, user: agora_handle) -> i32 {
        unsafe {
            (self.agora_local_user_unregister_audio_frame_observer.as_ref().expect("Expected function, got error."))(
                user,
            )
        }
    }
    pub unsafe fn agora_local_user_register_video_frame_observer(
        &self,
        user: agora_handle,
        observer: agora_handle,
    ) -> i32 {
        unsafe {
            (self.agora_local_user_register_video_frame_observer.as_ref().expect("Expected function, got error."))(
                user, observer,
            )
        }
    }
    pub unsafe fn agora_local_user_unregister_video_frame_observer(
        &self,
        user: agora_handle,
        observer: agora_handle,
    ) -> i32 {
        unsafe {
            (self.agora_local_user_unregister_video_frame_observer.as_ref().expect("Expected function, got error."))(
                user, observer,
            )
        }
    }
    pub unsafe fn agora_local_user_set_audio_scenario(&self, user: agora_handle, scenario: i32) -> i32 {
        unsafe {
            (self.agora_local_user_set_audio_scenario.as_ref().expect("Expected function, got error."))(user, scenario)
        }
    }
    pub unsafe fn agora_local_user_set_audio_encoder_config(
        &self,
        user: agora_handle,
        config: *const agora_audio_encoder_config,
    ) -> i32 {
        unsafe {
            (self.agora_local_user_set_audio_encoder_config.as_ref().expect("Expected function, got error."))(
                user, config,
            )
        }
    }
    pub unsafe fn agora_local_user_set_playback_audio_frame_before_mixing_parameters(
        &self,
        user: agora_handle,
        channels: i32,
        samples_per_sec: i32,
    ) -> i32 {
        unsafe {
            (self
                .agora_local_user_set_playback_audio_frame_before_mixing_parameters
                .as_ref()
                .expect("Expected function, got error."))(user, channels, samples_per_sec)
        }
    }
    pub unsafe fn agora_local_user_set_audio_volume_indication_parameters(
        &self,
        user: agora_handle,
        interval_ms: i32,
        smooth: i32,
        report_vad: i32,
    ) -> i32 {
        unsafe {
            (self
                .agora_local_user_set_audio_volume_indication_parameters
                .as_ref()
                .expect("Expected function, got error."))(user, interval_ms, smooth, report_vad)
        }
    }
    pub unsafe fn agora_local_user_publish_audio(&self, user: agora_handle, track: agora_handle) -> i32 {
        unsafe { (self.agora_local_user_publish_audio.as_ref().expect("Expected function, got error."))(user, track) }
    }
    pub unsafe fn agora_local_user_unpublish_audio(&self, user: agora_handle, track: agora_handle) -> i32 {
        unsafe { (self.agora_local_user_unpublish_audio.as_ref().expect("Expected function, got error."))(user, track) }
    }
    pub unsafe fn agora_local_user_publish_video(&self, user: agora_handle, track: agora_handle) -> i32 {
        unsafe { (self.agora_local_user_publish_video.as_ref().expect("Expected function, got error."))(user, track) }
    }
    pub unsafe fn agora_local_user_unpublish_video(&self, user: agora_handle, track: agora_handle) -> i32 {
        unsafe { (self.agora_local_user_unpublish_video.as_ref().expect("Expected function, got error."))(user, track) }
    }
    pub unsafe fn agora_local_user_subscribe_audio(
        &self,
        user: agora_handle,
        user_id: *const ::core::ffi::c_char,
    ) -> i32 {
        unsafe {
            (self.agora_local_user_subscribe_audio.as_ref().expect("Expected function, got error."))(user, user_id)
        }
    }
    pub unsafe fn agora_local_user_unsubscribe_audio(
        &self,
        user: agora_handle,
        user_id: *const ::core::ffi::c_char,
    ) -> i32 {
        unsafe {
            (self.agora_local_user_unsubscribe_audio.as_ref().expect("Expected function, got error."))(user, user_id)
        }
    }
    pub unsafe fn agora_local_user_subscribe_video(
        &self,
        user: agora_handle,
        user_id: *const ::core::ffi::c_char,
        options: *const agora_video_subscription_options,
    ) -> i32 {
        unsafe {
            (self.agora_local_user_subscribe_video.as_ref().expect("Expected function, got error."))(
                user, user_id, options,
            )
        }
    }
    pub unsafe fn agora_local_user_unsubscribe_video(
        &self,
        user: agora_handle,
        user_id: *const ::core::ffi::c_char,
    ) -> i32 {
        unsafe {
            (self.agora_local_user_unsubscribe_video.as_ref().expect("Expected function, got error."))(user, user_id)
        }
    }
    pub unsafe fn agora_local_user_send_intra_request(
        &self,
        user: agora_handle,
        user_id: *const ::core::ffi::c_char,
    ) -> i32 {
        unsafe {
            (self.agora_local_user_send_intra_request.as_ref().expect("Expected function, got error."))(user, user_id)
        }
    }
    pub unsafe fn agora_video_frame_observer2_create(
        &self,
        observer: *const agora_video_frame_observer2,
    ) -> agora_handle {
        unsafe { (self.agora_video_frame_observer2_create.as_ref().expect("Expected function, got error."))(observer) }
    }
    pub unsafe fn agora_video_frame_observer2_destroy(&self, observer: agora_handle) -> i32 {
        unsafe { (self.agora_video_frame_observer2_destroy.as_ref().expect("Expected function, got error."))(observer) }
    }
    pub unsafe fn agora_media_node_factory_destroy(&self, factory: agora_handle) {
        unsafe { (self.agora_media_node_factory_destroy.as_ref().expect("Expected function, got error."))(factory) }
    }
    pub unsafe fn agora_media_node_factory_create_video_frame_sender(&self, factory: agora_handle) -> agora_handle {
        unsafe {
            (self.agora_media_node_factory_create_video_frame_sender.as_ref().expect("Expected function, got error."))(
                factory,
            )
        }
    }
    pub unsafe fn agora_media_node_factory_create_audio_pcm_data_sender(&self, factory: agora_handle) -> agora_handle {
        unsafe {
            (self
                .agora_media_node_factory_create_audio_pcm_data_sender
                .as_ref()
                .expect("Expected function, got error."))(factory)
        }
    }
    pub unsafe fn agora_video_frame_sender_send(
        &self,
        sender: agora_handle,
        frame: *const agora_external_video_frame,
    ) -> i32 {
        unsafe { (self.agora_video_frame_sender_send.as_ref().expect("Expected function, got error."))(sender, frame) }
    }
    pub unsafe fn agora_video_frame_sender_destroy(&self, sender: agora_handle) {
        unsafe { (self.agora_video_frame_sender_destroy.as_ref().expect("Expected function, got error."))(sender) }
    }
    pub unsafe fn agora_audio_pcm_data_sender_send(
        &self,
        sender: agora_handle,
        samples: *const ::core::ffi::c_void,
        capture_ms: u32,
        presentation_ms: i64,
        samples_per_channel: u32,
        bytes_per_sample: u32,
        channels: u32,
        samples_per_sec: u32,
    ) -> i32 {
        unsafe {
            (self.agora_audio_pcm_data_sender_send.as_ref().expect("Expected function, got error."))(
                sender,
                samples,
                capture_ms,
                presentation_ms,
                samples_per_channel,
                bytes_per_sample,
                channels,
                samples_per_sec,
            )
        }
    }
    pub unsafe fn agora_audio_pcm_data_sender_destroy(&self, sender: agora_handle) {
        unsafe { (self.agora_audio_pcm_data_sender_destroy.as_ref().expect("Expected function, got error."))(sender) }
    }
    pub unsafe fn agora_local_video_track_set_video_encoder_config(
        &self,
        track: agora_handle,
        config: *const agora_video_encoder_config,
    ) -> i32 {
        unsafe {
            (self.agora_local_video_track_set_video_encoder_config.as_ref().expect("Expected function, got error."))(
                track, config,
            )
        }
    }
    pub unsafe fn agora_local_video_track_set_enabled(&self, track: agora_handle, enabled: i32) -> i32 {
        unsafe {
            (self.agora_local_video_track_set_enabled.as_ref().expect("Expected function, got error."))(track, enabled)
        }
    }
    pub unsafe fn agora_local_video_track_destroy(&self, track: agora_handle) {
        unsafe { (self.agora_local_video_track_destroy.as_ref().expect("Expected function, got error."))(track) }
    }
    pub unsafe fn agora_local_audio_track_set_enabled(&self, track: agora_handle, enabled: i32) -> i32 {
        unsafe {
            (self.agora_local_audio_track_set_enabled.as_ref().expect("Expected function, got error."))(track, enabled)
        }
    }
    pub unsafe fn agora_local_audio_track_set_send_delay_ms(&self, track: agora_handle, delay_ms: i32) {
        unsafe {
            (self.agora_local_audio_track_set_send_delay_ms.as_ref().expect("Expected function, got error."))(
                track, delay_ms,
            )
        }
    }
    pub unsafe fn agora_local_audio_track_set_max_bufferd_frame_number(&self, track: agora_handle, frames: i32) {
        unsafe {
            (self.agora_local_audio_track_set_max_bufferd_frame_number.as_ref().expect("Expected function, got error."))(
                track, frames,
            )
        }
    }
    pub unsafe fn agora_local_audio_track_clear_sender_buffer(&self, track: agora_handle) -> i32 {
        unsafe {
            (self.agora_local_audio_track_clear_sender_buffer.as_ref().expect("Expected function, got error."))(track)
        }
    }
    pub unsafe fn agora_local_audio_track_destroy(&self, track: agora_handle) {
        unsafe { (self.agora_local_audio_track_destroy.as_ref().expect("Expected function, got error."))(track) }
    }
    pub unsafe fn agora_remote_video_track_get_statistics(
        &self,
        track: agora_handle,
    ) -> *mut agora_remote_video_track_stats {
        unsafe {
            (self.agora_remote_video_track_get_statistics.as_ref().expect("Expected function, got error."))(track)
        }
    }
    pub unsafe fn agora_remote_video_track_destroy_statistics(
        &self,
        track: agora_handle,
        stats: *mut agora_remote_video_track_stats,
    ) {
        unsafe {
            (self.agora_remote_video_track_destroy_statistics.as_ref().expect("Expected function, got error."))(
                track, stats,
            )
        }
    }
    pub unsafe fn agora_audio_sink_create(&self, observer: *mut ::core::ffi::c_void) -> agora_handle {
        unsafe { (self.agora_audio_sink_create.as_ref().expect("Expected function, got error."))(observer) }
    }
    pub unsafe fn agora_local_audio_track_set_total_extra_send_ms(
        &self,
        track: agora_handle,
        milliseconds: u64,
    ) -> i32 {
        unsafe {
            (self.agora_local_audio_track_set_total_extra_send_ms.as_ref().expect("Expected function, got error."))(
                track,
                milliseconds,
            )
        }
    }
}
pub const FUNCTIONS: &[&str] = &[
    "getAgoraSdkVersion",
    "getAgoraSdkErrorDescription",
    "agora_service_create",
    "agora_service_initialize",
    "agora_service_release",
    "agora_service_set_log_file",
    "agora_service_set_log_filter",
    "agora_service_get_agora_parameter",
    "agora_parameter_set_parameters",
    "agora_service_create_media_node_factory",
    "agora_service_create_custom_video_track_frame",
    "agora_service_create_custom_audio_track_pcm",
    "agora_rtc_conn_create",
    "agora_rtc_conn_destroy",
    "agora_rtc_conn_register_observer",
    "agora_rtc_conn_unregister_observer",
    "agora_rtc_conn_connect",
    "agora_rtc_conn_disconnect",
    "agora_rtc_conn_renew_token",
    "agora_rtc_conn_enable_encryption",
    "agora_rtc_conn_create_data_stream",
    "agora_rtc_conn_send_stream_message",
    "agora_rtc_conn_get_local_user",
    "agora_local_user_register_observer",
    "agora_local_user_unregister_observer",
    "agora_local_user_register_audio_frame_observer",
    "agora_local_user_unregister_audio_frame_observer",
    "agora_local_user_register_video_frame_observer",
    "agora_local_user_unregister_video_frame_observer",
    "agora_local_user_set_audio_scenario",
    "agora_local_user_set_audio_encoder_config",
    "agora_local_user_set_playback_audio_frame_before_mixing_parameters",
    "agora_local_user_set_audio_volume_indication_parameters",
    "agora_local_user_publish_audio",
    "agora_local_user_unpublish_audio",
    "agora_local_user_publish_video",
    "agora_local_user_unpublish_video",
    "agora_local_user_subscribe_audio",
    "agora_local_user_unsubscribe_audio",
    "agora_local_user_subscribe_video",
    "agora_local_user_unsubscribe_video",
    "agora_local_user_send_intra_request",
    "agora_video_frame_observer2_create",
    "agora_video_frame_observer2_destroy",
    "agora_media_node_factory_destroy",
    "agora_media_node_factory_create_video_frame_sender",
    "agora_media_node_factory_create_audio_pcm_data_sender",
    "agora_video_frame_sender_send",
    "agora_video_frame_sender_destroy",
    "agora_audio_pcm_data_sender_send",
    "agora_audio_pcm_data_sender_destroy",
    "agora_local_video_track_set_video_encoder_config",
    "agora_local_video_track_set_enabled",
    "agora_local_video_track_destroy",
    "agora_local_audio_track_set_enabled",
    "agora_local_audio_track_set_send_delay_ms",
    "agora_local_audio_track_set_max_bufferd_frame_number",
    "agora_local_audio_track_clear_sender_buffer",
    "agora_local_audio_track_destroy",
    "agora_remote_video_track_get_statistics",
    "agora_remote_video_track_destroy_statistics",
    "agora_audio_sink_create",
    "agora_local_audio_track_set_total_extra_send_ms",
];
