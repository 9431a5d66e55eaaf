/* The gateway's callbacks, told as Iris's events. They come on the gateway's threads. */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "../gateway/things.h"
#include "../system.h"
#include "engine.h"

/* The channel of a handle that the gateway calls with; NULL for one that is gone. */
static struct channel *channel_of(struct engine *engine, agora_handle handle) {
    struct channel *found = NULL;
    if (engine == NULL) {
        return NULL;
    }
    pthread_mutex_lock(&engine->lock);
    for (struct channel *channel = engine->channels; channel != NULL; channel = channel->next) {
        if (channel->connection == handle || channel->user == handle || channel->observer == handle) {
            found = channel;
        }
    }
    pthread_mutex_unlock(&engine->lock);
    return found;
}

void write_connection(struct writer *writer, struct channel *channel) {
    write_format(writer, "{\"connection\":{\"channelId\":");
    write_quoted(writer, channel->body->channel);
    write_format(writer, ",\"localUid\":%lu}", strtoul(channel->body->uid, NULL, 10));
}

static unsigned long uid_of(const char *text) {
    return text == NULL ? 0 : strtoul(text, NULL, 10);
}

static int elapsed(struct channel *channel) {
    return (int)(now_ms() - channel->body->connect_ms);
}

/* Begins an event about a channel: {"connection":{…} with the brace left open. Skips it when the channel is gone. */
#define ABOUT(handle)                                      \
    struct engine *engine = living_engine();               \
    struct channel *channel = channel_of(engine, handle);  \
    struct writer w = {0};                                 \
    if (channel == NULL) {                                 \
        return;                                            \
    }                                                      \
    write_connection(&w, channel)

#define SEND(name) emit(engine, LISTENER_ENGINE, "RtcEngineEventHandler_" name, writer_take(&w), NULL, NULL, 0)

static void tell_connection_state(struct engine *engine, struct channel *channel, int state, int reason) {
    struct writer w = {0};
    write_connection(&w, channel);
    write_format(&w, ",\"state\":%d,\"reason\":%d}", state, reason);
    SEND("onConnectionStateChanged_4075a9c");
}

static void on_connected(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    ABOUT(handle);
    write_format(&w, ",\"elapsed\":%d}", elapsed(channel));
    tell_connection_state(engine, channel, info->state, reason);
    SEND("onJoinChannelSuccess_263e4cd");
}

static void on_connecting(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    struct engine *engine = living_engine();
    struct channel *channel = channel_of(engine, handle);
    if (channel != NULL) {
        tell_connection_state(engine, channel, info->state, reason);
    }
}

static void write_stats(struct writer *w, const agora_rtc_stats *stats) {
    write_format(w,
                 ",\"stats\":{\"duration\":%u,\"txBytes\":%u,\"rxBytes\":%u,\"txAudioBytes\":%u,\"txVideoBytes\":%u,\"rxAudioBytes\":%u,"
                 "\"rxVideoBytes\":%u,\"txKBitRate\":%u,\"rxKBitRate\":%u,\"rxAudioKBitRate\":%u,\"txAudioKBitRate\":%u,"
                 "\"rxVideoKBitRate\":%u,\"txVideoKBitRate\":%u,\"lastmileDelay\":%u,\"userCount\":%u,\"cpuAppUsage\":%.2f,"
                 "\"cpuTotalUsage\":%.2f,\"gatewayRtt\":%d,\"memoryAppUsageInKbytes\":%d,\"connectTimeMs\":%d,"
                 "\"txPacketLossRate\":%d,\"rxPacketLossRate\":%d}}",
                 stats->duration, stats->tx_bytes, stats->rx_bytes, stats->tx_audio_bytes, stats->tx_video_bytes, stats->rx_audio_bytes,
                 stats->rx_video_bytes, stats->tx_k_bit_rate, stats->rx_k_bit_rate, stats->rx_audio_k_bit_rate, stats->tx_audio_k_bit_rate,
                 stats->rx_video_k_bit_rate, stats->tx_video_k_bit_rate, stats->lastmile_delay, stats->user_count, stats->cpu_app_usage,
                 stats->cpu_total_usage, stats->gateway_rtt, stats->memory_app_usage_in_kbytes, stats->connect_time_ms,
                 stats->tx_packet_loss_rate, stats->rx_packet_loss_rate);
}

