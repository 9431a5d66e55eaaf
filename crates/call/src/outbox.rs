//! An engine's events on their way to whoever owns it: in order, never blocking, and bounded.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use crate::engine::EngineEvent;

/// Events that may wait while the owner's channel is full.
const WAITING: usize = 256;

/// Sends events, and keeps for a while what does not fit.
pub struct Outbox {
    events: mpsc::Sender<EngineEvent>,
    waiting: VecDeque<EngineEvent>,
    dropped: u64,
}

impl Outbox {
    /// An outbox into the channel that the engine was built with.
    pub fn new(events: mpsc::Sender<EngineEvent>) -> Self {
        Self { events, waiting: VecDeque::new(), dropped: 0 }
    }

    /// Sends an event, after those that wait. A quality report that can't be sent now is worth nothing later.
    pub fn tell(&mut self, event: EngineEvent) {
        let is_report = matches!(event, EngineEvent::Quality(_));
        self.flush();
        if self.waiting.is_empty() {
            match self.events.try_send(event) {
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
                Err(mpsc::error::TrySendError::Full(event)) if !is_report => self.waiting.push_back(event),
                Err(mpsc::error::TrySendError::Full(_)) => self.dropped += 1,
            }
        } else if !is_report && self.waiting.len() < WAITING {
            self.waiting.push_back(event);
        } else {
            self.dropped += 1;
        }
    }

    /// Sends what waits, as far as there is room now.
    pub fn flush(&mut self) {
        while let Some(event) = self.waiting.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
                self.waiting.push_front(event);
                return;
            }
        }
    }

    /// Events that were left out because nobody took them.
    pub fn dropped_count(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_comes_later_and_in_order() {
        let (sender, mut receiver) = mpsc::channel(2);
        let mut outbox = Outbox::new(sender);
        for number in 0..5 {
            outbox.tell(EngineEvent::Signal(number.to_string()));
            outbox.tell(EngineEvent::Quality(Default::default()));
        }
        let mut told = Vec::new();
        loop {
            while let Ok(event) = receiver.try_recv() {
                told.push(event);
            }
            let before = told.len();
            outbox.flush();
            if receiver.is_empty() && told.len() == before {
                break;
            }
        }
        let signals = |event: &EngineEvent| match event {
            EngineEvent::Signal(text) => Some(text.clone()),
            _ => None,
        };
        assert_eq!(told.iter().filter_map(signals).collect::<Vec<_>>(), ["0", "1", "2", "3", "4"]);
        assert_eq!(outbox.dropped_count(), 4);
    }

    #[test]
    fn nobody_listening_is_no_problem_and_a_flood_is_bounded() {
        let (sender, receiver) = mpsc::channel(1);
        let mut outbox = Outbox::new(sender);
        for _ in 0..1_000 {
            outbox.tell(EngineEvent::PeerLeft);
        }
        assert_eq!(outbox.dropped_count(), 1_000 - 1 - WAITING as u64);
        drop(receiver);
        outbox.flush();
        outbox.tell(EngineEvent::PeerLeft);
    }
}
