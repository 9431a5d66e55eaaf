//! One attempt at a media path: an `Rtc` with its own sockets. A new round makes a new one.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use parley_call::MediaTime as Captured;
use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcConfig, RtcError,
    bwe::Bitrate,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    config::CryptoProvider,
    format::Codec,
    media::{Direction, Frequency, KeyframeRequestKind, MediaData, MediaKind, MediaTime, Mid, Pt},
    net::{Protocol, Receive},
};

use super::sockets::{MAX_DATAGRAM, Sockets};

/// Out-of-order audio packets are waited for no longer than this many; str0m's own value costs 300 ms on a loss.
const AUDIO_REORDERING: usize = 3;
/// How often statistics come.
const STATISTICS_EVERY: Duration = Duration::from_secs(1);
/// How long STUN waits at most before it asks again, so that a dead path is noticed in seconds.
const STUN_PATIENCE: Duration = Duration::from_millis(1_500);
/// Unanswered STUN requests after which a pair is dead.
const STUN_TRIES: usize = 5;
/// What the path is taken for before anything was measured: a bad home line. On a good one the first key frame and a
/// probe raise it within 200 ms.
const FIRST_ESTIMATE: u64 = 1_000_000;
/// Datagrams taken in one go before sending has its turn.
const BURST: usize = 64;
/// Events that one step may leave; a step that makes more is a flood.
const MAX_EVENTS: usize = 1_024;

/// An attempt at a path.
pub(crate) struct Path {
    rtc: Rtc,
    sockets: Sockets,
    audio: Option<Mid>,
    video: Option<Mid>,
    pending: Option<SdpPendingOffer>,
    timeout: Instant,
    buffer: Vec<u8>,
    events: VecDeque<Event>,
    last_received: Instant,
}

impl Path {
    /// Describes a path to the other side.
    pub(crate) fn offer(sockets: Sockets, desired: u64, now: Instant) -> Result<(Self, String), RtcError> {
        let mut path = Self::new(sockets, desired, now)?;
        let mut api = path.rtc.sdp_api();
        let stream = Some("parley".to_owned());
        path.audio = Some(api.add_media(MediaKind::Audio, Direction::SendRecv, stream.clone(), None, None));
        path.video = Some(api.add_media(MediaKind::Video, Direction::SendRecv, stream, None, None));
        let (offer, pending) = api.apply().ok_or_else(|| RtcError::RemoteSdp("nothing to offer".to_owned()))?;
        path.pending = Some(pending);
        Ok((path, offer.to_sdp_string()))
    }

    /// Takes the other side's description and describes ours.
    pub(crate) fn answer(sockets: Sockets, desired: u64, sdp: &str, now: Instant) -> Result<(Self, String), RtcError> {
        let offer = SdpOffer::from_sdp_string(sdp).map_err(|error| RtcError::RemoteSdp(error.to_string()))?;
        let mut path = Self::new(sockets, desired, now)?;
        let answer = path.rtc.sdp_api().accept_offer(offer)?;
        Ok((path, answer.to_sdp_string()))
    }

    fn new(sockets: Sockets, desired: u64, now: Instant) -> Result<Self, RtcError> {
        let mut config = RtcConfig::new()
            .set_crypto_provider(crypto())
            .clear_codecs()
            .enable_opus(true, true)
            .enable_h264(true)
            .set_reordering_size_audio(AUDIO_REORDERING)
            .set_rtcp_report_interval_audio(Duration::from_secs(1))
            .set_stats_interval(Some(STATISTICS_EVERY))
            .enable_bwe(Some(Bitrate::from(FIRST_ESTIMATE.min(desired.max(300_000)))));
        config.set_max_stun_rto(STUN_PATIENCE);
        config.set_max_stun_retransmits(STUN_TRIES);
        let mut rtc = config.build(now);
        for address in sockets.addresses() {
            if let Ok(candidate) = Candidate::host(address, "udp") {
                rtc.add_local_candidate(candidate);
            }
        }
        rtc.bwe().set_bitrate(Bitrate::from(0), Bitrate::from(desired));
        Ok(Self {
            rtc,
            sockets,
            audio: None,
            video: None,
            pending: None,
            timeout: now,
            buffer: vec![0; MAX_DATAGRAM],
            events: VecDeque::new(),
            last_received: now,
        })
    }

    /// The other side's answer to our offer.
    pub(crate) fn accept(&mut self, sdp: &str) -> Result<(), RtcError> {
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(|error| RtcError::RemoteSdp(error.to_string()))?;
        let pending = self.pending.take().ok_or(RtcError::ChangesOutOfOrder)?;
        self.rtc.sdp_api().accept_answer(pending, answer)
    }

    /// One more way to the other side. What can't be read or resolved (mDNS names of browsers) is refused.
    pub(crate) fn add_candidate(&mut self, candidate: &str) -> bool {
        match Candidate::from_sdp_string(candidate) {
            Ok(candidate) => {
                self.rtc.add_remote_candidate(candidate);
                true
            }
            Err(_) => false,
        }
    }

    /// Media were agreed on; the answering side learns here which is which.
    pub(crate) fn on_media_added(&mut self, mid: Mid, kind: MediaKind) {
        match kind {
            MediaKind::Audio => self.audio = Some(mid),
            MediaKind::Video => self.video = Some(mid),
        }
    }

    /// Which of the two it is.
    pub(crate) fn kind(&self, mid: Mid) -> Option<MediaKind> {
        match () {
            () if self.audio == Some(mid) => Some(MediaKind::Audio),
            () if self.video == Some(mid) => Some(MediaKind::Video),
            () => None,
        }
    }

    /// What we would like to send, in bits a second.
    pub(crate) fn set_desired(&mut self, desired: u64) {
        self.rtc.bwe().set_bitrate(Bitrate::from(0), Bitrate::from(desired));
    }

