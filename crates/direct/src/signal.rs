//! What the two engines say to each other by way of the server: JSON, every message with the sessions it is from and
//! meant for. Offers and answers are plain SDP, so that a browser can be the other side.

use std::fmt;

use rand::RngExt;
use serde::{Deserialize, Serialize};

/// Longer texts are not even parsed. An offer has about 4 kB.
pub(crate) const MAX_SIGNAL: usize = 64 * 1024;
/// The only version there is.
const VERSION: u32 = 1;

/// One join of one engine. A new join has a new one, so that what belongs to an earlier join is recognised.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct SessionId(String);

impl SessionId {
    /// A new one: 64 random bits.
    pub(crate) fn random() -> Self {
        Self(format!("{:016x}", rand::rng().random::<u64>()))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<SessionId> for String {
    fn from(id: SessionId) -> Self {
        id.0
    }
}

impl TryFrom<String> for SessionId {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let sound = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if sound { Ok(Self(text)) } else { Err("a session is 1 to 32 letters and digits") }
    }
}

/// What a side sends and wants to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tracks {
    /// Pictures are being sent.
    pub(crate) video: bool,
    /// Sound is being sent.
    pub(crate) audio: bool,
    /// Pictures of the other side are looked at.
    pub(crate) wants_video: bool,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Body {
    /// I am here. Repeated until a path is being made; answered when it shows that the other side doesn't know us.
    Hello,
    /// The description of a new path; a higher round replaces every lower one.
    Offer { round: u32, sdp: String },
    /// The answer to the offer of that round.
    Answer { round: u32, sdp: String },
    /// One more way to reach the sender, as in `RTCIceCandidate.candidate`.
    Candidate { round: u32, candidate: String },
    /// The path is gone; the side that offers please offer again.
    Restart { round: u32 },
    /// What I send and want has changed. Higher counts are newer.
    Tracks { count: u32, tracks: Tracks },
    /// I leave.
    Bye,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Message {
    v: u32,
    /// Who says it.
    pub(crate) from: SessionId,
    /// Whom the sender takes us for; `None` when it doesn't know us yet.
    pub(crate) to: Option<SessionId>,
    /// What is said.
    #[serde(flatten)]
    pub(crate) body: Body,
}

/// Why a message was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Too long.
    #[error("it has {0} bytes")]
    TooLong(usize),
    /// Not our JSON.
    #[error("it can't be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A version that we don't speak.
    #[error("it has version {0}")]
    Version(u32),
}

impl Message {
    /// A message of today's version.
    pub(crate) fn new(from: SessionId, to: Option<SessionId>, body: Body) -> Self {
        Self { v: VERSION, from, to, body }
    }

    /// As it is carried.
    pub(crate) fn to_text(&self) -> String {
        serde_json::to_string(self).expect("strings, numbers and flags can always be written as JSON")
    }

    /// Reads foreign text.
    pub(crate) fn parse(text: &str) -> Result<Self, Refused> {
        if text.len() > MAX_SIGNAL {
            return Err(Refused::TooLong(text.len()));
        }
        let message: Self = serde_json::from_str(text)?;
        if message.v == VERSION { Ok(message) } else { Err(Refused::Version(message.v)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_ours_is_refused() {
        let long = format!(r#"{{"v":1,"from":"a","to":null,"type":"hello","x":"{}"}}"#, "y".repeat(MAX_SIGNAL));
        for text in [
            "",
            "null",
            "[]",
            "{}",
            "\u{0}",
            r#"{"v":1,"from":"a","type":"unknown"}"#,
            r#"{"v":2,"from":"a","to":null,"type":"hello"}"#,
            r#"{"v":1,"from":"","to":null,"type":"hello"}"#,
            r#"{"v":1,"from":"a b","to":null,"type":"hello"}"#,
            r#"{"v":1,"from":"a","to":"b","type":"offer","round":-1,"sdp":""}"#,
            r#"{"v":1,"from":"a","to":"b","type":"offer","round":4294967296,"sdp":""}"#,
            r#"{"v":1,"from":"a","to":"b","type":"offer","round":1}"#,
            &long,
        ] {
            assert!(Message::parse(text).is_err(), "{text:.60}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let (one, two) = (SessionId::random(), SessionId::random());
        assert_ne!(one, two);
        for body in [
            Body::Hello,
            Body::Offer { round: 1, sdp: "v=0\r\n".to_owned() },
            Body::Answer { round: 1, sdp: "v=0\r\n".to_owned() },
            Body::Candidate { round: 9, candidate: "candidate:1 1 udp 1 127.0.0.1 9 typ host".to_owned() },
            Body::Restart { round: 3 },
            Body::Tracks { count: 2, tracks: Tracks { video: true, audio: false, wants_video: true } },
            Body::Bye,
        ] {
            let message = Message::new(one.clone(), Some(two.clone()), body);
            assert_eq!(Message::parse(&message.to_text()).unwrap(), message);
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = Message::parse(&text);
        }
    }
}
