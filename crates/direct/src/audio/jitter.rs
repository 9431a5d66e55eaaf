//! The buffer between the network, where packets come in bursts, late or not at all, and the speaker, which wants 10 ms
//! every 10 ms.
//!
//! It waits until it holds as much as the packets' unevenness of the last seconds asks for, then gives one block a
//! tick. A missing packet is recovered from its follower or made up; when nothing is there at all it makes sound up
//! for a moment without going on in the stream, which lengthens the delay. When it has held too much for a while it
//! leaves 10 ms out, cross-faded.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use parley_call::audio::{BLOCK_SAMPLES, SAMPLE_RATE};

use super::opus::{Decoder, PACKET_SAMPLES};
use crate::delay::Unevenness;

/// A packet and when it came.
pub(crate) struct Packet {
    /// Its number in the stream, without wrapping.
    pub(crate) number: u64,
    /// Position of its first sample in the stream.
    pub(crate) position: u64,
    /// Opus.
    pub(crate) data: Arc<[u8]>,
    /// When it came.
    pub(crate) arrived: Instant,
}

/// Less than one packet more than the one that plays would starve at the slightest hiccup.
const MIN_TARGET: Duration = Duration::from_millis(30);
/// Beyond this a conversation suffers more from the delay than from what is lost.
const MAX_TARGET: Duration = Duration::from_millis(240);
/// What is waited for before anything is known: two packets.
const FIRST_TARGET: Duration = Duration::from_millis(40);
/// So many packets in a row are made up; then it is silent.
const MAX_CONCEALED: u32 = 4;
/// Packets that may wait (2 s): what is more than that was held up and is of no use.
const MAX_WAITING: usize = 100;
/// Over so many ticks the fill must stay above the target before something is left out: 1 s.
const EXCESS_TICKS: u32 = 100;
/// No stream gets so far in a million years.
const MAX_COUNT: u64 = 1 << 53;
/// Tolerated above the target: one packet comes in or goes out at a time.
const EXCESS: Duration = Duration::from_millis(25);

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Packets recovered from their follower.
    pub(crate) recovered: u64,
    /// Packets made up.
    pub(crate) concealed: u64,
    /// Packets that came after their turn, or twice.
    pub(crate) late: u64,
    /// Blocks left out to shorten the delay.
    pub(crate) shortened: u64,
}

/// One block and where it stands in the stream.
pub(crate) struct Played {
    /// 10 ms.
    pub(crate) samples: [i16; BLOCK_SAMPLES],
    /// Position of its first sample in the stream, when it comes from a packet.
    pub(crate) position: Option<u64>,
}

/// The buffer of one stream.
pub(crate) struct JitterBuffer {
    decoder: Decoder,
    waiting: BTreeMap<u64, Packet>,
    /// The number whose turn it is; `None` while it fills.
    next: Option<u64>,
    ready: VecDeque<i16>,
    /// Position of the first sample in `ready`.
    position: Option<u64>,
    unevenness: Unevenness,
    target: Duration,
    /// Asked for from outside, to be in step with the pictures.
    extra: Duration,
    concealed_in_a_row: u32,
    excess_ticks: u32,
    counts: Counts,
}

impl JitterBuffer {
    /// An empty buffer.
    pub(crate) fn new() -> Result<Self, opus::Error> {
        Ok(Self {
            decoder: Decoder::new()?,
            waiting: BTreeMap::new(),
            next: None,
            ready: VecDeque::new(),
            position: None,
            unevenness: Unevenness::new(250),
            target: FIRST_TARGET,
            extra: Duration::ZERO,
            concealed_in_a_row: 0,
            excess_ticks: 0,
            counts: Counts::default(),
        })
    }

    /// What happened so far.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// How much it tries to hold.
    pub(crate) fn target(&self) -> Duration {
        (self.target + self.extra).min(MAX_TARGET)
    }

    /// What it holds more than it needs.
    pub(crate) fn extra(&self) -> Duration {
        self.extra
    }

    /// Holds that much more.
    pub(crate) fn set_extra(&mut self, extra: Duration) {
        self.extra = extra;
    }

    /// Takes a packet in.
    pub(crate) fn push(&mut self, packet: Packet) {
        // Numbers and positions that no stream reaches in a lifetime would overflow below.
        if packet.number.max(packet.position) > MAX_COUNT {
            return;
        }
        let sent = Duration::from_micros(packet.position / u64::from(SAMPLE_RATE) * 1_000_000)
            + Duration::from_micros(packet.position % u64::from(SAMPLE_RATE) * 1_000_000 / u64::from(SAMPLE_RATE));
        if let Some(uneven) = self.unevenness.add(packet.arrived, sent) {
            self.target = (uneven + Duration::from_millis(20)).clamp(MIN_TARGET, MAX_TARGET);
        }
        if self.next.is_some_and(|next| packet.number < next) || self.waiting.contains_key(&packet.number) {
            self.counts.late += 1;
            return;
        }
        self.waiting.insert(packet.number, packet);
        while self.waiting.len() > MAX_WAITING {
            self.waiting.pop_first();
            self.next = self.waiting.first_key_value().map(|(number, _)| *number);
        }
    }

