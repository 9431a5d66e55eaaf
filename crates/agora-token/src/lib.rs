//! Agora's access tokens: building and reading AccessToken2 (`007…`) for RTC and RTM, and reading the older `006…`.
//!
//! Pure: time and salt are arguments, nothing is read from the machine. [`RtcToken`] is what a meeting needs,
//! [`AccessToken`] carries any mix of services, [`Parsed`] is what came back from a token's text, and
//! [`Parsed::check_rtc_join`] answers the only question a server or an engine asks about it.
//!
//! The format is Agora's public one (DynamicKey/AgoraDynamicKey); all integers are little-endian. Two tokens with the
//! same content may differ as text, since zlib leaves the packing open: compare what they say, not how they look. Ours
//! are packed without compressing, see `zlib`.

#![warn(missing_docs)]

mod access;
mod error;
mod legacy;
mod names;
mod parsed;
mod privileges;
mod wire;
mod zlib;

pub use access::{AccessToken, MAX_LIFETIME_SECONDS, RtcToken};
pub use error::{JoinRefused, TokenError};
pub use legacy::LegacyToken;
pub use names::{Account, AppCertificate, AppId, ChannelName, InvalidName};
pub use parsed::{Parsed, RtcService, RtmService, Service, parse};
pub use privileges::{Privileges, RtcPrivilege, RtmPrivilege};
