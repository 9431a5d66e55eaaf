//! Who offers, when, and to whom: the signalling of a join as a machine without sockets and without a clock.
//!
//! The side with the smaller uid offers. Both say hello when they join and until a path is being made, so that it
//! doesn't matter who is first; everything that matters is repeated until it is answered, and everything may come
//! late, twice or never. A path that was interrupted is made anew in a higher round. A side that joined again has a
//! new session, which replaces the earlier one.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::signal::{Body, Message, SessionId, Tracks};

/// How often hello is repeated while the other side is not known, from eager to patient.
const HELLO_EVERY: [Duration; 2] = [Duration::from_millis(1_000), Duration::from_millis(3_000)];
/// After so many it is patient.
const EAGER_HELLOS: u32 = 10;
/// How often an unanswered offer or restart is repeated.
const REPEAT_EVERY: Duration = Duration::from_millis(2_000);
/// A round that has made no path by then is given up for the next.
const ROUND_PATIENCE: Duration = Duration::from_secs(6);
/// Answers to hello that may follow each other no faster than this, so that no echo becomes a storm.
const HELLO_ANSWER_EVERY: Duration = Duration::from_millis(100);
/// Sessions that are remembered as gone.
const REMEMBERED: usize = 16;

/// What the machine wants done.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// Send this by way of the server.
    Send(Message),
    /// Make a path and its offer, and say [`Negotiation::on_offer_made`].
    MakeOffer { round: u32 },
    /// Make a path for this offer, and say [`Negotiation::on_answer_made`].
    MakeAnswer { round: u32, sdp: String },
    /// The other side's answer to the path of that round.
    Accept { round: u32, sdp: String },
    /// The other side can also be reached here.
    AddCandidate { round: u32, candidate: String },
    /// The other side is there, or another session of it: whatever path there was is gone.
    PeerAppeared,
    /// The other side said bye.
    PeerGone,
    /// What the other side sends and wants.
    PeerTracks(Tracks),
}

/// How far the path of the current round is.
#[derive(Debug, PartialEq)]
enum Stage {
    /// There is none.
    Nothing,
    /// Our offer is out, or being made.
    Offered { offer: Option<Message>, since: Instant, sent: Instant },
    /// We answered their offer.
    Answered { answer: Option<Message>, since: Instant },
    /// The media path is up.
    Connected,
    /// It was up; a new round is asked for.
    Lost { sent: Option<Instant> },
}

/// One join's side of the signalling.
pub(crate) struct Negotiation {
    ours: SessionId,
    offers: bool,
    peer: Option<SessionId>,
    gone: VecDeque<SessionId>,
    round: u32,
    stage: Stage,
    tracks: Tracks,
    tracks_count: u32,
    peer_tracks_count: Option<u32>,
    hellos: u32,
    next_hello: Instant,
    last_answer: Option<Instant>,
    heard: Option<Instant>,
    ignored: u64,
}

impl Negotiation {
    /// The signalling of a new join. `offers` on exactly one side.
    pub(crate) fn new(ours: SessionId, offers: bool, tracks: Tracks, now: Instant) -> Self {
        Self {
            ours,
            offers,
            peer: None,
            gone: VecDeque::new(),
            round: 0,
            stage: Stage::Nothing,
            tracks,
            tracks_count: 0,
            peer_tracks_count: None,
            hellos: 0,
            next_hello: now,
            last_answer: None,
            heard: None,
            ignored: 0,
        }
    }

    /// Messages that were late, twice, or not meant for us.
    pub(crate) fn ignored_count(&self) -> u64 {
        self.ignored
    }

    /// When the other side's present session last said anything.
    pub(crate) fn last_heard(&self) -> Option<Instant> {
        self.heard
    }

