/* RtcEngine and RtcEngineEx: channels, tokens, messages, roles. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../checks.h"
#include "../system.h"
#include "engine.h"

/* The channel that a call is about: the main one, or the one that `connection` names. NULL when we aren't in it. */
static struct channel *channel_of_call(struct call *call) {
    const struct json *connection = json_member(call->arguments, "connection");
    pthread_mutex_lock(&call->engine->lock);
    struct channel *channel = connection == NULL ? channel_main(call->engine)
                                                 : channel_named(call->engine, json_text(connection, "channelId", NULL),
                                                                 (uint32_t)json_integer(connection, "localUid", 0));
    pthread_mutex_unlock(&call->engine->lock);
    return channel;
}

static int join(struct call *call, bool is_main, const char *name, int64_t uid) {
    const char *token = json_text(call->arguments, "token", NULL);
    const struct json *options = json_member(call->arguments, "options");
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (token == NULL || name == NULL || uid < 0 || uid > UINT32_MAX || options == NULL) {
        complain("%s: token, channelId, uid or options are missing or of a wrong kind", call->method);
        return answer_result(call, -ERROR_ARGUMENT);
    }
    if (channel_of_call(call) != NULL) {
        return answer_result(call, -ERROR_JOIN_REJECTED);
    }
    return answer_result(call, channel_join(call->engine, is_main, token, name, (uint32_t)uid, options));
}

static int join_channel(struct call *call) {
    return join(call, true, json_text(call->arguments, "channelId", NULL), json_integer(call->arguments, "uid", -1));
}

static int join_channel_ex(struct call *call) {
    const struct json *connection = json_member(call->arguments, "connection");
    return join(call, false, json_text(connection, "channelId", NULL), json_integer(connection, "localUid", -1));
}

/* Numbers of onRenewTokenResult. */
static int renewal_code(int outcome) {
    return outcome == 0 ? 0 : outcome == -ERROR_TOKEN_EXPIRED ? 2 : outcome == -ERROR_INVALID_TOKEN ? 3 : 1;
}

/* Whether the token is a good one is told by an event. */
static void renew(struct call *call, struct channel *channel, const char *token) {
    int outcome = agora_rtc_conn_renew_token(channel->connection, token);
    struct writer w = {0};
    write_connection(&w, channel);
    write_format(&w, ",\"token\":");
    write_quoted(&w, token);
    write_format(&w, ",\"code\":%d}", renewal_code(outcome));
    emit_later(call->engine, LISTENER_ENGINE, "RtcEngineEventHandler_onRenewTokenResult_ed06196", writer_take(&w));
}

static int renew_token(struct call *call) {
    const char *token = json_text(call->arguments, "token", NULL);
    if (token == NULL) {
        complain("%s: the token is missing", call->method);
        return answer_result(call, -ERROR_ARGUMENT);
    }
    struct channel *channel = channel_of_call(call);
    if (channel == NULL) {
        return answer_result(call, call->engine->is_ready ? -ERROR_NOT_IN_CHANNEL : -ERROR_NOT_INITIALIZED);
    }
    renew(call, channel, token);
    return answer_result(call, 0);
}

static int update_options(struct call *call) {
    const struct json *options = json_member(call->arguments, "options");
    if (options == NULL) {
        complain("%s: options are missing", call->method);
        return answer_result(call, -ERROR_ARGUMENT);
    }
    struct channel *channel = channel_of_call(call);
    if (channel == NULL) {
        return answer_result(call, call->engine->is_ready ? -ERROR_NOT_IN_CHANNEL : -ERROR_NOT_INITIALIZED);
    }
    if (knob(KNOB_UPDATE_ERROR) != 0) {
        return answer_result(call, -(int)knob(KNOB_UPDATE_ERROR));
    }
    /* Further connections have no other way to a new token. */
    const char *token = json_text(options, "token", NULL);
    if (token != NULL) {
        renew(call, channel, token);
    }
    channel_update(call->engine, channel, options);
    return answer_result(call, 0);
}

