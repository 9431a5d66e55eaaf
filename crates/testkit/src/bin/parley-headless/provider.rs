//! The provider's process: does what the client's asks of it, line by line, until there are no more lines.

use std::time::Duration;

use anyhow::{Context, Result};
use parley_call::{Opening, Phase};
use parley_client::ClientEvent;
use parley_domain::MeetingId;
use parley_media::VideoSource;
use parley_testkit::{Caller, PROVIDER};
use serde_json::{Value, to_value};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::{
    arguments::Arguments,
    call::{Attending, Heard, OF_CLIENT, OF_PROVIDER, Sending, Side, hear_active},
    clock::ClockZero,
    talk::{self, Ask, Over, SignedIn},
};

/// Answers until standard input is closed: the other process has ended or was killed.
pub(crate) async fn serve(arguments: &Arguments) -> Result<()> {
    let mut asks = BufReader::new(tokio::io::stdin()).lines();
    let mut answers = tokio::io::stdout();
    let mut provider = Provider::new(arguments);
    while let Some(line) = asks.next_line().await? {
        let answer = tokio::select! {
            answer = provider.answer(&line) => answer,
            // Nobody asks while an answer is awaited, so this is the end of the other process.
            _ = asks.next_line() => break,
        };
        let mut line = talk::to_line(answer)?;
        line.push('\n');
        answers.write_all(line.as_bytes()).await?;
        answers.flush().await?;
    }
    Ok(())
}

fn done((): ()) -> Value {
    Value::Null
}

/// The provider, with what there is of the call so far.
struct Provider<'a> {
    arguments: &'a Arguments,
    person: Option<Caller>,
    /// Of the client's process.
    clock: Option<ClockZero>,
    sending: Option<Sending>,
    side: Option<Side>,
    attending: Option<Attending>,
    heard: Option<Heard>,
    screen: Option<VideoSource>,
}

impl<'a> Provider<'a> {
    fn new(arguments: &'a Arguments) -> Self {
        Self {
            arguments,
            person: None,
            clock: None,
            sending: None,
            side: None,
            attending: None,
            heard: None,
            screen: None,
        }
    }

    async fn answer(&mut self, line: &str) -> Result<Value> {
        match serde_json::from_str(line).with_context(|| format!("not understood: {line}"))? {
            Ask::SignIn { clock } => self.sign_in(clock).await,
            Ask::Propose { request, proposal } => {
                let proposal = self.person()?.client.rest().propose(request, &proposal).await;
                Ok(to_value(proposal.context("the offer can't be made")?)?)
            }
            Ask::HearProject { project } => {
                let project = self.person()?.hear("of the project", |event| match event {
                    ClientEvent::Project(heard) if heard.id == project => Some(heard),
                    _ => None,
                });
                Ok(to_value(project.await?)?)
            }
            Ask::HearMessage { text } => {
                let message = self.person()?.hear("the message", |event| match event {
                    ClientEvent::Message(message) if message.content == text => Some(message),
                    _ => None,
                });
                Ok(to_value(message.await?)?)
            }
            Ask::MarkRead { conversation, seq } => {
                self.person()?.client.mark_read(conversation, seq).await?;
                Ok(Value::Null)
            }
            Ask::OpenSources => {
                self.sending = Some(Sending::start(OF_PROVIDER, self.arguments)?);
                Ok(Value::Null)
            }
            Ask::HearRing { meeting } => self.hear_ring(meeting).await,
            Ask::Ringing => self.side()?.reach(Phase::RingingIn { accepting: false }).await.map(done),
            Ask::Accept => self.accept().await.map(done),
            Ask::Connected => self.side()?.reach(Phase::Connected).await.map(done),
            Ask::Sees => self.side()?.sees().await.map(done),
            Ask::Stand => {
                let attending = self.attending.as_ref().context("nobody looks")?;
                Ok(to_value(self.side()?.stand(attending)?)?)
            }
            Ask::Seen { sent } => {
                let (pictures, heard) = self.attending.take().context("nobody looks")?.finish(sent).await?;
                self.heard = Some(heard);
                Ok(to_value(pictures)?)
            }
            Ask::Heard => self.heard.take().context("nobody listened")?.figures().await,
            Ask::ShareScreen => {
                self.screen = Some(self.side()?.share_screen().await?);
                Ok(Value::Null)
            }
            Ask::HideScreen => {
                let screen = self.screen.take().context("no screen is shared")?;
                Ok(to_value(self.side()?.hide_screen(screen).await?)?)
            }
            Ask::Over => self.over().await,
            Ask::Finish => self.side.take().context("there is no call")?.finish().await.map(done),
        }
    }

    fn person(&mut self) -> Result<&mut Caller> {
        self.person.as_mut().context("nobody is signed in")
    }

    fn side(&self) -> Result<&Side> {
        self.side.as_ref().context("there is no call")
    }

    async fn sign_in(&mut self, clock: ClockZero) -> Result<Value> {
        let Arguments { server, data_dir, engine, .. } = self.arguments;
        let server = server.as_deref().context("no --server")?;
        let person = Caller::sign_in(server, PROVIDER, &data_dir.join("provider"), engine.announced()).await?;
        let person = self.person.insert(person);
        self.clock = Some(clock);
        Ok(to_value(SignedIn { user: person.client.user().id, clock: ClockZero::here() })?)
    }

    async fn hear_ring(&mut self, meeting: MeetingId) -> Result<Value> {
        let sending = self.sending.take().context("there is nothing to send yet")?;
        let arguments = self.arguments;
        let person = self.person()?;
        let invite = person.hear("the ring", |event| match event {
            ClientEvent::Invite(invite) if invite.meeting_id == meeting => Some(invite),
            _ => None,
        });
        let invite = invite.await?;
        let opening = Opening::Invited { ring_for: Duration::from_secs(invite.expires_in_seconds) };
        let side = Side::begin(person, meeting, opening, sending, arguments);
        self.side = Some(side);
        Ok(to_value(invite)?)
    }

    async fn accept(&mut self) -> Result<()> {
        let clock = self.clock.context("nobody is signed in")?;
        let side = self.side()?;
        let (meeting, attending) = (side.session.meeting(), side.attend(OF_CLIENT, clock, self.arguments)?);
        side.session.accept();
        self.attending = Some(attending);
        hear_active(self.person()?, meeting).await
    }

    async fn over(&mut self) -> Result<Value> {
        let side = self.side()?;
        let (meeting, session_duration) = (side.session.meeting(), side.over().await?);
        let ended = self.person()?.hear("that the meeting is over", |event| match event {
            ClientEvent::MeetingEnded(ended) if ended.meeting_id == meeting => Some(ended),
            _ => None,
        });
        Ok(to_value(Over { ended: ended.await?, session_duration })?)
    }
}
