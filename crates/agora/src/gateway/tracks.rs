//! What is sent: a track that the connection publishes, and the sender that other threads feed.
//!
//! Destroying a sender while somebody sends is a known crash (FACTS A8), so a sender is shared, and closing it waits for
//! whoever is sending and turns the next one away.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use agora_sys::gateway::{Gateway, agora_handle, agora_video_dimensions, agora_video_encoder_config};
use parley_call::{
    AudioBlock, FramePool, I420Frame,
    audio::{BLOCK_SAMPLES, SAMPLE_RATE},
};

use super::{
    error::{GatewayError, Handle, check},
    frames,
    library::Library,
    service::Service,
    sound,
};

/// H.264, which every other participant can decode (FACTS A7).
const H264: i32 = 2;
/// The library chooses its lower limit of bits itself.
const OWN_MINIMUM: i32 = -1;
/// Pictures are sent as they are, not mirrored (FACTS A7).
const NOT_MIRRORED: i32 = 2;
/// Sound is sent at once: it comes paced (FACTS A3.12).
const SEND_DELAY_MS: i32 = 10;
/// So many blocks of 10 ms may wait inside the library; later ones push the oldest out.
const BUFFERED_BLOCKS: i32 = 50;

/// What a picture is given up for when there are too few bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefer {
    /// People: movement stays smooth.
    Smoothness,
    /// Texts: letters stay sharp.
    Sharpness,
}

/// How pictures are to be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pictures a second at most.
    pub fps: u32,
    /// Bits a second at most.
    pub bitrate: u32,
    /// Where to save.
    pub prefer: Prefer,
}

impl Encoding {
    fn config(&self) -> agora_video_encoder_config {
        let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        agora_video_encoder_config {
            codec_type: H264,
            dimensions: agora_video_dimensions { width: number(self.width), height: number(self.height) },
            frame_rate: number(self.fps),
            bitrate: number(self.bitrate),
            min_bitrate: OWN_MINIMUM,
            degradation_preference: match self.prefer {
                Prefer::Sharpness => 0,
                Prefer::Smoothness => 1,
            },
            mirror_mode: NOT_MIRRORED,
            ..agora_video_encoder_config::default()
        }
    }
}

/// A sender's handle, as long as it is open.
struct Open {
    library: Arc<Library>,
    handle: RwLock<Option<Handle>>,
    destroy: unsafe fn(&Gateway, agora_handle),
}

impl Open {
    fn with(&self, send: impl FnOnce(&Gateway, Handle) -> Result<(), GatewayError>) -> Result<(), GatewayError> {
        let handle = self.handle.read().unwrap_or_else(PoisonError::into_inner);
        send(self.library.functions(), handle.ok_or(GatewayError::Closed)?)
    }

    fn close(&self) {
        let mut handle = self.handle.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = handle.take() {
            // SAFETY: nobody sends, the lock says; nobody will, it is taken out; its track is gone (FACTS A3.16).
            unsafe { (self.destroy)(self.library.functions(), handle.raw()) };
        }
    }
}

/// Takes pictures to a video track, from any thread.
pub struct VideoSender {
    open: Open,
    pool: FramePool,
    sent: AtomicU64,
}