static void on_disconnected(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    ABOUT(handle);
    tell_connection_state(engine, channel, info->state, reason);
    if (reason == REASON_LEAVE) {
        agora_rtc_stats stats = {.duration = (uint32_t)((now_ms() - channel->body->connect_ms) / 1000)};
        write_stats(&w, &stats);
        SEND("onLeaveChannel_c8e730d");
        pthread_mutex_lock(&engine->lock);
        channel->is_over = channel->is_left;
        pthread_cond_broadcast(&engine->changed);
        pthread_mutex_unlock(&engine->lock);
        return;
    }
    if (reason == REASON_BANNED) {
        write_format(&w, "}");
        SEND("onConnectionBanned_c81e1a4");
        return;
    }
    writer_free(&w);
}

static void on_reconnecting(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    ABOUT(handle);
    tell_connection_state(engine, channel, info->state, reason);
    write_format(&w, "}");
    SEND("onConnectionInterrupted_c81e1a4");
}

static void on_lost(agora_handle handle, const agora_rtc_conn_info *info) {
    (void)info;
    ABOUT(handle);
    write_format(&w, "}");
    SEND("onConnectionLost_c81e1a4");
}

static void on_reconnected(agora_handle handle, const agora_rtc_conn_info *info, int32_t reason) {
    ABOUT(handle);
    tell_connection_state(engine, channel, info->state, reason);
    write_format(&w, ",\"elapsed\":%d}", elapsed(channel));
    SEND("onRejoinChannelSuccess_263e4cd");
}

static void on_will_expire(agora_handle handle, const char *token) {
    ABOUT(handle);
    write_format(&w, ",\"token\":");
    write_quoted(&w, token);
    write_format(&w, "}");
    SEND("onTokenPrivilegeWillExpire_8225ea3");
}

static void on_did_expire(agora_handle handle) {
    ABOUT(handle);
    write_format(&w, "}");
    SEND("onRequestToken_c81e1a4");
}

static void on_user_joined(agora_handle handle, const char *uid) {
    ABOUT(handle);
    write_format(&w, ",\"remoteUid\":%lu,\"elapsed\":%d}", uid_of(uid), elapsed(channel));
    SEND("onUserJoined_c5499bd");
}

static void on_user_left(agora_handle handle, const char *uid, int32_t reason) {
    ABOUT(handle);
    write_format(&w, ",\"remoteUid\":%lu,\"reason\":%d}", uid_of(uid), reason);
    SEND("onUserOffline_0a32aac");
}

static void tell_remote_stats(struct engine *engine, struct channel *channel) {
    struct {
        char uid[LONGEST_UID];
        int width, height, kbps, rate;
    } videos[16];
    int n = 0;
    pthread_mutex_lock(&channel->body->lock);
    for (struct peer *peer = channel->body->peers; peer != NULL && n < 16; peer = peer->next) {
        if (peer->video_track != NULL) {
            copy_text(videos[n].uid, LONGEST_UID, peer->uid);
            videos[n].width = peer->width;
            videos[n].height = peer->height;
            videos[n].kbps = peer->video.kbps;
            videos[n++].rate = peer->video.per_second;
        }
    }
    pthread_mutex_unlock(&channel->body->lock);
    for (int i = 0; i < n; i++) {
        struct writer w = {0};
        write_connection(&w, channel);
        write_format(&w,
                     ",\"stats\":{\"uid\":%lu,\"delay\":0,\"width\":%d,\"height\":%d,\"receivedBitrate\":%d,\"decoderInputFrameRate\":%d,"
                     "\"decoderOutputFrameRate\":%d,\"rendererOutputFrameRate\":%d,\"frameLossRate\":0,\"packetLossRate\":0,\"rxStreamType\":0,"
                     "\"totalFrozenTime\":0,\"frozenRate\":0}}",
                     uid_of(videos[i].uid), videos[i].width, videos[i].height, videos[i].kbps, videos[i].rate, videos[i].rate, videos[i].rate);
        SEND("onRemoteVideoStats_2f43a70");
    }
}

static void on_stats(agora_handle handle, const agora_rtc_stats *stats) {
    ABOUT(handle);
    write_stats(&w, stats);
    SEND("onRtcStats_c8e730d");
    tell_remote_stats(engine, channel);
}

