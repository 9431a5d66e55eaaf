//! Data messages: what Agora carries of them (FACTS A3.14).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{error::GatewayError, observers::LONGEST_MESSAGE};

/// Streams of one connection.
pub(crate) const MOST_STREAMS: usize = 5;
const SECOND: Duration = Duration::from_secs(1);
const MOST_MESSAGES: usize = 60;
const MOST_BYTES: usize = 30 * 1_024;

/// A stream of data messages of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamId(pub(crate) i32);

/// The messages of the last second. Beyond the limits the library loses them without a word.
#[derive(Default)]
pub(crate) struct Budget {
    sent: VecDeque<(Instant, usize)>,
    bytes: usize,
}

impl Budget {
    /// Takes a message into account, if there is room for it.
    pub(crate) fn spend(&mut self, now: Instant, bytes: usize) -> Result<(), GatewayError> {
        if bytes > LONGEST_MESSAGE {
            return Err(GatewayError::MessageTooLong { bytes, limit: LONGEST_MESSAGE });
        }
        while let Some(&(at, oldest)) = self.sent.front()
            && now.saturating_duration_since(at) >= SECOND
        {
            self.sent.pop_front();
            self.bytes -= oldest;
        }
        if self.sent.len() >= MOST_MESSAGES || self.bytes + bytes > MOST_BYTES {
            return Err(GatewayError::TooManyMessages);
        }
        self.sent.push_back((now, bytes));
        self.bytes += bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_room_for_so_many_messages_and_bytes() {
        let (mut budget, start) = (Budget::default(), Instant::now());
        (0..MOST_MESSAGES).for_each(|_| budget.spend(start, 1).expect("room"));
        assert_eq!(budget.spend(start, 1), Err(GatewayError::TooManyMessages));
        assert_eq!(budget.spend(start + SECOND, 1), Ok(()));
        let mut budget = Budget::default();
        (0..30).for_each(|_| budget.spend(start, 1_024).expect("room"));
        assert_eq!(budget.spend(start + SECOND / 2, 1), Err(GatewayError::TooManyMessages));
        assert_eq!(budget.spend(start + SECOND, 1_024), Ok(()));
        let long = GatewayError::MessageTooLong { bytes: 1_025, limit: 1_024 };
        assert_eq!(budget.spend(start, 1_025), Err(long));
    }
}
