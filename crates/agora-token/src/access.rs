//! Building AccessToken2.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::ZlibEncoder};

use crate::{
    Account, AppCertificate, AppId, ChannelName, Privileges, RtcService, RtmService, Service,
    wire::{SIGNATURE_BYTES, Writer, hmac},
};

pub(crate) const VERSION: &str = "007";

/// The longest life that Agora accepts, in seconds (24 h).
pub const MAX_LIFETIME_SECONDS: u32 = 86_400;

/// The token of one person in one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtcToken {
    /// The app that the certificate belongs to.
    pub app_id: AppId,
    /// The channel it opens.
    pub channel: ChannelName,
    /// The person; 0 is any uid.
    pub uid: u32,
    /// When it is issued, in seconds since 1970 UTC.
    pub issued_at: u32,
    /// Its life in seconds from then; Agora takes at most [`MAX_LIFETIME_SECONDS`].
    pub expires_in: u32,
    /// Any number; Agora's own builders draw 1…99,999,999. Makes two tokens of the same second differ.
    pub salt: u32,
    /// What it permits.
    pub privileges: Privileges,
}

impl RtcToken {
    /// Signs and packs it: `007…`.
    #[must_use]
    pub fn build(&self, certificate: &AppCertificate) -> String {
        AccessToken::new(self.app_id.clone(), self.issued_at, self.expires_in, self.salt)
            .with_rtc(&self.channel, &Account::from_uid(self.uid), self.privileges.clone())
            .build(certificate)
    }
}

/// A token for any mix of services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    app_id: AppId,
    issued_at: u32,
    expires_in: u32,
    salt: u32,
    services: Vec<Service>,
}

impl AccessToken {
    /// A token without services; times and salt as in [`RtcToken`].
    #[must_use]
    pub fn new(app_id: AppId, issued_at: u32, expires_in: u32, salt: u32) -> Self {
        Self { app_id, issued_at, expires_in, salt, services: Vec::new() }
    }

    /// Adds a channel.
    #[must_use]
    pub fn with_rtc(mut self, channel: &ChannelName, account: &Account, privileges: Privileges) -> Self {
        let (channel, account) = (channel.as_str().to_owned(), account.as_str().to_owned());
        self.services.push(Service::Rtc(RtcService { channel, account, privileges }));
        self
    }

    /// Adds the signalling service.
    #[must_use]
    pub fn with_rtm(mut self, user: &Account, privileges: Privileges) -> Self {
        self.services.push(Service::Rtm(RtmService { user: user.as_str().to_owned(), privileges }));
        self
    }

    /// Signs and packs it: `007…`.
    #[must_use]
    pub fn build(&self, certificate: &AppCertificate) -> String {
        let signing_info = self.signing_info();
        let signature = hmac(&signing_key(certificate, self.issued_at, self.salt), &signing_info);
        let mut content = Writer::default();
        content.counted(&signature);
        content.append(&signing_info);
        format!("{VERSION}{}", STANDARD.encode(deflate(&content.into_bytes())))
    }

    fn signing_info(&self) -> Vec<u8> {
        let mut services: Vec<&Service> = self.services.iter().collect();
        services.sort_by_key(|service| service.kind());
        let mut out = Writer::default();
        out.counted(self.app_id.as_str().as_bytes());
        out.u32(self.issued_at);
        out.u32(self.expires_in);
        out.u32(self.salt);
        out.u16(u16::try_from(services.len()).expect("a token has a handful of services"));
        for service in services {
            service.write(&mut out);
        }
        out.into_bytes()
    }
}

/// The certificate is never the key itself: issue time and salt are folded in, one HMAC each.
pub(crate) fn signing_key(certificate: &AppCertificate, issued_at: u32, salt: u32) -> [u8; SIGNATURE_BYTES] {
    let dated = hmac(&issued_at.to_le_bytes(), certificate.expose().as_bytes());
    hmac(&salt.to_le_bytes(), &dated)
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("writing into memory cannot fail");
    encoder.finish().expect("writing into memory cannot fail")
}