static void on_quality(agora_handle handle, const char *uid, int32_t tx, int32_t rx) {
    ABOUT(handle);
    write_format(&w, ",\"remoteUid\":%lu,\"txQuality\":%d,\"rxQuality\":%d}", uid_of(uid), tx, rx);
    SEND("onNetworkQuality_34d8b3c");
}

static void on_error(agora_handle handle, int32_t error, const char *message) {
    struct engine *engine = living_engine();
    if (channel_of(engine, handle) == NULL) {
        return;
    }
    struct writer w = {0};
    write_format(&w, "{\"err\":%d,\"msg\":", error);
    write_quoted(&w, message);
    write_format(&w, "}");
    SEND("onError_d26c0fd");
}

static void on_encryption_error(agora_handle handle, int32_t type) {
    ABOUT(handle);
    write_format(&w, ",\"errorType\":%d}", type);
    SEND("onEncryptionError_e7a65fe");
}

/* --- The local user's callbacks ----------------------------------------------------------------------------------- */

static void on_video_state(agora_handle user, const char *uid, agora_handle track, int32_t state, int32_t reason, int32_t since) {
    (void)track;
    ABOUT(user);
    write_format(&w, ",\"remoteUid\":%lu,\"state\":%d,\"reason\":%d,\"elapsed\":%d}", uid_of(uid), state, reason, since);
    SEND("onRemoteVideoStateChanged_a14e9d1");
}

static void on_sound_state(agora_handle user, const char *uid, agora_handle track, int32_t state, int32_t reason, int32_t since) {
    (void)track;
    ABOUT(user);
    write_format(&w, ",\"remoteUid\":%lu,\"state\":%d,\"reason\":%d,\"elapsed\":%d}", uid_of(uid), state, reason, since);
    SEND("onRemoteAudioStateChanged_056772e");
}

static void on_user_info(agora_handle user, const char *uid, int32_t message, int32_t value) {
    ABOUT(user);
    write_format(&w, ",\"remoteUid\":%lu,\"muted\":%s}", uid_of(uid), value != 0 ? "true" : "false");
    if (message == 1) {
        SEND("onUserMuteVideo_0aac2fe");
    } else {
        SEND("onUserMuteAudio_0aac2fe");
    }
}

static void on_first_decoded(agora_handle user, const char *uid, int32_t width, int32_t height, int32_t since) {
    ABOUT(user);
    write_format(&w, ",\"remoteUid\":%lu,\"width\":%d,\"height\":%d,\"elapsed\":%d}", uid_of(uid), width, height, since);
    SEND("onFirstRemoteVideoDecoded_a68170a");
}

static void on_first_frame(agora_handle user, const char *uid, int32_t width, int32_t height, int32_t since) {
    ABOUT(user);
    write_format(&w, ",\"remoteUid\":%lu,\"width\":%d,\"height\":%d,\"elapsed\":%d}", uid_of(uid), width, height, since);
    SEND("onFirstRemoteVideoFrame_a68170a");
}

static void on_size(agora_handle user, const char *uid, int32_t width, int32_t height, int32_t rotation) {
    ABOUT(user);
    write_format(&w, ",\"sourceType\":%d,\"uid\":%lu,\"width\":%d,\"height\":%d,\"rotation\":%d}", TYPE_REMOTE, uid_of(uid), width, height, rotation);
    SEND("onVideoSizeChanged_99bf45c");
}

static void on_volumes(agora_handle user, const agora_audio_volume_info *speakers, uint32_t n, int32_t total) {
    ABOUT(user);
    write_format(&w, ",\"speakers\":[");
    for (uint32_t i = 0; i < n; i++) {
        write_format(&w, "%s{\"uid\":%lu,\"volume\":%u,\"vad\":%u,\"voicePitch\":%.1f}", i > 0 ? "," : "", uid_of(speakers[i].user_id),
                     speakers[i].volume, speakers[i].vad, speakers[i].voice_pitch);
    }
    write_format(&w, "],\"speakerNumber\":%u,\"totalVolume\":%d}", n, total);
    SEND("onAudioVolumeIndication_781482a");
}

static void on_video_published(agora_handle user, const char *name, int32_t old_state, int32_t new_state, int32_t since) {
    struct engine *engine = living_engine();
    struct channel *channel = channel_of(engine, user);
    if (channel == NULL) {
        return;
    }
    int source = channel->video == SOURCE_SCREEN ? TYPE_SCREEN : channel->video == SOURCE_CUSTOM ? TYPE_CUSTOM : TYPE_CAMERA;
    struct writer w = {0};
    write_format(&w, "{\"source\":%d,\"channel\":", source);
    write_quoted(&w, name);
    write_format(&w, ",\"oldState\":%d,\"newState\":%d,\"elapseSinceLastState\":%d}", old_state, new_state, since);
    SEND("onVideoPublishStateChanged_5b45b6e");
}

