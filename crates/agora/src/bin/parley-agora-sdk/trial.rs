//! `check` with an Agora account: two ends of ours meet in a channel. Each is a process of its own, because the desktop
//! library carries one call a process, and because a library that crashes or hangs then ends only that.

use std::{
    fmt,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};

use parley_agora_token::{AppCertificate, AppId, ChannelName, Privileges, RtcToken};
use parley_domain::AgoraUid;

use crate::end::{Said, Step, Task};

/// The project's App ID.
pub(crate) const APP_ID: &str = "AGORA_APP_ID";
/// Its secret.
pub(crate) const CERTIFICATE: &str = "AGORA_APP_CERTIFICATE";
/// What is hidden behind this word is done by `end`.
pub(crate) const END: &str = "end";

/// So many seconds the next step may take. A silent join ends itself before that. They are waited for one by one, so
/// that a machine that sleeps in between uses up only one.
const PATIENCE: u32 = 20;
const SECOND: Duration = Duration::from_secs(1);
/// Seconds that a token lives.
const LIFE: u32 = 600;
/// So much of what an end prints is read.
const PRINTED: u64 = 1 << 20;
/// How often it is asked whether a process has ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOKS: u32 = PATIENCE * 50;
/// The steps that both ends come to before they are told to leave.
const IN_THE_CALL: [Step; 5] = [Step::Joined, Step::PeerConnected, Step::Picture, Step::Sound, Step::Renewed];
const NAMES: [&str; 2] = ["first", "second"];

/// Whose network is used. Tokens are signed here; the certificate goes nowhere.
pub(crate) struct Account {
    app_id: AppId,
    certificate: AppCertificate,
}

impl Account {
    /// From what the two variables hold; `None` if neither is set.
    pub(crate) fn new(app_id: Option<String>, certificate: Option<String>) -> Result<Option<Self>, String> {
        let lacks =
            |name: &str, other: &str| format!("{other} is set and {name} is not; joining needs both or neither");
        match (app_id, certificate) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(lacks(APP_ID, CERTIFICATE)),
            (Some(_), None) => Err(lacks(CERTIFICATE, APP_ID)),
            (Some(app_id), Some(certificate)) => Ok(Some(Self {
                app_id: AppId::new(app_id).map_err(|error| format!("{APP_ID} is damaged: {error}"))?,
                certificate: AppCertificate::new(certificate)
                    .map_err(|error| format!("{CERTIFICATE} is damaged: {error}"))?,
            })),
        }
    }

    fn token(&self, channel: &ChannelName, uid: AgoraUid, salt: u32) -> Result<String, String> {
        let now = UNIX_EPOCH.elapsed().map_err(|_| "this machine's clock is before 1970; set it".to_owned())?;
        let token = RtcToken {
            app_id: self.app_id.clone(),
            channel: channel.clone(),
            uid: uid.get(),
            issued_at: u32::try_from(now.as_secs())
                .map_err(|_| "this machine's clock is after 2106; set it".to_owned())?,
            expires_in: LIFE,
            salt,
            privileges: Privileges::publisher(LIFE),
        };
        Ok(token.build(&self.certificate))
    }
}

/// Lets two ends meet in a channel that nobody else knows, and tells each step; answers what it all came to.
pub(crate) fn run(program: &Path, library: &Path, account: &Account, tell: impl Fn(String)) -> Result<String, String> {
    let begun = Instant::now();
    let (sender, said) = sync_channel(64);
    let mut ends = Vec::with_capacity(NAMES.len());
    for (number, task) in tasks(account)?.into_iter().enumerate() {
        ends.push(End::start(program, library, &task, number, sender.clone())?);
    }
    drop(sender);
    let mut trial = Trial { ends, said, begun, tell };
    trial.reach(&IN_THE_CALL)?;
    trial.ends.iter_mut().for_each(End::leave);
    trial.reach(&[Step::Left])?;
    for (name, end) in NAMES.iter().zip(&mut trial.ends) {
        match end.wait() {
            Some(status) if status.success() => {}
            Some(status) => {
                return Err(format!("The {name} end's process was ended by the library after the call ({status})"));
            }
            None => return Err(format!("The {name} end's process does not end after the call")),
        }
    }
    let seconds = begun.elapsed().as_secs_f32();
    Ok(format!(
        "A call over it works: both ends came, saw and heard each other, and went on with new tokens ({seconds:.1} s)."
    ))
}

