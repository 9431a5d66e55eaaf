/* The engine behind Iris's interface: a desktop SDK's camera, microphone and screens (made up), on top of the gateway's
   stand-in, which carries the media. */
#ifndef STANDIN_ENGINE_H
#define STANDIN_ENGINE_H

#include "../gateway/connection.h"
#include "iris.h"
#include "json.h"

#define MOST_TRACKS 32
#define DEVICE_ID_SIZE 512

/* A table of callbacks with the spare slots that the gateway wants. */
#define TABLE(type)      \
    struct {             \
        type table;      \
        void *spare[16]; \
    }

enum source { SOURCE_NONE, SOURCE_CAMERA, SOURCE_SCREEN, SOURCE_CUSTOM };
/* Numbers of FACTS B2. */
enum { TYPE_CAMERA = 0, TYPE_SCREEN = 2, TYPE_CUSTOM = 4, TYPE_REMOTE = 9 };

/* What came from one user and was not yet mixed. */
struct voice {
    struct voice *next;
    char uid[LONGEST_UID];
    int have; /* samples per channel at 48 kHz, stereo */
    int16_t samples[48000 / 4 * 2];
};

/* A channel that the engine is in. */
struct channel {
    struct channel *next;
    bool is_main;
    bool is_left; /* told to leave; nobody finds it by its name any more */
    bool is_over; /* left indeed: to be taken down */
    agora_handle connection, user, observer, video_sender, video_track, sound_sender, sound_track;
    struct connection *body;
    enum source video;
    uint32_t video_track_id;
    bool is_video_published, is_sound_published;
    bool has_microphone, has_custom_sound;
    uint32_t sound_track_id;
    struct voice *voices;
    TABLE(agora_rtc_conn_observer) connection_table;
    TABLE(agora_local_user_observer) user_table;
    TABLE(agora_audio_frame_observer) sound_table;
    TABLE(agora_video_frame_observer2) video_table;
};

/* What produces pictures by itself. */
struct scene {
    bool is_on;
    int width, height, rate;
    int64_t next_ms, since_ms;
    uint32_t turn;
};

enum listener { LISTENER_ENGINE, LISTENER_VIDEO, LISTENER_SOUND, LISTENER_COUNT };

/* An event that waits for the engine's thread. */
struct pending {
    struct pending *next;
    enum listener listener;
    const char *name;
    char *data;
};

struct engine {
    void *handle;
    bool is_ready;
    agora_handle service, factory;
    char app_id[64];
    int channel_profile, audio_scenario;
    pthread_mutex_t calls; /* one call at a time */
    pthread_mutex_t lock;  /* all that follows, for the threads of callbacks and of capture */
    pthread_cond_t changed;
    pthread_t thread;
    bool is_ending;
    void *listeners[LISTENER_COUNT]; /* handles of event handlers */
    struct pending *first_pending, *last_pending;
    struct channel *channels;
    bool has_video, has_sound, has_local_video, has_local_sound, is_previewing, has_external_video;
    bool mutes_video, mutes_sound;
    struct scene camera, screen;
    int64_t screen_id;
    uint32_t video_tracks[MOST_TRACKS], sound_tracks[MOST_TRACKS]; /* ids, 0 = none */
    uint32_t next_track;
    int volume_interval;
    int sink_rate, sink_channels;     /* external audio sink; 0 = none */
    int mixing_rate, mixing_channels; /* frames before mixing; 0 = as they are */
    int playback_rate, playback_channels;
    int recording_rate, recording_channels;
    int width, height, rate; /* of the encoder, thus of the camera */
    int encryption_mode;
    char encryption_key[257];
    uint8_t encryption_salt[32];
    char camera_id[DEVICE_ID_SIZE], microphone_id[DEVICE_ID_SIZE], speaker_id[DEVICE_ID_SIZE];
    int microphone_volume, speaker_volume;
    void *sources; /* handle of the list that was given out */
};

/* The one engine of this copy of the library; NULL when there is none. */
struct engine *living_engine(void);
bool uses_json_arrays(void);

/* A call of a method. */
struct call {
    struct engine *engine;
    const char *method;
    const struct json *arguments;
    const iris_param *param;
    struct writer answer;
};

/* Each method answers what CallIrisApi is to answer: 0, if it wrote an answer. */
typedef int (*method_body)(struct call *call);
struct method {
    const char *id;
    method_body body;
};
extern const struct method engine_methods[], channel_methods[], media_methods[], device_methods[], screen_methods[];

/* Writes {"result": value}. */
int answer_result(struct call *call, int64_t value);
/* A buffer of the call, at least so long; NULL after a complaint. */
void *call_buffer(struct call *call, uint32_t index, uint32_t size);

/* Hands an event to its listener, on this thread. Everything given is poisoned afterwards; `data` is taken over. */
void emit(struct engine *engine, enum listener listener, const char *name, char *data, void *const *buffers, const uint32_t *lengths, int n);
/* Leaves an event for the engine's thread; `name` is a constant, `data` is taken over. */
void emit_later(struct engine *engine, enum listener listener, const char *name, char *data);
void write_connection(struct writer *writer, struct channel *channel);

/* Channels; engine.lock is not held. */
int channel_join(struct engine *engine, bool is_main, const char *token, const char *name, uint32_t uid, const struct json *options);
void channel_update(struct engine *engine, struct channel *channel, const struct json *options);
void channel_leave(struct channel *channel);
void channel_destroy(struct engine *engine, struct channel *channel);
/* Brings what is published in line with what is switched on, in all channels. */
void channels_settle(struct engine *engine);
/* The lock is held. */
struct channel *channel_main(struct engine *engine);
struct channel *channel_named(struct engine *engine, const char *name, uint32_t uid);

/* What the gateway calls. */
void observe(struct channel *channel);

void *run_engine(void *engine);
/* Adds up what all voices have, 48 kHz and stereo, and takes it; true when there was any. */
bool mix_voices(struct engine *engine, int16_t *into, int samples);

/* Ends everything that initialize began. */
void engine_stop(struct engine *engine);
void release_sources(struct engine *engine);

#endif