    /// What is due at `now`.
    pub(crate) fn poll(&mut self, now: Instant) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.wants_hello() && now >= self.next_hello {
            self.hellos += 1;
            self.next_hello = now + HELLO_EVERY[usize::from(self.hellos > EAGER_HELLOS)];
            steps.push(self.send(Body::Hello));
        }
        match &mut self.stage {
            Stage::Nothing if self.offers && self.peer.is_some() => steps.extend(self.offer(now)),
            Stage::Offered { since, .. } if now >= *since + ROUND_PATIENCE => steps.extend(self.offer(now)),
            Stage::Offered { offer: Some(offer), sent, .. } if now >= *sent + REPEAT_EVERY => {
                *sent = now;
                steps.push(Step::Send(offer.clone()));
            }
            Stage::Answered { since, .. } if now >= *since + ROUND_PATIENCE => self.stage = Stage::Lost { sent: None },
            Stage::Lost { sent } if sent.is_none_or(|sent| now >= sent + REPEAT_EVERY) => {
                *sent = Some(now);
                let round = self.round;
                steps.extend(if self.offers { self.offer(now) } else { vec![self.send(Body::Restart { round })] });
            }
            _ => {}
        }
        steps
    }

    /// When [`Self::poll`] will have something to do, unless something else happens before.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let hello = self.wants_hello().then_some(self.next_hello);
        let stage = match &self.stage {
            Stage::Nothing | Stage::Connected => None,
            Stage::Offered { since, sent, offer } => {
                let repeat = offer.as_ref().map(|_| *sent + REPEAT_EVERY);
                repeat.into_iter().chain([*since + ROUND_PATIENCE]).min()
            }
            Stage::Answered { since, .. } => Some(*since + ROUND_PATIENCE),
            Stage::Lost { sent } => sent.map(|sent| sent + REPEAT_EVERY),
        };
        hello.into_iter().chain(stage).min()
    }

    /// A message from the other side.
    pub(crate) fn on_message(&mut self, message: Message, now: Instant) -> Vec<Step> {
        let knows_us = message.to.as_ref() == Some(&self.ours);
        if message.from == self.ours || (message.to.is_some() && !knows_us && message.body != Body::Hello) {
            return self.ignore();
        }
        let mut steps = Vec::new();
        if self.peer.as_ref() != Some(&message.from) {
            // A session that is gone only counts if it says that it has heard of us: it came back to life then.
            let is_gone = self.gone.contains(&message.from);
            if message.body == Body::Bye || (is_gone && !knows_us) {
                return self.ignore();
            }
            self.adopt(message.from.clone());
            steps.push(Step::PeerAppeared);
        }
        self.heard = Some(now);
        match message.body {
            Body::Hello => {
                if !knows_us && self.last_answer.is_none_or(|last| now >= last + HELLO_ANSWER_EVERY) {
                    self.last_answer = Some(now);
                    steps.push(self.send(Body::Hello));
                }
            }
            Body::Offer { round, sdp } if !self.offers && knows_us => match &self.stage {
                Stage::Answered { answer: Some(answer), .. } if round == self.round => {
                    steps.push(Step::Send(answer.clone()));
                }
                _ if round > self.round => {
                    self.round = round;
                    self.stage = Stage::Answered { answer: None, since: now };
                    steps.push(Step::MakeAnswer { round, sdp });
                }
                _ => self.ignored += 1,
            },
            Body::Answer { round, sdp } if self.offers && round == self.round => match &mut self.stage {
                Stage::Offered { offer, .. } if offer.is_some() => {
                    *offer = None;
                    steps.push(Step::Accept { round, sdp });
                }
                _ => self.ignored += 1,
            },
            Body::Candidate { round, candidate } if round == self.round => {
                steps.push(Step::AddCandidate { round, candidate });
            }
            Body::Restart { round } if self.offers && round == self.round => match self.stage {
                // An offer that is on its way already answers this.
                Stage::Offered { .. } => self.ignored += 1,
                _ => self.stage = Stage::Lost { sent: None },
            },
            Body::Tracks { count, tracks } if self.peer_tracks_count.is_none_or(|last| count > last) => {
                self.peer_tracks_count = Some(count);
                steps.push(Step::PeerTracks(tracks));
            }
            Body::Bye => {
                self.forget_peer(now);
                steps.push(Step::PeerGone);
            }
            _ => self.ignored += 1,
        }
        steps.extend(self.poll(now));
        steps
    }

    /// The offer of that round is ready.
    pub(crate) fn on_offer_made(&mut self, round: u32, sdp: String, now: Instant) -> Vec<Step> {
        if round != self.round || !matches!(self.stage, Stage::Offered { offer: None, .. }) {
            return Vec::new();
        }
        let message = self.message(Body::Offer { round, sdp });
        self.stage = Stage::Offered { offer: Some(message.clone()), since: now, sent: now };
        vec![Step::Send(message), self.say_tracks()]
    }

    /// The answer of that round is ready.
    pub(crate) fn on_answer_made(&mut self, round: u32, sdp: String, now: Instant) -> Vec<Step> {
        if round != self.round || !matches!(self.stage, Stage::Answered { answer: None, .. }) {
            return Vec::new();
        }
        let message = self.message(Body::Answer { round, sdp });
        self.stage = Stage::Answered { answer: Some(message.clone()), since: now };
        vec![Step::Send(message), self.say_tracks()]
    }

    /// The description of that round could not be used: it counts as a message that never came.
    pub(crate) fn on_refused(&mut self, round: u32) {
        self.ignored += 1;
        if round == self.round && !self.offers {
            self.round = round - u32::from(round > 0);
            self.stage = Stage::Nothing;
        }
    }

    /// The media path is up.
    pub(crate) fn on_connected(&mut self) {
        self.stage = Stage::Connected;
    }

    /// The media path is interrupted: a new round begins at once.
    pub(crate) fn on_disconnected(&mut self, now: Instant) -> Vec<Step> {
        self.stage = Stage::Lost { sent: None };
        self.poll(now)
    }

    /// Nothing was heard of the other side for too long: as if it had said bye.
    pub(crate) fn on_peer_silent(&mut self, now: Instant) {
        self.forget_peer(now);
    }

    /// What we send or want has changed.
    pub(crate) fn set_tracks(&mut self, tracks: Tracks) -> Option<Step> {
        if self.tracks == tracks {
            return None;
        }
        self.tracks = tracks;
        self.peer.is_some().then(|| self.say_tracks())
    }

    /// To be sent when leaving.
    pub(crate) fn bye(&self) -> Option<Message> {
        self.peer.is_some().then(|| self.message(Body::Bye))
    }

    fn wants_hello(&self) -> bool {
        self.peer.is_none() || (self.stage == Stage::Nothing && !self.offers)
    }

    fn offer(&mut self, now: Instant) -> Vec<Step> {
        self.round += 1;
        self.stage = Stage::Offered { offer: None, since: now, sent: now };
        vec![Step::MakeOffer { round: self.round }]
    }

    fn adopt(&mut self, peer: SessionId) {
        self.gone.retain(|gone| *gone != peer);
        if let Some(earlier) = self.peer.replace(peer) {
            self.remember_gone(earlier);
        }
        // Rounds go on rising on the offering side; the answering side takes what the new session begins with.
        if !self.offers {
            self.round = 0;
        }
        self.stage = Stage::Nothing;
        self.peer_tracks_count = None;
        self.last_answer = None;
        self.hellos = 0;
    }

    fn forget_peer(&mut self, now: Instant) {
        if let Some(peer) = self.peer.take() {
            self.remember_gone(peer);
        }
        self.stage = Stage::Nothing;
        self.heard = None;
        self.next_hello = now + HELLO_EVERY[0];
    }

    fn remember_gone(&mut self, peer: SessionId) {
        if self.gone.len() == REMEMBERED {
            self.gone.pop_front();
        }
        self.gone.push_back(peer);
    }

    fn ignore(&mut self) -> Vec<Step> {
        self.ignored += 1;
        Vec::new()
    }

    fn say_tracks(&mut self) -> Step {
        self.tracks_count += 1;
        self.send(Body::Tracks { count: self.tracks_count, tracks: self.tracks })
    }

    fn send(&self, body: Body) -> Step {
        Step::Send(self.message(body))
    }

    fn message(&self, body: Body) -> Message {
        Message::new(self.ours.clone(), self.peer.clone(), body)
    }
}

#[cfg(test)]
mod tests;