static int leave_channel(struct call *call) {
    struct channel *channel = channel_of_call(call);
    if (!call->engine->is_ready) {
        return answer_result(call, -ERROR_NOT_INITIALIZED);
    }
    if (channel != NULL) {
        channel_leave(channel);
    }
    return answer_result(call, 0);
}

static int mute_remote(struct call *call, bool is_video) {
    struct channel *channel = channel_of_call(call);
    int64_t uid = json_integer(call->arguments, "uid", -1);
    if (channel == NULL) {
        return answer_result(call, call->engine->is_ready ? -ERROR_NOT_IN_CHANNEL : -ERROR_NOT_INITIALIZED);
    }
    if (uid < 0 || json_member(call->arguments, "mute") == NULL) {
        complain("%s: uid or mute are missing", call->method);
        return answer_result(call, -ERROR_ARGUMENT);
    }
    bool mute = json_flag(call->arguments, "mute", false);
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)uid);
    agora_video_subscription_options options = {0};
    int outcome = is_video ? (mute ? agora_local_user_unsubscribe_video(channel->user, text)
                                   : agora_local_user_subscribe_video(channel->user, text, &options))
                           : (mute ? agora_local_user_unsubscribe_audio(channel->user, text) : agora_local_user_subscribe_audio(channel->user, text));
    return answer_result(call, outcome);
}

static int mute_remote_video(struct call *call) {
    return mute_remote(call, true);
}

static int mute_remote_audio(struct call *call) {
    return mute_remote(call, false);
}

static int mute_all(struct call *call, bool is_video) {
    struct channel *channel = channel_of_call(call);
    if (channel == NULL) {
        return answer_result(call, call->engine->is_ready ? 0 : -ERROR_NOT_INITIALIZED);
    }
    bool wants = !json_flag(call->arguments, "mute", false);
    char uids[64][LONGEST_UID];
    int n = 0;
    pthread_mutex_lock(&channel->body->lock);
    *(is_video ? &channel->body->subscribes_video : &channel->body->subscribes_sound) = wants;
    for (struct peer *peer = channel->body->peers; peer != NULL && n < 64; peer = peer->next) {
        copy_text(uids[n++], LONGEST_UID, peer->uid);
    }
    pthread_mutex_unlock(&channel->body->lock);
    agora_video_subscription_options options = {0};
    for (int i = 0; i < n; i++) {
        if (is_video && wants) {
            agora_local_user_subscribe_video(channel->user, uids[i], &options);
        } else if (is_video) {
            agora_local_user_unsubscribe_video(channel->user, uids[i]);
        } else {
            (wants ? agora_local_user_subscribe_audio : agora_local_user_unsubscribe_audio)(channel->user, uids[i]);
        }
    }
    return answer_result(call, 0);
}

static int mute_all_video(struct call *call) {
    return mute_all(call, true);
}

static int mute_all_audio(struct call *call) {
    return mute_all(call, false);
}

static int create_data_stream(struct call *call) {
    struct channel *channel = channel_of_call(call);
    const struct json *config = json_member(call->arguments, "config");
    if (channel == NULL) {
        return answer_result(call, call->engine->is_ready ? -ERROR_NOT_IN_CHANNEL : -ERROR_NOT_INITIALIZED);
    }
    int32_t stream = 0;
    int outcome = agora_rtc_conn_create_data_stream(channel->connection, &stream, json_flag(config, "ordered", false), json_flag(config, "ordered", false));
    if (outcome != 0) {
        return answer_result(call, outcome);
    }
    write_format(&call->answer, "{\"streamId\":%d,\"result\":0}", stream);
    return 0;
}

