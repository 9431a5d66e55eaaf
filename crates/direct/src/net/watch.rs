//! What of the other side's media comes, and how well.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use parley_call::{EngineEvent, Quality};
use str0m::stats::PeerStats;

use crate::{shared::Shared, signal::Tracks};

/// Without a picture (or sound) for so long, it has stopped.
const STOPPED_AFTER: Duration = Duration::from_millis(1_000);
/// After the other side said that it stopped, what is still under way doesn't count.
const STRAGGLERS: Duration = Duration::from_millis(500);

/// Turns counts and times into events.
pub(crate) struct Watch {
    video: Track,
    audio: Track,
    wants_video: bool,
    pictures: u64,
    last_stats: Option<(Instant, u64, u64, u64)>,
    quality: Quality,
}

struct Track {
    on: bool,
    last: Instant,
    muted_until: Instant,
}

impl Track {
    fn new(now: Instant) -> Self {
        Self { on: false, last: now, muted_until: now }
    }

    /// Something came; whether that is news.
    fn comes(&mut self, now: Instant) -> bool {
        if now < self.muted_until {
            return false;
        }
        self.last = now;
        !std::mem::replace(&mut self.on, true)
    }

    /// Whether it has stopped, and that is news.
    fn stops(&mut self, now: Instant) -> bool {
        now >= self.last + STOPPED_AFTER && std::mem::replace(&mut self.on, false)
    }

    fn mute(&mut self, now: Instant) -> bool {
        self.muted_until = now + STRAGGLERS;
        std::mem::replace(&mut self.on, false)
    }
}