    /// Sends an access unit.
    pub(crate) fn write_video(&mut self, data: Vec<u8>, captured: Captured) {
        let position = MediaTime::from_90khz(captured.0 * 9 / 100);
        if let Some(mid) = self.video {
            self.write(mid, Codec::H264, data, captured, position);
        }
    }

    /// Sends an Opus packet.
    pub(crate) fn write_audio(&mut self, data: Vec<u8>, position: u64, captured: Captured) {
        let position = MediaTime::new(position, Frequency::FORTY_EIGHT_KHZ);
        if let Some(mid) = self.audio {
            self.write(mid, Codec::Opus, data, captured, position);
        }
    }

    fn write(&mut self, mid: Mid, codec: Codec, data: Vec<u8>, captured: Captured, position: MediaTime) {
        let Some(writer) = self.rtc.writer(mid) else { return };
        let Some(pt) = payload_type(writer.payload_params(), codec) else { return };
        let now = Instant::now();
        let wallclock = now.checked_sub(Captured::now().since(captured)).unwrap_or(now);
        if let Err(error) = writer.write(pt, wallclock, position, data) {
            tracing::debug!(%error, "media was not accepted");
        }
        self.drain();
    }

    /// Asks the other side for a key frame.
    pub(crate) fn ask_for_key_frame(&mut self) {
        let Some(mid) = self.video else { return };
        if let Some(mut writer) = self.rtc.writer(mid) {
            // Before anything was received there is nobody to ask; the stream begins with a key frame anyway.
            let _ = writer.request_keyframe(None, KeyframeRequestKind::Pli);
        }
        self.drain();
    }

    /// Takes in what has come and lets time pass. An error ends the path.
    pub(crate) fn step(&mut self) -> Result<(), RtcError> {
        for _ in 0..BURST {
            let Some((length, source, destination)) = self.sockets.try_receive(&mut self.buffer) else { break };
            let now = Instant::now();
            let Ok(receive) = Receive::new(Protocol::Udp, source, destination, &self.buffer[..length]) else {
                continue;
            };
            let input = Input::Receive(now, receive);
            if self.rtc.accepts(&input) {
                self.last_received = now;
                self.rtc.handle_input(input)?;
                self.drain();
            }
        }
        let now = Instant::now();
        if now >= self.timeout {
            self.rtc.handle_input(Input::Timeout(now))?;
        }
        self.drain();
        self.sockets.flush(Instant::now());
        Ok(())
    }

    /// The next thing that happened.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Self::step`] is due, if nothing comes before.
    pub(crate) fn next_deadline(&self) -> Instant {
        self.sockets.next_deadline().map_or(self.timeout, |due| due.min(self.timeout))
    }

    /// Waits until something may have come.
    pub(crate) async fn readable(&self) {
        self.sockets.readable().await;
    }

    /// When the other side was last heard on this path.
    pub(crate) fn last_received(&self) -> Instant {
        self.last_received
    }

    /// Whether it still works.
    pub(crate) fn is_alive(&self) -> bool {
        self.rtc.is_alive()
    }

    /// Tells the other side by DTLS and RTCP that we go.
    pub(crate) fn close(mut self) {
        if self.rtc.close().is_err() {
            return;
        }
        self.drain();
        let _ = self.rtc.handle_input(Input::Timeout(Instant::now()));
        self.drain();
        self.sockets.flush(Instant::now() + Duration::from_secs(60));
    }

    /// After every change: sends what is to be sent and keeps what has happened.
    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.timeout = at;
                    return;
                }
                Ok(Output::Transmit(transmit)) => {
                    self.sockets.send(transmit.source, transmit.destination, transmit.contents.into(), Instant::now());
                }
                Ok(Output::Event(event)) => {
                    if self.events.len() < MAX_EVENTS {
                        self.events.push_back(event);
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "the path failed");
                    self.rtc.disconnect();
                    self.timeout = Instant::now();
                    return;
                }
            }
        }
    }
}

/// When the media was captured, on the sender's wall clock; known once it has sent a report.
pub(crate) fn captured(media: &MediaData) -> Option<SystemTime> {
    let report = media.last_sender_info.as_ref()?;
    if report.rtp_time.frequency() != media.time.frequency() {
        return None;
    }
    // Positions wrap at 32 bits on the wire.
    let steps = (media.time.numer() as u32).wrapping_sub(report.rtp_time.numer() as u32) as i32;
    let distance = Duration::from_secs_f64(f64::from(steps.unsigned_abs()) / f64::from(media.time.denom()));
    if steps >= 0 { report.ntp_time.checked_add(distance) } else { report.ntp_time.checked_sub(distance) }
}

/// The agreed payload type: for H.264 constrained baseline with fragments, which every browser has, else baseline.
fn payload_type<'a>(agreed: impl Iterator<Item = &'a str0m::format::PayloadParams>, codec: Codec) -> Option<Pt> {
    let rank = |params: &&str0m::format::PayloadParams| {
        let format = params.spec().format;
        let profile = format.profile_level_id.unwrap_or(0) >> 8;
        (format.packetization_mode != Some(1), profile != 0x42e0, profile >> 8 != 0x42)
    };
    let fits = |params: &&str0m::format::PayloadParams| {
        params.spec().codec == codec && (codec != Codec::H264 || params.spec().format.packetization_mode == Some(1))
    };
    agreed.filter(fits).min_by_key(rank).map(str0m::format::PayloadParams::pt)
}

fn crypto() -> Arc<CryptoProvider> {
    static PROVIDER: std::sync::OnceLock<Arc<CryptoProvider>> = std::sync::OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(str0m::crypto::from_feature_flags())))
}
