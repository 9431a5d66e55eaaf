//! One end of a trial, in a process of its own: joins by the engine that a call uses, and says each step that it comes to.

use std::{
    io::{self, BufRead, Read, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use parley_call::{
    Attempt, AudioQueue, Credentials, EngineError, EngineEvent, EnginePorts, FramePool, LatestSlot, MediaEngine, Token,
    VideoProfile,
};
use parley_domain::AgoraUid;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::pattern;

/// Before what is said: the library may print what it likes.
const MARK: &str = "parley-agora-sdk: ";
/// How often it looks what has come, and sends what is due.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const PICTURE_EVERY: Duration = Duration::from_millis(66);
const BLOCK_EVERY: Duration = Duration::from_millis(10);
/// Who was held up for longer goes on from now.
const LATEST: Duration = Duration::from_millis(200);
/// So long media have to come after the token was exchanged, and so many pictures and blocks of sound.
const GOES_ON: (Duration, u32, u32) = (Duration::from_secs(2), 10, 50);
/// A tone that was heard in so many blocks is there.
const BLOCKS_HEARD: u32 = 10;
/// So many pictures without one of the other end's: they are damaged on their way.
const STRANGE_PICTURES: u32 = 100;

/// What an end is to do; comes by its standard input, since tokens in arguments are seen by everybody on the machine.
#[derive(Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) app_id: String,
    pub(crate) channel: String,
    pub(crate) own: AgoraUid,
    pub(crate) peer: AgoraUid,
    pub(crate) token: String,
    /// Takes the first one's place in the call.
    pub(crate) next_token: String,
}

/// How far an end has come, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    Joined,
    PeerConnected,
    Picture,
    Sound,
    Renewed,
    Left,
}

/// What an end says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Said {
    Done(Step),
    /// Why it goes no further, and what to do.
    Failed(String),
}

impl Said {
    fn line(&self) -> String {
        // The library may have left a line unfinished.
        format!("\n{MARK}{}", serde_json::to_string(self).unwrap_or_default())
    }

    /// What a line of an end's output says, if it is not the library's.
    pub(crate) fn in_line(line: &str) -> Option<Self> {
        serde_json::from_str(line.strip_prefix(MARK)?).ok()
    }
}

/// Takes the task from standard input, stays in the call until that ends, and answers the last line to print.
pub(crate) fn run(library: &Path) -> String {
    let said = match end(library) {
        Ok(()) => Said::Done(Step::Left),
        Err(reason) => Said::Failed(reason),
    };
    said.line()
}

fn end(library: &Path) -> Result<(), String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
    let task: Task =
        serde_json::from_str(&line).map_err(|_| "an end was told nothing that it understands".to_owned())?;
    let is_to_leave = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&is_to_leave);
    thread::spawn(move || {
        // Also when whoever started us is gone.
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        flag.store(true, Ordering::Release);
    });
    let mut end = End::begin(library, task)?;
    while !is_to_leave.load(Ordering::Acquire) {
        end.look()?;
        thread::sleep(LOOK_EVERY);
    }
    end.engine.leave();
    Ok(())
}

struct End {
    engine: Box<dyn MediaEngine>,
    ports: EnginePorts,
    events: mpsc::Receiver<EngineEvent>,
    task: Task,
    pool: FramePool,
    pictures: Arc<LatestSlot<parley_call::I420Frame>>,
    blocks: Arc<AudioQueue>,
    /// When the next ones are due.
    next: (Instant, Instant),
    drawn: u32,
    done: Vec<Step>,
    /// The other end's, since the token was exchanged if it was.
    seen: u32,
    heard: u32,
    strange: u32,
    renewed: Option<Instant>,
}

impl End {
    fn begin(library: &Path, task: Task) -> Result<Self, String> {
        let (sender, events) = mpsc::channel(256);
        let ports = EnginePorts {
            events: sender,
            remote_video: Arc::default(),
            remote_screen: Arc::default(),
            remote_audio: Arc::new(AudioQueue::new(100)),
        };
        let mut engine = parley_agora::engine(ports.clone(), library).map_err(|refusal| refusal.to_string())?;
        let (pictures, blocks) = (Arc::new(LatestSlot::new()), Arc::new(AudioQueue::new(20)));
        engine.publish_video(Some(Arc::clone(&pictures)), VideoProfile { max_fps: 15, max_bitrate: 500_000 });
        engine.publish_audio(Some(Arc::clone(&blocks)));
        engine.want_remote_video(true);
        let credentials = Credentials {
            app_id: task.app_id.clone(),
            channel: task.channel.clone(),
            uid: task.own,
            peer: task.peer,
            token: Token(task.token.clone()),
            screen: None,
            peer_screen: None,
            ice_servers: Vec::new(),
        };
        engine.join(Attempt(1), credentials);
        Ok(Self {
            engine,
            ports,
            events,
            task,
            pool: FramePool::new(),
            pictures,
            blocks,
            next: (Instant::now(), Instant::now()),
            drawn: 0,
            done: Vec::new(),
            seen: 0,
            heard: 0,
            strange: 0,
            renewed: None,
        })
    }

