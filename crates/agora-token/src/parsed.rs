//! Reading AccessToken2. Every byte may come from a stranger: nothing is trusted before [`Parsed::verify`] said yes.

use std::{fmt, io::Read};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::ZlibDecoder;

use crate::{
    AppCertificate, AppId, JoinRefused, Privileges, RtcPrivilege, TokenError,
    access::{VERSION, signing_key},
    wire::{MAX_CONTENT_BYTES, MAX_TEXT_BYTES, Reader, SIGNATURE_BYTES, Writer, hmac_matches},
};

const KIND_RTC: u16 = 1;
const KIND_RTM: u16 = 2;

/// The right to use one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtcService {
    /// The channel, as the token carries it.
    pub channel: String,
    /// Uid as decimal text, nothing for any uid, or a text account.
    pub account: String,
    /// What is permitted in it.
    pub privileges: Privileges,
}

impl RtcService {
    /// Whether this uid may use it; an empty account means any.
    #[must_use]
    pub fn admits_uid(&self, uid: u32) -> bool {
        self.account.is_empty() || self.account == uid.to_string()
    }
}

/// The right to use the signalling service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtmService {
    /// The user's id there.
    pub user: String,
    /// What is permitted.
    pub privileges: Privileges,
}

/// One service of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// A channel.
    Rtc(RtcService),
    /// Signalling.
    Rtm(RtmService),
    /// A service that this reader does not know. Its length is unknown too, so reading stops here;
    /// services are sorted, so RTC and RTM came before it.
    Other {
        /// Agora's number for it.
        kind: u16,
    },
}

impl Service {
    pub(crate) fn kind(&self) -> u16 {
        match self {
            Self::Rtc(_) => KIND_RTC,
            Self::Rtm(_) => KIND_RTM,
            Self::Other { kind } => *kind,
        }
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        match self {
            Self::Rtc(rtc) => write_rtc(out, &rtc.channel, &rtc.account, &rtc.privileges),
            Self::Rtm(rtm) => {
                out.u16(KIND_RTM);
                out.map(rtm.privileges.as_map());
                out.counted(rtm.user.as_bytes());
            }
            Self::Other { kind } => out.u16(*kind),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, TokenError> {
        let kind = reader.u16("service type")?;
        Ok(match kind {
            KIND_RTC => {
                let privileges = Privileges::from_map(reader.map("RTC privileges")?);
                let channel = reader.text("channel")?;
                Self::Rtc(RtcService { channel, account: reader.text("account")?, privileges })
            }
            KIND_RTM => {
                let privileges = Privileges::from_map(reader.map("RTM privileges")?);
                Self::Rtm(RtmService { user: reader.text("RTM user")?, privileges })
            }
            kind => Self::Other { kind },
        })
    }
}

pub(crate) fn write_rtc(out: &mut Writer, channel: &str, account: &str, privileges: &Privileges) {
    out.u16(KIND_RTC);
    out.map(privileges.as_map());
    out.counted(channel.as_bytes());
    out.counted(account.as_bytes());
}

/// What a token says. Its `Debug` leaves the signature out: with it the token could be put together again.
#[derive(Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The app it is for.
    pub app_id: AppId,
    /// When it was issued, in seconds since 1970 UTC.
    pub issued_at: u32,
    /// Its life in seconds from then.
    pub expires_in: u32,
    /// The salt folded into its key.
    pub salt: u32,
    /// What it is good for, in the token's order.
    pub services: Vec<Service>,
    signature: [u8; SIGNATURE_BYTES],
    signed: Vec<u8>,
}

/// Reads a `007…` token without judging it.
///
/// Errors for any text that is not one; never panics, and never unpacks more than 64 KiB.
pub fn parse(token: &str) -> Result<Parsed, TokenError> {
    if token.len() > MAX_TEXT_BYTES {
        return Err(TokenError::TooLong);
    }
    let packed = token.strip_prefix(VERSION).ok_or(TokenError::UnknownVersion)?;
    let packed = STANDARD.decode(packed).map_err(|_| TokenError::Malformed("base64"))?;
    let content = inflate(&packed)?;
    let mut reader = Reader(&content);
    let signature = reader.signature()?;
    let signed = reader.0.to_vec();
    let app_id = AppId::new(reader.text("app id")?).map_err(|_| TokenError::Malformed("app id"))?;
    let issued_at = reader.u32("issue time")?;
    let expires_in = reader.u32("life")?;
    let salt = reader.u32("salt")?;
    let count = reader.u16("service count")?;
    let mut services = Vec::new();
    for _ in 0..count {
        let service = Service::read(&mut reader)?;
        let is_known = !matches!(service, Service::Other { .. });
        services.push(service);
        if !is_known {
            break;
        }
    }
    Ok(Parsed { app_id, issued_at, expires_in, salt, services, signature, signed })
}

fn inflate(packed: &[u8]) -> Result<Vec<u8>, TokenError> {
    let mut content = Vec::new();
    let mut bounded = ZlibDecoder::new(packed).take(MAX_CONTENT_BYTES + 1);
    bounded.read_to_end(&mut content).map_err(|_| TokenError::Malformed("zlib"))?;
    if content.len() as u64 > MAX_CONTENT_BYTES { Err(TokenError::TooLong) } else { Ok(content) }
}

impl Parsed {
    /// Whether it was signed with this certificate. Constant time in the signature.
    #[must_use]
    pub fn verify(&self, certificate: &AppCertificate) -> bool {
        hmac_matches(&signing_key(certificate, self.issued_at, self.salt), &self.signed, &self.signature)
    }