static int send_stream_message(struct call *call) {
    struct channel *channel = channel_of_call(call);
    int64_t length = json_integer(call->arguments, "length", -1);
    if (channel == NULL) {
        return answer_result(call, call->engine->is_ready ? -ERROR_NOT_IN_CHANNEL : -ERROR_NOT_INITIALIZED);
    }
    if (!check_range(length, 1, UINT32_MAX, "length", call->method)) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    void *data = call_buffer(call, 0, (uint32_t)length);
    int outcome = data == NULL ? -ERROR_ARGUMENT
                               : agora_rtc_conn_send_stream_message(channel->connection, (int32_t)json_integer(call->arguments, "streamId", 0), data,
                                                                    (uint32_t)length);
    return answer_result(call, outcome);
}

static int set_client_role(struct call *call) {
    int64_t role = json_integer(call->arguments, "role", 0);
    if (!check_range(role, ROLE_BROADCASTER, ROLE_AUDIENCE, "role", call->method)) {
        return answer_result(call, -ERROR_ARGUMENT);
    }
    struct channel *channel = channel_of_call(call);
    if (channel != NULL) {
        pthread_mutex_lock(&channel->body->lock);
        int before = channel->body->config.client_role_type;
        channel->body->config.client_role_type = (int32_t)role;
        pthread_mutex_unlock(&channel->body->lock);
        channels_settle(call->engine);
        struct writer w = {0};
        write_connection(&w, channel);
        write_format(&w, ",\"oldRole\":%d,\"newRole\":%d,\"newRoleOptions\":{\"audienceLatencyLevel\":2}}", before, (int)role);
        emit_later(call->engine, LISTENER_ENGINE, "RtcEngineEventHandler_onClientRoleChanged_2acaf10", writer_take(&w));
    }
    return answer_result(call, call->engine->is_ready ? 0 : -ERROR_NOT_INITIALIZED);
}

static int get_connection_state(struct call *call) {
    struct channel *channel = channel_of_call(call);
    int state = STATE_DISCONNECTED;
    if (channel != NULL) {
        pthread_mutex_lock(&channel->body->lock);
        state = channel->body->state;
        pthread_mutex_unlock(&channel->body->lock);
    }
    return answer_result(call, state);
}

const struct method channel_methods[] = {
    {"RtcEngine_joinChannel_cdbb747", join_channel},
    {"RtcEngineEx_joinChannelEx_a3cd08c", join_channel_ex},
    {"RtcEngine_updateChannelMediaOptions_7bfc1d7", update_options},
    {"RtcEngineEx_updateChannelMediaOptionsEx_457bb35", update_options},
    {"RtcEngine_leaveChannel_2c0e3aa", leave_channel},
    {"RtcEngine_leaveChannel", leave_channel},
    {"RtcEngineEx_leaveChannelEx_b03ee9a", leave_channel},
    {"RtcEngine_renewToken_3a2037f", renew_token},
    {"RtcEngine_muteRemoteVideoStream_dbdc15a", mute_remote_video},
    {"RtcEngine_muteRemoteAudioStream_dbdc15a", mute_remote_audio},
    {"RtcEngineEx_muteRemoteVideoStreamEx_6d93082", mute_remote_video},
    {"RtcEngineEx_muteRemoteAudioStreamEx_6d93082", mute_remote_audio},
    {"RtcEngine_muteAllRemoteVideoStreams_5039d15", mute_all_video},
    {"RtcEngine_muteAllRemoteAudioStreams_5039d15", mute_all_audio},
    {"RtcEngine_createDataStream_5862815", create_data_stream},
    {"RtcEngineEx_createDataStreamEx_9f641b6", create_data_stream},
    {"RtcEngine_sendStreamMessage_8715a45", send_stream_message},
    {"RtcEngineEx_sendStreamMessageEx_0c34857", send_stream_message},
    {"RtcEngine_setClientRole_b46cc48", set_client_role},
    {"RtcEngine_setClientRole_3426fa6", set_client_role},
    {"RtcEngine_getConnectionState", get_connection_state},
    {NULL, NULL},
};