/// What the two ends are to do.
fn tasks(account: &Account) -> Result<[Task; 2], String> {
    let mut random = [0; 24];
    getrandom::fill(&mut random).map_err(|error| format!("this system gives no random numbers ({error})"))?;
    let (words, name) = random.split_at(8);
    let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| words[at + byte]));
    let digits: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
    let channel = ChannelName::new(format!("parley-check-{digits}")).map_err(|error| error.to_string())?;
    // Neither is 0, and they differ in every bit that their pictures and tones show.
    let first = word(0) >> 1 | 0x1_0000;
    let [first, second] = [first, first ^ 0xffff];
    let salt = word(4) % 90_000_000 + 1;
    let task = |own: u32, peer: u32, salt: u32| {
        let uid = |number: u32| AgoraUid::new(number).ok_or("a number of 0 was drawn");
        let own = uid(own)?;
        Ok::<_, String>(Task {
            app_id: account.app_id.to_string(),
            channel: channel.to_string(),
            own,
            peer: uid(peer)?,
            token: account.token(&channel, own, salt)?,
            next_token: account.token(&channel, own, salt + 1)?,
        })
    };
    Ok([task(first, second, salt)?, task(second, first, salt + 2)?])
}

/// What was heard of an end; `None`: it says nothing any more.
type Heard = (usize, Option<Said>);

struct Trial<T> {
    ends: Vec<End>,
    said: Receiver<Heard>,
    begun: Instant,
    tell: T,
}

impl<T: Fn(String)> Trial<T> {
    /// Waits until both ends have come to all of `steps`.
    fn reach(&mut self, steps: &[Step]) -> Result<(), String> {
        let mut missing: Vec<(Step, usize)> =
            steps.iter().flat_map(|step| (0..NAMES.len()).map(|end| (*step, end))).collect();
        while let Some(&(awaited, late)) = missing.first() {
            let heard = (0..PATIENCE).find_map(|_| self.said.recv_timeout(SECOND).ok());
            let Some((number, said)) = heard else {
                let name = NAMES[late];
                return Err(format!("The {name} end {} within {PATIENCE} s; {}", Lacks(awaited), advice(awaited)));
            };
            let name = NAMES[number];
            match said {
                Some(Said::Done(step)) => {
                    missing.retain(|awaited| *awaited != (step, number));
                    let seconds = self.begun.elapsed().as_secs_f32();
                    (self.tell)(format!("{seconds:6.1} s  the {name} end {step}"));
                }
                Some(Said::Failed(reason)) => {
                    let seconds = self.begun.elapsed().as_secs_f32();
                    return Err(format!("After {seconds:.1} s at the {name} end: {reason}"));
                }
                None if missing.iter().any(|(_, end)| *end == number) => {
                    let status = self.ends[number].wait();
                    let how = status.map(|status| format!(" ({status})")).unwrap_or_default();
                    return Err(format!("The library ended the {name} end's process{how}; take another version of it"));
                }
                None => {}
            }
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Joined => "is in the channel",
            Self::PeerConnected => "meets the other one",
            Self::Picture => "sees the other one's picture",
            Self::Sound => "hears the other one's tone",
            Self::Renewed => "goes on with a new token",
            Self::Left => "has left",
        })
    }
}

/// The step that did not come.
struct Lacks(Step);

impl fmt::Display for Lacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Step::Joined => "did not get into the channel",
            Step::PeerConnected => "heard nothing of the other one, which is in the same channel,",
            Step::Picture => "saw nothing of the other one's picture",
            Step::Sound => "heard nothing of the other one's tone",
            Step::Renewed => "got no more pictures or no more sound with a new token",
            Step::Left => "did not leave",
        })
    }
}

