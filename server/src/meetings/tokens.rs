//! The tokens that open a meeting's channel.

use parley_agora_token::{ChannelName, JoinRefused, Privileges, RtcToken, parse};
use parley_domain::{AgoraUid, MeetingUids, Timestamp, UserId};
use parley_protocol::rest::{MeetingToken, PeerUids, ScreenToken};
use parley_store::MeetingView;

use crate::{
    problem::{Outcome, Refusal},
    secrets::AppKeys,
    state::App,
};

/// One person's numbers in a meeting.
struct Numbers {
    own: AgoraUid,
    own_screen: AgoraUid,
    peer: AgoraUid,
    peer_screen: AgoraUid,
}

fn numbers(view: &MeetingView, person: UserId) -> Numbers {
    let MeetingUids { host, guest, host_screen, guest_screen } = view.uids;
    if person == view.meeting.host_id {
        Numbers { own: host, own_screen: host_screen, peer: guest, peer_screen: guest_screen }
    } else {
        Numbers { own: guest, own_screen: guest_screen, peer: host, peer_screen: host_screen }
    }
}

/// Mints that person's tokens. Whether the meeting is open to the person is asked before.
pub(crate) fn mint(app: &App, view: &MeetingView, person: UserId) -> Outcome<MeetingToken> {
    let keys = app.secrets.for_engine(view.meeting.engine);
    let numbers = numbers(view, person);
    let issued_at = u32::try_from(app.now().as_millis().div_euclid(1000)).map_err(Refusal::internal)?;
    let lifetime = u32::try_from(app.config.timing.meeting_token.as_secs()).map_err(Refusal::internal)?;
    let sign = |uid: AgoraUid| -> Outcome<String> {
        let channel = ChannelName::new(view.meeting.channel_name.as_str()).map_err(Refusal::internal)?;
        let token = RtcToken {
            app_id: keys.id.clone(),
            channel,
            uid: uid.get(),
            issued_at,
            expires_in: lifetime,
            // Agora's own builders draw from this range.
            salt: rand::random_range(1..100_000_000),
            privileges: Privileges::publisher(lifetime),
        };
        Ok(token.build(&keys.certificate))
    };
    let ice_servers = &app.config.ice_servers.0;
    Ok(MeetingToken {
        token: sign(numbers.own)?,
        uid: numbers.own,
        channel_name: view.meeting.channel_name.clone(),
        app_id: keys.id.as_str().to_owned(),
        expires_at: Timestamp::from_millis((i64::from(issued_at) + i64::from(lifetime)) * 1000),
        engine: view.meeting.engine,
        screen: ScreenToken { token: sign(numbers.own_screen)?, uid: numbers.own_screen },
        peer: PeerUids { uid: numbers.peer, screen_uid: numbers.peer_screen },
        ice_servers: (!ice_servers.is_empty()).then(|| ice_servers.clone()),
    })
}

/// Whether that token lets that person into that meeting now.
pub(crate) fn check(app: &App, view: &MeetingView, person: UserId, token: &str) -> Result<(), JoinRefused> {
    let AppKeys { id, certificate } = app.secrets.for_engine(view.meeting.engine);
    let now = u64::try_from(app.now().as_millis().div_euclid(1000)).unwrap_or(0);
    let parsed = parse(token).map_err(|_| JoinRefused::Signature)?;
    parsed.check_rtc_join((id, certificate), &view.meeting.channel_name, numbers(view, person).own.get(), now)
}