static void on_sound_published(agora_handle user, const char *name, int32_t old_state, int32_t new_state, int32_t since) {
    struct engine *engine = living_engine();
    if (channel_of(engine, user) == NULL) {
        return;
    }
    struct writer w = {0};
    write_format(&w, "{\"channel\":");
    write_quoted(&w, name);
    write_format(&w, ",\"oldState\":%d,\"newState\":%d,\"elapseSinceLastState\":%d}", old_state, new_state, since);
    SEND("onAudioPublishStateChanged_2c13a28");
}

static void on_message(agora_handle user, const char *uid, int32_t stream, const char *data, size_t length) {
    ABOUT(user);
    write_format(&w, ",\"remoteUid\":%lu,\"streamId\":%d,\"length\":%zu,\"sentTs\":%lld}", uid_of(uid), stream, length, (long long)now_ms());
    void *buffers[1] = {(void *)data};
    uint32_t lengths[1] = {(uint32_t)length};
    emit(engine, LISTENER_ENGINE, "RtcEngineEventHandler_onStreamMessage_99898cb", writer_take(&w), buffers, lengths, 1);
}

/* --- Media -------------------------------------------------------------------------------------------------------- */

/* A plane's length as its figures say, but never more than is there: the figures may be spoiled on purpose. */
static uint32_t length_of(void *plane, int64_t stride, int64_t rows) {
    int64_t wanted = stride * (rows < 0 ? -rows : rows);
    int64_t there = plane == NULL ? wanted : (int64_t)malloc_usable_size(plane);
    return (uint32_t)(wanted < 0 ? 0 : wanted > there ? there : wanted);
}

static void on_frame(agora_handle observer, const char *name, const char *uid, const agora_video_frame *frame) {
    struct engine *engine = living_engine();
    struct channel *channel = channel_of(engine, observer);
    if (channel == NULL) {
        return;
    }
    struct writer w = {0};
    write_format(&w, "{\"channelId\":");
    write_quoted(&w, name);
    write_format(&w,
                 ",\"remoteUid\":%lu,\"videoFrame\":{\"type\":%d,\"width\":%d,\"height\":%d,\"yStride\":%d,\"uStride\":%d,\"vStride\":%d,"
                 "\"rotation\":%d,\"renderTimeMs\":%lld,\"avsync_type\":0,\"metadata_size\":0,\"textureId\":0,\"alphaStitchMode\":0}}",
                 uid_of(uid), frame->type, frame->width, frame->height, frame->y_stride, frame->u_stride, frame->v_stride, frame->rotation,
                 (long long)frame->render_time_ms);
    void *buffers[5] = {frame->y_buffer, frame->u_buffer, frame->v_buffer, NULL, NULL};
    int64_t rows = ((int64_t)(frame->height < 0 ? -(int64_t)frame->height : frame->height) + 1) / 2;
    uint32_t lengths[5] = {
        length_of(frame->y_buffer, frame->y_stride, frame->height),
        length_of(frame->u_buffer, frame->u_stride, rows),
        length_of(frame->v_buffer, frame->v_stride, rows),
        0,
        0,
    };
    emit(engine, LISTENER_VIDEO, "VideoFrameObserver_onRenderVideoFrame_43dcf82", writer_take(&w), buffers, lengths, 5);
}

static void keep_voice(struct channel *channel, const char *uid, const agora_audio_frame *frame) {
    if (uid == NULL || frame->buffer == NULL || frame->samples_per_channel <= 0 || frame->channels != 2 || frame->samples_per_sec != 48000) {
        return;
    }
    struct voice *voice = channel->voices;
    while (voice != NULL && strcmp(voice->uid, uid) != 0) {
        voice = voice->next;
    }
    if (voice == NULL) {
        voice = make(sizeof *voice);
        copy_text(voice->uid, sizeof voice->uid, uid);
        voice->next = channel->voices;
        channel->voices = voice;
    }
    int room = (int)(sizeof voice->samples / sizeof voice->samples[0]) / 2;
    if (voice->have + frame->samples_per_channel > room) {
        /* Nobody takes it: what is oldest goes. */
        voice->have = 0;
    }
    memcpy(voice->samples + voice->have * 2, frame->buffer, (size_t)frame->samples_per_channel * 4);
    voice->have += frame->samples_per_channel;
}