fn advice(step: Step) -> &'static str {
    match step {
        Step::Joined | Step::PeerConnected => "let this machine reach *.agora.io and *.agoralab.co, by UDP too",
        Step::Picture | Step::Sound => {
            "let UDP through to *.agora.io and *.agoralab.co; where it goes through, docs/agora-checklist.md says what to look at"
        }
        Step::Renewed | Step::Left => "docs/agora-checklist.md says what to look at; tell us the library's version",
    }
}

/// A process that is one end. It is ended when this is dropped.
struct End {
    process: Child,
    /// Closing it tells the end to leave.
    input: Option<ChildStdin>,
}

impl End {
    fn start(
        program: &Path,
        library: &Path,
        task: &Task,
        number: usize,
        said: SyncSender<Heard>,
    ) -> Result<Self, String> {
        let mut process = Command::new(program)
            .arg(END)
            .arg(library)
            // It gets tokens; who runs foreign code needs no more.
            .env_remove(CERTIFICATE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("a process for one end of the call did not start, {error}"))?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let mut end = Self { process, input };
        if let Some(output) = output {
            thread::spawn(move || hear(output, number, &said));
        }
        let task = serde_json::to_string(task).map_err(|error| error.to_string())?;
        if let Some(input) = &mut end.input {
            // Who has ended already is noticed by what it says no more.
            let _ = writeln!(input, "{task}").and_then(|()| input.flush());
        }
        Ok(end)
    }

    fn leave(&mut self) {
        self.input = None;
    }

    /// How its process ended, if it does so in time.
    fn wait(&mut self) -> Option<ExitStatus> {
        (0..LOOKS).find_map(|_| {
            let ended = self.process.try_wait().ok().flatten();
            if ended.is_none() {
                thread::sleep(LOOK_EVERY);
            }
            ended
        })
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // After a call that went well it has ended already, and this does nothing.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Passes on what an end says, until it says nothing any more or nobody listens.
fn hear(output: ChildStdout, number: usize, said: &SyncSender<Heard>) {
    let lines = BufReader::new(output.take(PRINTED)).split(b'\n').map_while(Result::ok);
    for line in lines {
        if let Some(heard) = Said::in_line(&String::from_utf8_lossy(&line))
            && said.send((number, Some(heard))).is_err()
        {
            return;
        }
    }
    let _ = said.send((number, None));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_variables_or_neither_and_what_is_wrong_never_repeats_them() {
        let hex = || Some("5cfd2fd1755d40ecb72977518be15d3b".to_owned());
        assert!(Account::new(None, None).is_ok_and(|account| account.is_none()));
        assert!(Account::new(hex(), hex()).is_ok_and(|account| account.is_some()));
        for (app_id, certificate, named) in [
            (hex(), None, "AGORA_APP_CERTIFICATE is not"),
            (None, hex(), "AGORA_APP_ID is not"),
            (Some("short".to_owned()), hex(), "AGORA_APP_ID is damaged"),
            (hex(), Some("short".to_owned()), "AGORA_APP_CERTIFICATE is damaged"),
        ] {
            let said = Account::new(app_id, certificate).map(drop).expect_err("refused");
            assert!(said.contains(named) && !said.contains("short") && !said.contains("5cfd"), "{said}");
        }
    }

    #[test]
    fn two_ends_know_each_other_and_each_has_tokens_of_its_own() {
        let hex = || Some("5cfd2fd1755d40ecb72977518be15d3b".to_owned());
        let account = Account::new(hex(), hex()).expect("valid").expect("set");
        let [one, other] = tasks(&account).expect("drawn");
        assert_eq!((one.own, one.peer, &one.channel), (other.peer, other.own, &other.channel));
        assert_eq!(one.own.get() ^ other.own.get(), 0xffff);
        let tokens: std::collections::HashSet<_> =
            [one.token, one.next_token, other.token, other.next_token].into_iter().collect();
        assert_eq!(tokens.len(), 4);
        assert_ne!(tasks(&account).expect("drawn")[0].channel, one.channel);
    }
}