impl VideoSender {
    /// Sends a picture. The library has read it when this returns.
    ///
    /// # Errors
    /// When the connection is closed or the library refuses.
    pub fn send(&self, frame: &I420Frame) -> Result<(), GatewayError> {
        self.open.with(|functions, handle| {
            let answer = frames::lend(frame, &self.pool, |lent| {
                // SAFETY: an open sender and a structure whose buffer lives and is read before this returns (FACTS A8).
                unsafe { functions.agora_video_frame_sender_send(handle.raw(), lent) }
            });
            // A picture of one pixel's width is nothing to send.
            check("send a picture", answer.unwrap_or(0))
        })?;
        self.sent.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// How many pictures were sent.
    pub fn sent_count(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

/// Takes sound to an audio track, from any thread.
pub struct AudioSender {
    open: Open,
}

impl AudioSender {
    /// Sends 10 ms.
    ///
    /// # Errors
    /// When the connection is closed or the library refuses.
    pub fn send(&self, block: &AudioBlock) -> Result<(), GatewayError> {
        self.open.with(|functions, handle| {
            // The library stamps it on arrival: both of Agora's own wrappers give 0 for both times.
            let (captured, presented) = (0, 0);
            // SAFETY: an open sender; the block holds 480 samples and is read before this returns (FACTS A4, A8). The
            // form with eight arguments is the library's: its probes were found (FACTS A6).
            let answer = unsafe {
                functions.agora_audio_pcm_data_sender_send(
                    handle.raw(),
                    sound::samples(&block.samples),
                    captured,
                    presented,
                    BLOCK_SAMPLES as u32,
                    2,
                    1,
                    SAMPLE_RATE,
                )
            };
            check("send sound", answer)
        })
    }
}

/// A track of pictures with its sender. Destroyed by [`Self::destroy`], the track before the sender.
pub(crate) struct VideoTrack {
    pub(crate) handle: Handle,
    pub(crate) sender: Arc<VideoSender>,
}

impl VideoTrack {
    pub(crate) fn make(service: &Service, factory: Handle) -> Result<Self, GatewayError> {
        let functions = service.functions();
        // SAFETY: a living factory (FACTS A3.12).
        let sender = unsafe { functions.agora_media_node_factory_create_video_frame_sender(factory.raw()) };
        let sender = Handle::made("sender of pictures", sender)?;
        let open = Open {
            library: Arc::clone(service.library()),
            handle: RwLock::new(Some(sender)),
            destroy: Gateway::agora_video_frame_sender_destroy,
        };
        // SAFETY: a living service and sender (FACTS A3.12).
        let track =
            unsafe { functions.agora_service_create_custom_video_track_frame(service.handle().raw(), sender.raw()) };
        let track = Handle::made("track of pictures", track).inspect_err(|_| open.close())?;
        let sender = VideoSender { open, pool: FramePool::new(), sent: AtomicU64::new(0) };
        Ok(Self { handle: track, sender: Arc::new(sender) })
    }

    pub(crate) fn encode(&self, service: &Service, encoding: &Encoding) -> Result<(), GatewayError> {
        let config = encoding.config();
        let track = self.handle.raw();
        // SAFETY: a living track and a whole structure (FACTS A6).
        let answer =
            unsafe { service.functions().agora_local_video_track_set_video_encoder_config(track, &raw const config) };
        check("encode so", answer)
    }

    pub(crate) fn enable(&self, service: &Service, on: bool) -> Result<(), GatewayError> {
        // SAFETY: a living track.
        let answer =
            unsafe { service.functions().agora_local_video_track_set_enabled(self.handle.raw(), i32::from(on)) };
        check("turn the pictures on or off", answer)
    }

    pub(crate) fn destroy(self, service: &Service) {
        // SAFETY: unpublished and its observers unregistered, or never published; not used again (FACTS A3.16).
        unsafe { service.functions().agora_local_video_track_destroy(self.handle.raw()) };
        self.sender.open.close();
    }
}

/// A track of sound with its sender. Destroyed by [`Self::destroy`], the track before the sender.
pub(crate) struct AudioTrack {
    pub(crate) handle: Handle,
    pub(crate) sender: Arc<AudioSender>,
}

impl AudioTrack {
    pub(crate) fn make(service: &Service, factory: Handle) -> Result<Self, GatewayError> {
        let functions = service.functions();
        // SAFETY: a living factory (FACTS A3.12).
        let sender = unsafe { functions.agora_media_node_factory_create_audio_pcm_data_sender(factory.raw()) };
        let sender = Handle::made("sender of sound", sender)?;
        let open = Open {
            library: Arc::clone(service.library()),
            handle: RwLock::new(Some(sender)),
            destroy: Gateway::agora_audio_pcm_data_sender_destroy,
        };
        // SAFETY: a living service and sender (FACTS A3.12).
        let track =
            unsafe { functions.agora_service_create_custom_audio_track_pcm(service.handle().raw(), sender.raw()) };
        let track = Handle::made("track of sound", track).inspect_err(|_| open.close())?;
        // SAFETY: a living track.
        unsafe { functions.agora_local_audio_track_set_send_delay_ms(track.raw(), SEND_DELAY_MS) };
        // SAFETY: a living track.
        unsafe { functions.agora_local_audio_track_set_max_bufferd_frame_number(track.raw(), BUFFERED_BLOCKS) };
        Ok(Self { handle: track, sender: Arc::new(AudioSender { open }) })
    }

    pub(crate) fn enable(&self, service: &Service, on: bool) -> Result<(), GatewayError> {
        // SAFETY: a living track.
        let answer =
            unsafe { service.functions().agora_local_audio_track_set_enabled(self.handle.raw(), i32::from(on)) };
        check("turn the sound on or off", answer)
    }

    pub(crate) fn destroy(self, service: &Service) {
        // SAFETY: unpublished and its observers unregistered, or never published; not used again (FACTS A3.16).
        unsafe { service.functions().agora_local_audio_track_destroy(self.handle.raw()) };
        self.sender.open.close();
    }
}