impl Watch {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            video: Track::new(now),
            audio: Track::new(now),
            wants_video: true,
            pictures: 0,
            last_stats: None,
            quality: Quality::default(),
        }
    }

    /// Whether we look at the other side's pictures.
    pub(crate) fn wants_video(&self) -> bool {
        self.wants_video
    }

    /// What we want may have changed.
    pub(crate) fn on_our_tracks(&mut self, tracks: Tracks, now: Instant) {
        if tracks.wants_video && !self.wants_video {
            self.video.last = now;
        }
        self.wants_video = tracks.wants_video;
    }

    /// A path came up: what has stopped during the interruption gets its time anew.
    pub(crate) fn on_connected(&mut self, now: Instant) {
        (self.video.last, self.audio.last) = (now, now);
        (self.video.muted_until, self.audio.muted_until) = (now, now);
        self.last_stats = None;
    }

    /// A packet of sound came; whether that is news.
    pub(crate) fn on_sound(&mut self, now: Instant) -> bool {
        self.audio.comes(now)
    }

    /// The other side says what it sends.
    pub(crate) fn on_peer_tracks(&mut self, tracks: Tracks, now: Instant) -> Vec<EngineEvent> {
        let mut events = Vec::new();
        if tracks.video {
            self.video.muted_until = now;
        } else if self.video.mute(now) {
            events.push(EngineEvent::RemoteVideo(false));
        }
        if tracks.audio {
            self.audio.muted_until = now;
        } else if self.audio.mute(now) {
            events.push(EngineEvent::RemoteAudio(false));
        }
        events
    }

    /// What has begun and what has stopped. `pictures` were decoded so far.
    pub(crate) fn look(&mut self, pictures: u64, now: Instant) -> Vec<EngineEvent> {
        let mut events = Vec::new();
        if std::mem::replace(&mut self.pictures, pictures) != pictures && self.video.comes(now) {
            events.push(EngineEvent::RemoteVideo(true));
        }
        // Pictures that we asked not to be sent have not stopped.
        if self.wants_video && self.video.stops(now) {
            events.push(EngineEvent::RemoteVideo(false));
        }
        if self.audio.stops(now) {
            events.push(EngineEvent::RemoteAudio(false));
        }
        events
    }

    /// The other side is gone.
    pub(crate) fn end(&mut self) -> Vec<EngineEvent> {
        let mut events = Vec::new();
        if std::mem::replace(&mut self.video.on, false) {
            events.push(EngineEvent::RemoteVideo(false));
        }
        if std::mem::replace(&mut self.audio.on, false) {
            events.push(EngineEvent::RemoteAudio(false));
        }
        events
    }

    /// How the path did since the last statistics.
    pub(crate) fn quality(&mut self, stats: &PeerStats, shared: &Shared) -> Quality {
        let pictures = shared.pictures.load(Ordering::Relaxed);
        let now = (stats.timestamp, stats.peer_bytes_tx, stats.peer_bytes_rx, pictures);
        if let Some((then, sent, received, decoded)) = self.last_stats.replace(now) {
            let seconds = stats.timestamp.saturating_duration_since(then).as_secs_f64().max(0.001);
            let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / seconds;
            self.quality.send_bitrate = (rate(stats.peer_bytes_tx, sent) * 8.0) as u64;
            self.quality.receive_bitrate = (rate(stats.peer_bytes_rx, received) * 8.0) as u64;
            self.quality.receive_fps = rate(pictures, decoded) as f32;
        }
        let pair = stats.selected_candidate_pair.as_ref().and_then(|pair| pair.current_round_trip_time);
        if let Some(round_trip) = stats.rtt.or(pair) {
            self.quality.round_trip = round_trip;
        }
        self.quality.loss = stats.egress_loss_fraction.unwrap_or(0.0).clamp(0.0, 1.0);
        self.quality.freezes = shared.freezes.load(Ordering::Relaxed);
        self.quality
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Tracks = Tracks { video: true, audio: true, wants_video: true };

    fn after(begun: Instant, ms: u64) -> Instant {
        begun + Duration::from_millis(ms)
    }

    #[test]
    fn pictures_begin_with_the_first_and_stop_a_second_after_the_last() {
        let begun = Instant::now();
        let mut watch = Watch::new(begun);
        assert_eq!(watch.look(0, begun), []);
        assert_eq!(watch.look(1, after(begun, 10)), [EngineEvent::RemoteVideo(true)]);
        assert_eq!(watch.look(2, after(begun, 40)), []);
        assert_eq!(watch.look(2, after(begun, 1_000)), []);
        assert_eq!(watch.look(2, after(begun, 1_040)), [EngineEvent::RemoteVideo(false)]);
        assert_eq!(watch.look(2, after(begun, 9_000)), []);
    }

    #[test]
    fn what_the_other_side_stops_ends_at_once_and_stragglers_do_not_count() {
        let begun = Instant::now();
        let mut watch = Watch::new(begun);
        watch.look(1, begun);
        assert!(watch.on_sound(begun));
        let off = Tracks { video: false, audio: false, ..ALL };
        assert_eq!(
            watch.on_peer_tracks(off, after(begun, 50)),
            [EngineEvent::RemoteVideo(false), EngineEvent::RemoteAudio(false)]
        );
        assert_eq!(watch.look(2, after(begun, 60)), []);
        assert!(!watch.on_sound(after(begun, 60)));
        assert_eq!(watch.on_peer_tracks(ALL, after(begun, 70)), []);
        assert_eq!(watch.look(3, after(begun, 80)), [EngineEvent::RemoteVideo(true)]);
    }

    #[test]
    fn what_we_do_not_look_at_has_not_stopped() {
        let begun = Instant::now();
        let mut watch = Watch::new(begun);
        watch.look(1, begun);
        watch.on_our_tracks(Tracks { wants_video: false, ..ALL }, begun);
        assert_eq!(watch.look(1, after(begun, 5_000)), []);
        watch.on_our_tracks(ALL, after(begun, 5_000));
        assert_eq!(watch.look(1, after(begun, 5_500)), []);
        assert_eq!(watch.look(1, after(begun, 6_000)), [EngineEvent::RemoteVideo(false)]);
    }
}
