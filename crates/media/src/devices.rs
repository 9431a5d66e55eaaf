//! Which cameras, microphones and speakers there are.

use std::fmt;

use cpal::traits::{DeviceTrait, HostTrait};

use crate::sound;

/// Names one device on this machine, as long as it stays plugged in. Opaque; to be stored and given back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeviceId(pub String);

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a person chooses from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// To open it by.
    pub id: DeviceId,
    /// Its name for people.
    pub name: String,
    /// Whether it is taken when nobody chooses.
    pub is_default: bool,
}

/// The cameras, the first of which is taken when nobody chooses. Empty when there are none or they can't be asked.
/// May take a second: not for the UI's thread.
pub fn cameras() -> Vec<Device> {
    let Some(backend) = nokhwa::native_api_backend() else { return Vec::new() };
    let mut infos = nokhwa::query(backend).unwrap_or_else(|error| {
        tracing::debug!(%error, "the cameras can't be listed");
        Vec::new()
    });
    infos.sort_by_key(|info| info.index().as_string());
    infos
        .into_iter()
        .enumerate()
        .map(|(at, info)| Device {
            id: DeviceId(info.index().as_string()),
            name: info.human_name(),
            is_default: at == 0,
        })
        .collect()
}

/// The microphones. Empty without a sound card.
pub fn microphones() -> Vec<Device> {
    if !sound::is_possible() {
        return Vec::new();
    }
    let host = cpal::default_host();
    let Ok(devices) = host.input_devices() else { return Vec::new() };
    named(devices, host.default_input_device().and_then(|device| device.id().ok()))
}

/// The speakers and headphones. Empty without a sound card.
pub fn speakers() -> Vec<Device> {
    if !sound::is_possible() {
        return Vec::new();
    }
    let host = cpal::default_host();
    let Ok(devices) = host.output_devices() else { return Vec::new() };
    named(devices, host.default_output_device().and_then(|device| device.id().ok()))
}

fn named(devices: impl Iterator<Item = cpal::Device>, default: Option<cpal::DeviceId>) -> Vec<Device> {
    devices
        .filter_map(|device| {
            let id = device.id().ok()?;
            let name = device.description().map_or_else(|_| id.to_string(), |about| about.name().to_owned());
            Some(Device { is_default: default.as_ref() == Some(&id), id: DeviceId(id.to_string()), name })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_for_devices_never_fails_even_where_there_are_none() {
        for devices in [cameras(), microphones(), speakers()] {
            assert!(devices.iter().filter(|device| device.is_default).count() <= 1);
        }
    }
}
