//! What microphone and speaker have in common: opening a device, its errors, and the change of sample rates.

use cpal::{
    Device, DeviceId as CpalId, ErrorKind, SupportedStreamConfig,
    traits::{DeviceTrait, HostTrait},
};
use parley_call::audio::SAMPLE_RATE;
use rubato::{Fft, FixedSync, Resampler as _, audioadapter_buffers::direct::InterleavedSlice};

use crate::devices::DeviceId;

/// Why there is no sound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SoundError {
    /// The machine has no sound card, or none that answers.
    #[error("no sound card was found")]
    NoSoundCard,
    /// The chosen device was unplugged.
    #[error("the chosen sound device is not there any more")]
    DeviceGone,
    /// Another program uses it.
    #[error("the sound device is in use by another program")]
    Busy,
    /// The system or the user does not allow it.
    #[error("the use of the sound device is not permitted")]
    NotPermitted,
    /// It failed; the system's own words.
    #[error("the sound device failed: {0}")]
    Failed(String),
}

impl From<cpal::Error> for SoundError {
    fn from(error: cpal::Error) -> Self {
        match error.kind() {
            ErrorKind::HostUnavailable => Self::NoSoundCard,
            ErrorKind::DeviceNotAvailable => Self::DeviceGone,
            ErrorKind::DeviceBusy => Self::Busy,
            ErrorKind::PermissionDenied => Self::NotPermitted,
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// Whether anything could play or record here. On a Linux machine without a card and without a sound server ALSA
/// writes a page of complaints to the terminal each time it is asked, so it isn't.
#[cfg(target_os = "linux")]
pub(crate) fn is_possible() -> bool {
    use std::{os::unix::fs::MetadataExt, path::Path};
    let has_card = std::fs::read_dir("/dev/snd").is_ok_and(|mut devices| {
        devices.any(|device| device.is_ok_and(|device| device.file_name().to_string_lossy().starts_with("pcm")))
    });
    let server = |user: u32| {
        let sockets = [format!("/run/user/{user}/pulse/native"), format!("/run/user/{user}/pipewire-0")];
        sockets.iter().any(|socket| Path::new(socket).exists())
    };
    has_card
        || Path::new("/mnt/wslg/PulseServer").exists()
        || Path::new("/run/pulse/native").exists()
        || std::fs::metadata("/proc/self").is_ok_and(|own| server(own.uid()))
}

/// Whether anything could play or record here: other systems answer without complaints.
#[cfg(not(target_os = "linux"))]
pub(crate) fn is_possible() -> bool {
    true
}

/// Which way the sound goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// A microphone.
    In,
    /// A speaker.
    Out,
}

/// Finds the device, or the default one, and the configuration it likes best.
///
/// Without a sound card ALSA still names a default device; it is its configuration that fails then, whatever the
/// kind of the error says.
pub(crate) fn open(id: Option<&DeviceId>, direction: Direction) -> Result<(Device, SupportedStreamConfig), SoundError> {
    if !is_possible() {
        return Err(if id.is_some() { SoundError::DeviceGone } else { SoundError::NoSoundCard });
    }
    let host = cpal::default_host();
    let device = match id {
        Some(id) => {
            let id: CpalId = id.0.parse().map_err(|_| SoundError::DeviceGone)?;
            host.device_by_id(&id).ok_or(SoundError::DeviceGone)?
        }
        None => match direction {
            Direction::In => host.default_input_device(),
            Direction::Out => host.default_output_device(),
        }
        .ok_or(SoundError::NoSoundCard)?,
    };
    let config = match direction {
        Direction::In => device.default_input_config(),
        Direction::Out => device.default_output_config(),
    };
    config.map(|config| (device, config)).map_err(|error| match SoundError::from(error) {
        kept @ (SoundError::Busy | SoundError::NotPermitted) => kept,
        _ if id.is_some() => SoundError::DeviceGone,
        _ => SoundError::NoSoundCard,
    })
}

/// Changes mono sound from one sample rate to another, one of which is 48 kHz.
pub(crate) struct Resampler {
    inner: Option<Fft<f32>>,
    waiting: Vec<f32>,
    chunk: Vec<f32>,
}

impl Resampler {
    /// From the device to us.
    pub(crate) fn to_ours(device_rate: u32) -> Result<Self, SoundError> {
        Self::new(device_rate, SAMPLE_RATE)
    }

    /// From us to the device.
    pub(crate) fn to_device(device_rate: u32) -> Result<Self, SoundError> {
        Self::new(SAMPLE_RATE, device_rate)
    }

    fn new(from: u32, to: u32) -> Result<Self, SoundError> {
        let failed = |error: &dyn std::fmt::Display| SoundError::Failed(error.to_string());
        let inner = if from == to {
            None
        } else {
            // 10 ms at a time: the delay that it adds stays below two blocks.
            let fft = Fft::new(from as usize, to as usize, from as usize / 100, 1, FixedSync::Input);
            Some(fft.map_err(|error| failed(&error))?)
        };
        Ok(Self { inner, waiting: Vec::new(), chunk: Vec::new() })
    }

    /// Takes samples in and appends what is ready to `to`.
    pub(crate) fn push(&mut self, samples: &[f32], to: &mut Vec<f32>) {
        let Some(inner) = &mut self.inner else { return to.extend(samples) };
        self.waiting.extend(samples);
        loop {
            let (wanted, room) = (inner.input_frames_next(), inner.output_frames_next());
            if self.waiting.len() < wanted {
                return;
            }
            self.chunk.resize(room, 0.0);
            let Ok(input) = InterleavedSlice::new(&self.waiting[..wanted], 1, wanted) else { return };
            let Ok(mut output) = InterleavedSlice::new_mut(&mut self.chunk, 1, room) else { return };
            match inner.process_into_buffer(&input, &mut output, None) {
                Ok((_, made)) => to.extend(&self.chunk[..made.min(room)]),
                Err(error) => tracing::warn!(%error, "a block could not be resampled"),
            }
            self.waiting.drain(..wanted);
        }
    }
}

/// A sample between −1 and 1 as 16 bits.
pub(crate) fn to_i16(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * f32::from(i16::MAX)).round() as i16
}

/// 16 bits as a sample between −1 and 1.
pub(crate) fn to_f32(sample: i16) -> f32 {
    f32::from(sample) / f32::from(i16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tone::{Tone, ToneGenerator, find};

    #[test]
    fn a_device_that_is_not_there_is_an_error_of_its_own() {
        for id in ["", "nonsense", "alsa:no-such-card"] {
            for direction in [Direction::In, Direction::Out] {
                assert_eq!(open(Some(&DeviceId(id.to_owned())), direction).err(), Some(SoundError::DeviceGone), "{id}");
            }
        }
    }

    #[test]
    fn a_tone_keeps_frequency_and_level_through_other_rates() {
        for rate in [44_100, 16_000, 96_000, 48_000] {
            let mut generator = ToneGenerator::new(Tone { frequency: 997.0, level: -12.0 });
            let (mut there, mut back) = (Resampler::to_device(rate).unwrap(), Resampler::to_ours(rate).unwrap());
            let (mut device, mut ours) = (Vec::new(), Vec::new());
            for _ in 0..60 {
                there.push(&generator.next_samples().map(to_f32), &mut device);
            }
            for odd in device.chunks(333) {
                back.push(odd, &mut ours);
            }
            let samples: Vec<i16> = ours[4_800..].iter().copied().map(to_i16).collect();
            let found = find(&samples).expect("a tone");
            assert!((found.frequency - 997.0).abs() < 1.5 && (found.level + 12.0).abs() < 0.5, "{rate}: {found:?}");
        }
    }
}
