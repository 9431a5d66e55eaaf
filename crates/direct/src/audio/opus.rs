//! Opus in 20 ms packets of 48 kHz mono, with forward error correction.

use opus::{Application, Bitrate, Channels};
use parley_call::audio::{BLOCK_SAMPLES, SAMPLE_RATE};

/// Samples of one packet: 20 ms.
pub(crate) const PACKET_SAMPLES: usize = 2 * BLOCK_SAMPLES;
/// Bits a second: transparent for speech, with room for the error correction.
pub(crate) const BITRATE: i32 = 40_000;
/// What the encoder takes the loss for when nothing is known: enough that it spends bits on error correction.
const ASSUMED_LOSS_PERCENT: i32 = 10;
/// Effort of 10; 5 costs a third of 10 and sounds alike at this bitrate.
const COMPLEXITY: i32 = 5;
/// More than any Opus packet (RFC 6716, 3.4).
const MAX_PACKET: usize = 1_275;
/// More samples than any packet gives: 120 ms.
pub(crate) const MAX_SAMPLES: usize = SAMPLE_RATE as usize * 120 / 1_000;

/// Encodes one stream.
pub(crate) struct Encoder {
    inner: opus::Encoder,
    packet: [u8; MAX_PACKET],
}

impl Encoder {
    pub(crate) fn new() -> Result<Self, opus::Error> {
        let mut inner = opus::Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)?;
        inner.set_bitrate(Bitrate::Bits(BITRATE))?;
        inner.set_complexity(COMPLEXITY)?;
        inner.set_inband_fec(true)?;
        inner.set_packet_loss_perc(ASSUMED_LOSS_PERCENT)?;
        Ok(Self { inner, packet: [0; MAX_PACKET] })
    }

    /// One packet of 20 ms.
    pub(crate) fn encode(&mut self, samples: &[i16; PACKET_SAMPLES]) -> Result<&[u8], opus::Error> {
        let length = self.inner.encode(samples, &mut self.packet)?;
        Ok(&self.packet[..length])
    }
}

/// Decodes one stream, and makes up what is missing in it.
pub(crate) struct Decoder {
    inner: opus::Decoder,
    samples: Box<[i16; MAX_SAMPLES]>,
}

impl Decoder {
    pub(crate) fn new() -> Result<Self, opus::Error> {
        Ok(Self { inner: opus::Decoder::new(SAMPLE_RATE, Channels::Mono)?, samples: Box::new([0; MAX_SAMPLES]) })
    }

    /// The sound of a packet.
    pub(crate) fn decode(&mut self, packet: &[u8]) -> Result<&[i16], opus::Error> {
        let count = self.inner.decode(packet, &mut self.samples[..], false)?;
        Ok(&self.samples[..count])
    }

    /// The sound of the lost packet before this one, from what this one carries of it.
    pub(crate) fn recover(&mut self, following: &[u8]) -> Result<&[i16], opus::Error> {
        let count = self.inner.decode(following, &mut self.samples[..PACKET_SAMPLES], true)?;
        Ok(&self.samples[..count])
    }

    /// 20 ms made up from what came before, fading.
    pub(crate) fn conceal(&mut self) -> Result<&[i16], opus::Error> {
        let count = self.inner.decode(&[], &mut self.samples[..PACKET_SAMPLES], false)?;
        Ok(&self.samples[..count])
    }
}
