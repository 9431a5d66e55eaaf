//! What a token permits, and for how long.

use std::collections::BTreeMap;

/// Rights within an RTC channel, with Agora's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum RtcPrivilege {
    /// Enter the channel.
    JoinChannel = 1,
    /// Send sound.
    PublishAudio = 2,
    /// Send pictures.
    PublishVideo = 3,
    /// Send data messages.
    PublishData = 4,
}

/// Rights in Agora's signalling service, with Agora's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum RtmPrivilege {
    /// Sign in.
    Login = 1,
}

impl From<RtcPrivilege> for u16 {
    fn from(privilege: RtcPrivilege) -> Self {
        privilege as Self
    }
}

impl From<RtmPrivilege> for u16 {
    fn from(privilege: RtmPrivilege) -> Self {
        privilege as Self
    }
}

/// Rights by number, each with its life in seconds from the token's issue; 0 means as long as the token.
///
/// Kept sorted by number, as the format wants it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Privileges(BTreeMap<u16, u32>);

impl Privileges {
    /// No right at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Joining and publishing sound, pictures and data, each for `seconds` from the issue.
    #[must_use]
    pub fn publisher(seconds: u32) -> Self {
        use RtcPrivilege::{JoinChannel, PublishAudio, PublishData, PublishVideo};
        Self([JoinChannel, PublishAudio, PublishVideo, PublishData].map(|right| (right.into(), seconds)).into())
    }

    /// Joining only. Agora enforces this only with "co-host token authentication" turned on for the project.
    #[must_use]
    pub fn subscriber(seconds: u32) -> Self {
        Self::none().with(RtcPrivilege::JoinChannel, seconds)
    }

    /// Signing in to the signalling service.
    #[must_use]
    pub fn rtm_login(seconds: u32) -> Self {
        Self::none().with(RtmPrivilege::Login, seconds)
    }

    /// Adds a right, or changes its life.
    #[must_use]
    pub fn with(mut self, right: impl Into<u16>, seconds: u32) -> Self {
        self.0.insert(right.into(), seconds);
        self
    }

    /// The life of a right in seconds from the issue (0: as long as the token), `None` if it is not granted.
    #[must_use]
    pub fn seconds(&self, right: impl Into<u16>) -> Option<u32> {
        self.0.get(&right.into()).copied()
    }

    /// All rights, lowest number first.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u32)> + '_ {
        self.0.iter().map(|(right, seconds)| (*right, *seconds))
    }

    pub(crate) fn from_map(map: BTreeMap<u16, u32>) -> Self {
        Self(map)
    }

    pub(crate) fn as_map(&self) -> &BTreeMap<u16, u32> {
        &self.0
    }
}
