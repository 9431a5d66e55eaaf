//! A call as the UI draws it.

use parley_call::{CallFailure, CallSnapshot, EngineError, Phase, Quality, Why};
use parley_domain::EngineKind;
use parley_protocol::{
    Code,
    app::{AppError, CallPhase, CallView, Control, PeerMedia, QualityView},
};

/// What the person wants of one device, and how far it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) wanted: bool,
    /// The device is being opened.
    pub(crate) opening: bool,
    pub(crate) error: Option<AppError>,
}

/// Writes what the call's session knows into the view; what the session does not know stays.
pub(crate) fn update(view: &mut CallView, now: &CallSnapshot, camera: &Wish, microphone: &Wish) {
    view.phase = match &now.phase {
        Phase::Idle | Phase::RingingIn { .. } | Phase::Joining => CallPhase::Connecting,
        Phase::RingingOut => CallPhase::RingingOut,
        Phase::Connected => CallPhase::Connected,
        Phase::Reconnecting(_) => CallPhase::Reconnecting,
        Phase::Ended(_) => CallPhase::Ended,
    };
    view.engine = now.engine.unwrap_or(view.engine);
    let in_call = matches!(view.phase, CallPhase::Connected | CallPhase::Reconnecting);
    view.camera = control(camera, now.camera.actual, in_call);
    view.microphone = control(microphone, now.microphone.actual, in_call);
    view.peer_media =
        PeerMedia { camera: now.peer.camera, microphone: now.peer.microphone, video_flowing: now.peer.video_flowing };
    view.quality = now.quality.as_ref().filter(|_| in_call).map(quality);
    if let Phase::Ended(ending) = &now.phase {
        view.end_reason = ending.why.reason();
        view.duration = ending.duration_seconds;
        view.error = match &ending.why {
            Why::Failed(failure) => Some(failed(failure)),
            _ => None,
        };
    }
}

/// Before the call is on, a device that is open counts as on: its preview is to be seen while it rings.
fn control(wish: &Wish, sent: bool, in_call: bool) -> Control {
    let actual = if in_call { sent } else { wish.wanted && !wish.opening };
    Control {
        wanted: wish.wanted,
        actual,
        working: wish.opening || (wish.error.is_none() && wish.wanted != actual),
        error: wish.error.clone(),
    }
}

fn failed(failure: &CallFailure) -> AppError {
    match failure {
        CallFailure::ServerUnreachable => {
            AppError::new(Code::ServerUnreachable, "The server can't be reached. Check your connection and call again.")
        }
        CallFailure::Refused(words) => {
            AppError::new(Code::CallFailed, format!("The server refused the call: {words}. Call again."))
        }
        CallFailure::EngineMissing(error) => AppError::new(Code::EngineMissing, error.to_string()),
        CallFailure::Media(error @ (EngineError::TokenRefused | EngineError::TokenExpired)) => AppError::new(
            Code::CallNotAdmitted,
            format!(
                "The call could not be connected: {error}, and so was a fresh one. Tell whoever runs the server that its \
                 Agora App ID and App Certificate don't belong together, or that its clock is wrong."
            ),
        ),
        CallFailure::Media(EngineError::Removed) => AppError::new(Code::CallFailed, "You were removed from the call."),
        CallFailure::Media(error) => AppError::new(
            Code::CallFailed,
            format!("The call could not be connected: {error}. Check the network or firewall and call again."),
        ),
        CallFailure::PeerGone => AppError::new(Code::CallFailed, "The other side did not come back. Call again."),
    }
}

/// Bars by what a person notices: delay in talking from about 400 ms round trip, damage from a few per cent of loss
/// (ITU-T G.114; Opus and the decoder conceal less above that).
fn quality(now: &Quality) -> QualityView {
    let round_trip_ms = u32::try_from(now.round_trip.as_millis()).unwrap_or(u32::MAX);
    let loss_percent = now.loss * 100.0;
    let (bars, sentence) = if now.receive_bitrate == 0 {
        (0, "Nothing arrives from the other side.")
    } else if round_trip_ms > 400 || loss_percent > 8.0 {
        (1, "The connection is weak; picture and sound may break up.")
    } else if round_trip_ms > 200 || loss_percent > 2.0 {
        (2, "The connection is fair.")
    } else {
        (3, "The connection is good.")
    };
    let kilobits = |bits: u64| u32::try_from(bits / 1000).unwrap_or(u32::MAX);
    QualityView {
        bars,
        sentence: sentence.to_owned(),
        round_trip_ms,
        loss_percent,
        send_kbps: kilobits(now.send_bitrate),
        receive_kbps: kilobits(now.receive_bitrate),
        receive_fps: now.receive_fps,
    }
}

/// The engine that a call is shown with until the token says which one it is.
pub(crate) const PRESUMED_ENGINE: EngineKind = EngineKind::Direct;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn bars_fall_with_delay_loss_and_silence() {
        let path = |ms, loss, bitrate| Quality {
            round_trip: Duration::from_millis(ms),
            loss,
            receive_bitrate: bitrate,
            ..Quality::default()
        };
        for (bars, path) in [
            (3, path(20, 0.0, 1_000_000)),
            (2, path(250, 0.0, 1_000_000)),
            (2, path(20, 0.05, 1_000_000)),
            (1, path(600, 0.0, 1_000_000)),
            (1, path(20, 0.2, 1_000_000)),
            (0, path(20, 0.0, 0)),
        ] {
            assert_eq!(quality(&path).bars, bars, "{path:?}");
        }
    }

    #[test]
    fn a_refused_server_is_told_as_something_that_its_operator_can_mend() {
        for error in [EngineError::TokenRefused, EngineError::TokenExpired] {
            let error = failed(&CallFailure::Media(error));
            assert_eq!(error.code, Code::CallNotAdmitted);
        }
        assert_eq!(failed(&CallFailure::Media(EngineError::TimedOut)).code, Code::CallFailed);
    }

    #[test]
    fn control_works_while_wanted_and_actual_differ_in_a_call() {
        let wish = Wish { wanted: true, ..Wish::default() };
        assert!(control(&wish, false, true).working);
        assert!(!control(&wish, true, true).working);
        assert!(control(&wish, false, false).actual, "an open device is on while it rings");
        let opening = Wish { opening: true, ..wish.clone() };
        assert!(control(&opening, false, false).working && !control(&opening, false, false).actual);
        let refused = Wish { error: Some(AppError::new(Code::NoCamera, "none")), ..wish };
        assert!(!control(&refused, false, true).working);
    }
}
