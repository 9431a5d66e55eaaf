//! What the client's process asks the provider's: one line of JSON there, one back.

use anyhow::{Context, Result, anyhow};
use parley_domain::{ConversationId, MeetingId, ProjectId, RequestId, UserId};
use parley_protocol::{rest::NewProposal, socket::MeetingEnded};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::clock::ClockZero;

/// One question, or one thing to do. They come in the order of this list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(crate) enum Ask {
    /// Sign in; [`SignedIn`].
    SignIn {
        /// Of the client's process.
        clock: ClockZero,
    },
    /// Make an offer; the proposal.
    Propose { request: RequestId, proposal: NewProposal },
    /// Wait for the project; as the provider sees it.
    HearProject { project: ProjectId },
    /// Wait for a message of that text; the message.
    HearMessage { text: String },
    /// Mark as read.
    MarkRead { conversation: ConversationId, seq: i64 },
    /// Begin to make pictures and sound.
    OpenSources,
    /// Wait for the ring; the invite.
    HearRing { meeting: MeetingId },
    /// Wait until it rings here.
    Ringing,
    /// Begin to look and listen, answer the ring, and wait until the meeting is active.
    Accept,
    /// Wait until the media path is up.
    Connected,
    /// Wait until pictures arrive.
    Sees,
    /// Say how it stands, at the beginning and at the end of the measurement; [`Standing`].
    Stand,
    /// Look and listen no longer; the figures of the pictures, of which so many were sent meanwhile.
    Seen { sent: u64 },
    /// The figures of the sound.
    Heard,
    /// Share a screen beside the camera, and wait until it is on its way.
    ShareScreen,
    /// Share it no longer; how many pictures were made of it.
    HideScreen,
    /// Wait until the call is over; [`Over`].
    Over,
    /// End the call's task and the sources.
    Finish,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SignedIn {
    pub(crate) user: UserId,
    /// Of the provider's process.
    pub(crate) clock: ClockZero,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// Made by the own source so far.
    pub(crate) pictures: u64,
    /// Used by the process so far, comparing left out, where the system says so.
    pub(crate) processor_seconds: Option<f64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Over {
    /// As the server told it.
    pub(crate) ended: MeetingEnded,
    /// The duration that the call's own session has.
    pub(crate) session_duration: Option<i64>,
}

/// The line of an answer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Done(Value),
    Failed(String),
}

/// The answer as a line, without its end.
pub(crate) fn to_line(answer: Result<Value>) -> Result<String> {
    let answer = answer.map_or_else(|error| Answer::Failed(format!("{error:#}")), Answer::Done);
    Ok(serde_json::to_string(&answer)?)
}

/// What the line of an answer says.
pub(crate) fn from_line<T: DeserializeOwned>(line: &str) -> Result<T> {
    match serde_json::from_str(line).with_context(|| format!("not an answer: {line}"))? {
        Answer::Done(value) => serde_json::from_value(value).context("an answer of another kind"),
        Answer::Failed(words) => Err(anyhow!(words)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_of_another_kind_and_no_answer_are_errors() {
        assert!(from_line::<Standing>("").is_err());
        assert!(from_line::<Standing>("{\"done\":{}}").is_err());
        assert!(from_line::<Standing>("thread panicked").is_err());
    }

    #[test]
    fn what_failed_is_told_with_its_causes() {
        let failed = to_line(Err(anyhow!("no route").context("can't sign in"))).unwrap();
        assert_eq!(from_line::<()>(&failed).unwrap_err().to_string(), "can't sign in: no route");
        let done = to_line(Ok(json!({ "pictures": 7, "processor_seconds": null }))).unwrap();
        assert_eq!(from_line::<Standing>(&done).unwrap().pictures, 7);
        assert!(!done.contains('\n'));
    }
}