    /// The next 10 ms; `None` while there is nothing to be heard.
    pub(crate) fn tick(&mut self) -> Option<Played> {
        self.shorten_if_too_long();
        while self.ready.len() < BLOCK_SAMPLES {
            if !self.fill() {
                return None;
            }
        }
        Some(self.take_block())
    }

    /// How much sound it holds.
    fn held(&self) -> Duration {
        let samples = self.waiting.len() * PACKET_SAMPLES + self.ready.len();
        Duration::from_micros(samples as u64 * 1_000_000 / u64::from(SAMPLE_RATE))
    }

    fn take_block(&mut self) -> Played {
        let mut samples = [0; BLOCK_SAMPLES];
        for (to, from) in samples.iter_mut().zip(self.ready.drain(..BLOCK_SAMPLES)) {
            *to = from;
        }
        let position = self.position;
        self.position = position.map(|position| position + BLOCK_SAMPLES as u64);
        Played { samples, position }
    }

    /// Puts the sound of one packet into `ready`; `false` when there is none and nothing is to be made up.
    fn fill(&mut self) -> bool {
        let Some(next) = self.next else {
            let Some((&first, packet)) = self.waiting.first_key_value() else { return false };
            if self.held() < self.target() {
                return false;
            }
            self.position = Some(packet.position);
            self.next = Some(first);
            return self.fill();
        };
        if let Some(packet) = self.waiting.remove(&next) {
            self.next = Some(next + 1);
            self.concealed_in_a_row = 0;
            self.position = Some(packet.position.saturating_sub(self.ready.len() as u64));
            return match self.decoder.decode(&packet.data) {
                Ok(samples) if !samples.is_empty() => {
                    self.ready.extend(samples);
                    true
                }
                Ok(_) | Err(_) => self.conceal(),
            };
        }
        let Some((&following, packet)) = self.waiting.first_key_value() else {
            // Nothing there at all: perhaps it is only late, so the stream does not go on.
            return self.conceal();
        };
        if following == next + 1 {
            self.next = Some(following);
            return match self.decoder.recover(&packet.data) {
                Ok(samples) if !samples.is_empty() => {
                    self.counts.recovered += 1;
                    self.ready.extend(samples);
                    true
                }
                Ok(_) | Err(_) => self.conceal(),
            };
        }
        if following - next > u64::from(MAX_CONCEALED) {
            self.next = Some(following);
            return self.fill();
        }
        self.next = Some(next + 1);
        self.conceal()
    }

    fn conceal(&mut self) -> bool {
        self.concealed_in_a_row += 1;
        if self.concealed_in_a_row > MAX_CONCEALED {
            // The stream has stopped. It begins anew with what comes, after filling up again.
            self.concealed_in_a_row = 0;
            self.next = None;
            self.position = None;
            self.ready.clear();
            return false;
        }
        match self.decoder.conceal() {
            Ok(samples) => {
                self.counts.concealed += 1;
                self.ready.extend(samples);
                !samples.is_empty()
            }
            Err(_) => false,
        }
    }

    fn shorten_if_too_long(&mut self) {
        if self.next.is_none() || self.held() <= self.target() + EXCESS {
            self.excess_ticks = 0;
            return;
        }
        self.excess_ticks += 1;
        // Far too much (after a stall): at once and repeatedly.
        let far = self.held() > self.target() * 2 + EXCESS * 4;
        if (self.excess_ticks < EXCESS_TICKS && !far) || !self.fill() || self.ready.len() < 2 * BLOCK_SAMPLES {
            return;
        }
        self.excess_ticks = 0;
        self.counts.shortened += 1;
        for at in 0..BLOCK_SAMPLES {
            let (out, into) = (i32::from(self.ready[at]), i32::from(self.ready[at + BLOCK_SAMPLES]));
            let mixed = (out * (BLOCK_SAMPLES - at) as i32 + into * at as i32) / BLOCK_SAMPLES as i32;
            self.ready[at + BLOCK_SAMPLES] = mixed as i16;
        }
        self.ready.drain(..BLOCK_SAMPLES);
        self.position = self.position.map(|position| position + BLOCK_SAMPLES as u64);
    }
}

#[cfg(test)]
mod tests {
    use parley_media::tone::{Tone, ToneGenerator, find};
    use proptest::prelude::*;

    use super::*;
    use crate::audio::opus::Encoder;

    /// `count` packets of a tone.
    fn packets(count: u64) -> Vec<Arc<[u8]>> {
        let (mut generator, mut encoder) = (ToneGenerator::new(Tone::default()), Encoder::new().unwrap());
        (0..count)
            .map(|_| {
                let (one, two) = (generator.next_samples(), generator.next_samples());
                let mut samples = [0; PACKET_SAMPLES];
                samples[..BLOCK_SAMPLES].copy_from_slice(&one);
                samples[BLOCK_SAMPLES..].copy_from_slice(&two);
                Arc::from(encoder.encode(&samples).unwrap())
            })
            .collect()
    }

