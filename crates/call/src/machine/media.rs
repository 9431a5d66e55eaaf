//! What we send, what the other side sends, and the engines' messages in between.

use std::collections::VecDeque;

use parley_domain::EngineKind;

use super::{CallMachine, Effect, EngineState, Stage};
use crate::signalling::MediaState;

/// Messages of an engine that wait for the line at most; more means that the oldest are of no use any more.
const WAITING_SIGNALS: usize = 64;

impl CallMachine {
    /// The engine hears it even while it is taken for lost: it may still be sending.
    pub(super) fn on_set_camera(&mut self, on: bool) {
        self.wanted.camera = on;
        if self.engine_used {
            self.effects.push(Effect::PublishVideo(on));
        }
        if self.engine.is_in() {
            self.published.camera = on;
            self.tell();
        }
    }

    pub(super) fn on_set_microphone(&mut self, on: bool) {
        self.wanted.microphone = on;
        if self.engine_used {
            self.effects.push(Effect::PublishAudio(on));
        }
        if self.engine.is_in() {
            self.published.microphone = on;
            self.tell();
        }
    }

    pub(super) fn on_set_screen(&mut self, on: bool) {
        self.wanted.screen = on;
        if self.engine_used {
            self.effects.push(Effect::PublishScreen(on));
        }
        if self.engine.is_in() {
            self.published.screen = on && self.shares_screens();
            self.tell();
        }
    }

    /// The built-in engine carries one picture a person.
    pub(super) fn shares_screens(&self) -> bool {
        self.engine_kind == Some(EngineKind::Agora)
    }

    pub(super) fn on_want_remote_video(&mut self, wanted: bool) {
        if self.want_remote_video != wanted {
            self.want_remote_video = wanted;
            if self.engine_used {
                self.effects.push(Effect::WantRemoteVideo(wanted));
            }
        }
    }

    pub(super) fn on_peer_state(&mut self, state: MediaState) {
        if self.stage == Stage::InCall {
            self.peer.camera = state.camera;
            self.peer.microphone = state.microphone;
            self.peer.screen = state.screen;
        }
    }

    pub(super) fn on_peer_signal(&mut self, data: String) {
        if self.stage != Stage::InCall {
            return;
        }
        match self.engine {
            EngineState::Out => wait_in(&mut self.to_engine, data),
            _ => self.effects.push(Effect::GiveSignal(data)),
        }
    }

    /// With a join: an engine keeps what it was told in the one before, and the switches may have moved since.
    pub(super) fn give_switches(&mut self) {
        self.effects.push(Effect::WantRemoteVideo(self.want_remote_video));
        self.effects.push(Effect::PublishVideo(self.wanted.camera));
        self.effects.push(Effect::PublishAudio(self.wanted.microphone));
        if self.wanted.screen {
            self.effects.push(Effect::PublishScreen(true));
        }
    }

    /// Tells the other side what is on, if it does not know yet.
    pub(super) fn tell(&mut self) {
        if self.bound && self.engine.is_in() && self.told != Some(self.published) {
            self.told = Some(self.published);
            self.effects.push(Effect::SendState(self.published));
        }
    }

    pub(super) fn relay(&mut self, data: String) {
        if self.bound {
            self.effects.push(Effect::RelaySignal(data));
        } else {
            wait_in(&mut self.to_peer, data);
        }
    }

    pub(super) fn relay_waiting_signals(&mut self) {
        self.effects.extend(self.to_peer.drain(..).map(Effect::RelaySignal));
    }

    pub(super) fn give_waiting_signals(&mut self) {
        self.effects.extend(self.to_engine.drain(..).map(Effect::GiveSignal));
    }
}

fn wait_in(queue: &mut VecDeque<String>, data: String) {
    if queue.len() == WAITING_SIGNALS {
        queue.pop_front();
    }
    queue.push_back(data);
}