    /// The second (since 1970 UTC) from which it is no longer good.
    #[must_use]
    pub fn expires_at(&self) -> u64 {
        u64::from(self.issued_at) + u64::from(self.expires_in)
    }

    /// Whether it is past its life at `now` (seconds since 1970 UTC).
    #[must_use]
    pub fn is_expired_at(&self, now: u64) -> bool {
        now >= self.expires_at()
    }

    /// The second from which a right with this life is no longer good; never later than the token itself.
    #[must_use]
    pub fn privilege_expires_at(&self, seconds: u32) -> u64 {
        match seconds {
            0 => self.expires_at(),
            seconds => self.expires_at().min(u64::from(self.issued_at) + u64::from(seconds)),
        }
    }

    /// The first RTC service, if it has one.
    #[must_use]
    pub fn rtc(&self) -> Option<&RtcService> {
        self.services.iter().find_map(|service| match service {
            Service::Rtc(rtc) => Some(rtc),
            _ => None,
        })
    }

    /// The first RTM service, if it has one.
    #[must_use]
    pub fn rtm(&self) -> Option<&RtmService> {
        self.services.iter().find_map(|service| match service {
            Service::Rtm(rtm) => Some(rtm),
            _ => None,
        })
    }

    /// Whether it lets `uid` into `channel` at `now` (seconds since 1970 UTC): signature first, then app, channel,
    /// uid, life and the right to join. With several RTC services one that fits is enough.
    pub fn check_rtc_join(
        &self,
        app: (&AppId, &AppCertificate),
        channel: &str,
        uid: u32,
        now: u64,
    ) -> Result<(), JoinRefused> {
        if !self.verify(app.1) || &self.app_id != app.0 {
            return Err(JoinRefused::Signature);
        }
        let for_channel = self.services.iter().filter_map(|service| match service {
            Service::Rtc(rtc) if rtc.channel == channel => Some(rtc),
            _ => None,
        });
        let mut refused = JoinRefused::Channel;
        for rtc in for_channel {
            match self.check_service(rtc, uid, now) {
                Ok(()) => return Ok(()),
                Err(reason) => refused = reason,
            }
        }
        Err(refused)
    }

    fn check_service(&self, rtc: &RtcService, uid: u32, now: u64) -> Result<(), JoinRefused> {
        if !rtc.admits_uid(uid) {
            return Err(JoinRefused::Uid);
        }
        let Some(seconds) = rtc.privileges.seconds(RtcPrivilege::JoinChannel) else {
            return Err(JoinRefused::Privilege);
        };
        if now >= self.privilege_expires_at(seconds) { Err(JoinRefused::Expired) } else { Ok(()) }
    }
}

impl fmt::Debug for Parsed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Parsed")
            .field("app_id", &self.app_id)
            .field("issued_at", &self.issued_at)
            .field("expires_in", &self.expires_in)
            .field("services", &self.services)
            .finish_non_exhaustive()
    }
}