    /// Plays packets that come `delays` ms after they were sent (`None`: never), and returns what is heard.
    fn play(delays: &[Option<u64>]) -> (Vec<i16>, Counts, u32) {
        let data = packets(delays.len() as u64);
        let mut arrivals: Vec<(u64, u64)> =
            (0..).zip(delays).filter_map(|(number, delay)| Some((number * 20 + (*delay)?, number))).collect();
        arrivals.sort_unstable();
        let mut arrivals = arrivals.into_iter().peekable();
        let (begun, mut buffer) = (Instant::now(), JitterBuffer::new().unwrap());
        let (mut heard, mut silent) = (Vec::new(), 0);
        for tick in 0..delays.len() as u64 * 2 {
            while let Some((at, number)) = arrivals.next_if(|(at, _)| *at <= tick * 10) {
                buffer.push(Packet {
                    number,
                    position: number * PACKET_SAMPLES as u64,
                    data: Arc::clone(&data[number as usize]),
                    arrived: begun + Duration::from_millis(at),
                });
            }
            match buffer.tick() {
                Some(block) => heard.extend(block.samples),
                None if heard.is_empty() => {}
                None => silent += 1,
            }
        }
        (heard, buffer.counts(), silent)
    }

    #[test]
    fn garbage_and_nothing_are_silent_and_do_not_panic() {
        let mut buffer = JitterBuffer::new().unwrap();
        assert!(buffer.tick().is_none());
        for (number, data) in
            [(5, vec![]), (6, vec![0xff; 3]), (9, vec![0; 1_500]), (u64::MAX - 1, vec![1]), (MAX_COUNT, vec![1])]
        {
            let packet = Packet { number, position: number, data: Arc::from(data), arrived: Instant::now() };
            buffer.push(packet);
            buffer.tick();
        }
        for _ in 0..100 {
            buffer.tick();
        }
    }

    #[test]
    fn an_even_stream_is_played_without_making_anything_up() {
        let (heard, counts, silent) = play(&[Some(3); 200]);
        assert_eq!((counts, silent), (Counts::default(), 0));
        let found = find(&heard[9_600..48_000 * 3]).expect("a tone");
        assert!((found.frequency - 440.0).abs() < 1.0 && (found.level + 20.0).abs() < 1.0, "{found:?}");
    }

    #[test]
    fn a_lost_packet_now_and_then_is_recovered_from_its_follower() {
        let delays: Vec<_> = (0..300).map(|at| (at % 20 != 7).then_some(3)).collect();
        let (heard, counts, silent) = play(&delays);
        assert!(counts.recovered >= 14 && counts.concealed <= 1 && silent == 0, "{counts:?} {silent}");
        assert!(find(&heard[9_600..48_000 * 5]).is_some());
    }

    #[test]
    fn unevenness_lengthens_the_delay_instead_of_tearing_the_sound() {
        let delays: Vec<_> = (0..500_u64).map(|at| Some(5 + at * 7 % 61)).collect();
        let (_, counts, silent) = play(&delays);
        assert!(counts.concealed < 10 && silent < 20, "{counts:?} {silent}");
    }

    #[test]
    fn a_stream_that_stops_is_silent_and_begins_again() {
        let delays: Vec<_> = (0..300).map(|at| (!(100..200).contains(&at)).then_some(3)).collect();
        let (heard, counts, silent) = play(&delays);
        assert!((150..=200).contains(&silent), "{silent}");
        assert!(counts.concealed <= u64::from(MAX_CONCEALED) + 1, "{counts:?}");
        assert!(find(&heard[heard.len() - 48_000..]).is_some());
    }

    #[test]
    fn after_a_stall_the_delay_shrinks_again() {
        let delays: Vec<_> =
            (0..600_u64).map(|at| Some(if (50..75).contains(&at) { (75 - at) * 20 + 3 } else { 3 })).collect();
        let data = packets(600);
        let (begun, mut buffer) = (Instant::now(), JitterBuffer::new().unwrap());
        for tick in 0..1_200_u64 {
            for number in 0..600_u64 {
                let at = number * 20 + delays[number as usize].unwrap();
                if at <= tick * 10 && (tick == 0 || at > (tick - 1) * 10) {
                    let position = number * PACKET_SAMPLES as u64;
                    let arrived = begun + Duration::from_millis(at);
                    buffer.push(Packet { number, position, data: Arc::clone(&data[number as usize]), arrived });
                }
            }
            buffer.tick();
        }
        assert!(buffer.counts().shortened > 5, "{:?}", buffer.counts());
        assert!(buffer.held() <= Duration::from_millis(100), "{:?}", buffer.held());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn no_network_makes_it_panic(delays in prop::collection::vec(prop::option::weighted(0.9, 0..400_u64), 1..150)) {
            play(&delays);
        }
    }
}
