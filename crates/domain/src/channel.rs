//! What a meeting is called on the network: its channel and its four uids.

use crate::{AgoraUid, MeetingUids};

/// Agora takes channel names of up to 64 bytes including the terminating zero.
const MAX_CHANNEL_NAME_BYTES: usize = 63;

/// Agora's punctuation marks (besides letters, digits and the space).
const PUNCTUATION: &str = "!#$%&()+-:;<=.>?@[]^_{}|~,";

/// The channel name of a meeting from 16 random bytes: unguessable, unique, and of allowed characters only.
pub fn channel_name(random: [u8; 16]) -> String {
    format!("parley-{}", hex::encode(random))
}

/// Whether Agora takes this as a channel name: 1…63 of its allowed characters.
pub fn is_channel_name(name: &str) -> bool {
    (1..=MAX_CHANNEL_NAME_BYTES).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ' || PUNCTUATION.contains(c))
}

/// Four distinct uids above 0 from a source of random numbers.
///
/// # Panics
/// Never with a source that is random; one that repeats a number for ever would keep it from returning.
pub fn draw_uids(mut random: impl FnMut() -> u32) -> MeetingUids {
    let mut drawn: Vec<AgoraUid> = Vec::with_capacity(4);
    while drawn.len() < 4 {
        if let Some(uid) = AgoraUid::new(random()).filter(|uid| !drawn.contains(uid)) {
            drawn.push(uid);
        }
    }
    MeetingUids { host: drawn[0], guest: drawn[1], host_screen: drawn[2], guest_screen: drawn[3] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_outside_of_agoras_rule_are_refused() {
        for name in ["", "ü", "a/b", "a\\b", "a'b", "a\"b", "a\nb", "a*b", &"a".repeat(64)] {
            assert!(!is_channel_name(name), "{name:?}");
        }
    }

    #[test]
    fn every_name_that_is_drawn_is_allowed() {
        for random in [[0; 16], [255; 16], *b"0123456789abcdef"] {
            assert!(is_channel_name(&channel_name(random)));
        }
        assert!(is_channel_name(&format!("aZ0 {PUNCTUATION}")));
        assert!(is_channel_name(&"a".repeat(63)));
    }

    #[test]
    fn uids_are_distinct_and_above_zero() {
        let mut numbers = [0, 7, 7, 0, 9, u32::MAX, 9, 1].into_iter();
        let uids = draw_uids(|| numbers.next().unwrap());
        let got = [uids.host, uids.guest, uids.host_screen, uids.guest_screen].map(AgoraUid::get);
        assert_eq!(got, [7, 9, u32::MAX, 1]);
    }
}