    /// Sends what is due, takes what has come, and says what is new about it.
    fn look(&mut self) -> Result<(), String> {
        self.send(Instant::now());
        while let Ok(event) = self.events.try_recv() {
            match event {
                EngineEvent::Joined(_) => self.say(Step::Joined),
                EngineEvent::PeerConnected => self.say(Step::PeerConnected),
                EngineEvent::JoinFailed(_, error) => return Err(told("joining failed", &error)),
                EngineEvent::Lost(error) => return Err(told("the call was lost", &error)),
                _ => {}
            }
        }
        self.receive()?;
        self.renew();
        Ok(())
    }

    fn send(&mut self, now: Instant) {
        let (picture, block) = &mut self.next;
        if now >= *picture {
            *picture = now + PICTURE_EVERY;
            self.drawn = self.drawn.wrapping_add(1);
            self.pictures.put(pattern::picture(&self.pool, self.task.own.get(), self.drawn));
        }
        if now > *block + LATEST {
            *block = now;
        }
        while now >= *block {
            *block += BLOCK_EVERY;
            self.blocks.push(pattern::block(self.task.own.get()));
        }
    }

    fn receive(&mut self) -> Result<(), String> {
        let peer = self.task.peer.get();
        if let Some(frame) = self.ports.remote_video.try_take() {
            if pattern::shows(&frame, peer) {
                self.seen += 1;
                self.say(Step::Picture);
            } else {
                self.strange += 1;
            }
        }
        if self.seen == 0 && self.strange >= STRANGE_PICTURES {
            return Err(
                "pictures come, but they do not show what was sent; this version of the library arranges them in \
                        another way than we know: tell us which one it is"
                    .to_owned(),
            );
        }
        while let Some(block) = self.ports.remote_audio.pop() {
            self.heard += u32::from(pattern::sounds_like(&block, peer));
        }
        if self.heard >= BLOCKS_HEARD {
            self.say(Step::Sound);
        }
        Ok(())
    }

    /// Exchanges the token once everything comes; that it worked is seen by everything coming on.
    fn renew(&mut self) {
        let (time, pictures, blocks) = GOES_ON;
        match self.renewed {
            None if [Step::Joined, Step::PeerConnected, Step::Picture, Step::Sound]
                .iter()
                .all(|step| self.done.contains(step)) =>
            {
                self.engine.renew_token(Token(self.task.next_token.clone()));
                self.renewed = Some(Instant::now());
                (self.seen, self.heard) = (0, 0);
            }
            Some(since) if since.elapsed() >= time && self.seen >= pictures && self.heard >= blocks => {
                self.say(Step::Renewed);
            }
            _ => {}
        }
    }

    /// Says it, the first time.
    fn say(&mut self, step: Step) {
        if !self.done.contains(&step) {
            self.done.push(step);
            let mut output = io::stdout().lock();
            // Who doesn't listen any more lets us leave.
            let _ = writeln!(output, "{}", Said::Done(step).line()).and_then(|()| output.flush());
        }
    }
}

/// What went wrong, why, and what to do.
fn told(what: &str, error: &EngineError) -> String {
    let advice = match error {
        EngineError::TokenRefused => {
            "AGORA_APP_CERTIFICATE does not belong to AGORA_APP_ID: copy both of the same project from Agora's console"
        }
        EngineError::TokenExpired => "set this machine's clock, by which tokens are signed",
        EngineError::TimedOut | EngineError::NoNetwork => {
            "let this machine reach *.agora.io and *.agoralab.co, by UDP too, and see that App ID and certificate belong \
             to the same project, since a refusal may stay silent"
        }
        EngineError::Removed | EngineError::JoinedElsewhere | EngineError::Missing(_) | EngineError::Failed(_) => {
            "see that AGORA_APP_ID is that of a project which is turned on in Agora's console; docs/agora-checklist.md \
             names what else it may be"
        }
    };
    format!("{what}, {error}; {advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_end_says_is_found_among_what_the_library_prints() {
        for said in [Said::Done(Step::Renewed), Said::Failed("no \"way\"\nout".to_owned())] {
            let printed = format!("half a line of the library's{}", said.line());
            let found: Vec<Said> = printed.lines().filter_map(Said::in_line).collect();
            assert_eq!(found, [said]);
        }
        assert_eq!(Said::in_line("parley-agora-sdk: {"), None);
    }
}