static int32_t on_sound(agora_handle user, const char *name, const char *uid, const agora_audio_frame *frame) {
    struct engine *engine = living_engine();
    struct channel *channel = channel_of(engine, user);
    if (channel == NULL) {
        return 1;
    }
    pthread_mutex_lock(&engine->lock);
    keep_voice(channel, uid, frame);
    int rate = engine->mixing_rate, channels = engine->mixing_channels;
    bool is_heard = engine->listeners[LISTENER_SOUND] != NULL;
    pthread_mutex_unlock(&engine->lock);
    if (!is_heard) {
        return 1;
    }
    agora_audio_frame plain = *frame;
    int16_t *converted = NULL;
    bool is_sane = frame->buffer != NULL && frame->samples_per_channel > 0 && frame->channels == 2 && frame->samples_per_sec == 48000;
    if (is_sane && rate > 0 && (rate != 48000 || channels != 2)) {
        struct sound sound = {48000, 2, frame->samples_per_channel, 0, frame->buffer};
        plain.samples_per_channel = (int)((int64_t)frame->samples_per_channel * rate / 48000);
        plain.channels = channels;
        plain.samples_per_sec = rate;
        converted = make((size_t)(plain.samples_per_channel * channels) * sizeof *converted);
        convert_sound(&sound, converted, plain.samples_per_channel, channels);
        plain.buffer = converted;
    }
    struct writer w = {0};
    write_format(&w, "{\"channelId\":");
    write_quoted(&w, name);
    write_format(&w,
                 ",\"uid\":%lu,\"audioFrame\":{\"type\":0,\"samplesPerChannel\":%d,\"bytesPerSample\":%d,\"channels\":%d,\"samplesPerSec\":%d,"
                 "\"renderTimeMs\":%lld,\"avsync_type\":0,\"presentationMs\":%lld,\"audioTrackNumber\":0,\"rtpTimestamp\":0}}",
                 uid_of(uid), plain.samples_per_channel, plain.bytes_per_sample, plain.channels, plain.samples_per_sec,
                 (long long)plain.render_time_ms, (long long)plain.presentation_ms);
    void *buffers[1] = {plain.buffer};
    uint32_t lengths[1] = {length_of(plain.buffer, (int64_t)plain.samples_per_channel * 2, plain.channels)};
    emit(engine, LISTENER_SOUND, "AudioFrameObserver_onPlaybackAudioFrameBeforeMixing_85ec0fc", writer_take(&w), buffers, lengths, 1);
    if (converted != NULL) {
        poison(converted, (size_t)(plain.samples_per_channel * channels) * sizeof *converted);
    }
    return 1;
}

void observe(struct channel *channel) {
    channel->connection_table.table = (agora_rtc_conn_observer){
        .on_connected = on_connected,
        .on_disconnected = on_disconnected,
        .on_connecting = on_connecting,
        .on_reconnecting = on_reconnecting,
        .on_reconnected = on_reconnected,
        .on_connection_lost = on_lost,
        .on_connection_failure = on_connecting,
        .on_token_privilege_will_expire = on_will_expire,
        .on_token_privilege_did_expire = on_did_expire,
        .on_user_joined = on_user_joined,
        .on_user_left = on_user_left,
        .on_transport_stats = on_stats,
        .on_user_network_quality = on_quality,
        .on_error = on_error,
        .on_encryption_error = on_encryption_error,
    };
    channel->user_table.table = (agora_local_user_observer){
        .on_user_video_track_state_changed = on_video_state,
        .on_user_audio_track_state_changed = on_sound_state,
        .on_user_info_updated = on_user_info,
        .on_first_remote_video_decoded = on_first_decoded,
        .on_first_remote_video_frame = on_first_frame,
        .on_video_size_changed = on_size,
        .on_audio_volume_indication = on_volumes,
        .on_video_publish_state_changed = on_video_published,
        .on_audio_publish_state_changed = on_sound_published,
        .on_stream_message = on_message,
    };
    channel->sound_table.table.on_playback_audio_frame_before_mixing = on_sound;
    channel->video_table.table.on_frame = on_frame;
}
