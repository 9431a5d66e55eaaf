//! Building AccessToken2.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    Account, AppCertificate, AppId, ChannelName, Privileges, RtcService, RtmService, Service,
    parsed::write_rtc,
    wire::{SIGNATURE_BYTES, Writer, hmac},
    zlib,
};

pub(crate) const VERSION: &str = "007";
/// The token of one channel has about 160.
const USUAL_BYTES: usize = 256;

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
        let head = Head {
            app_id: &self.app_id,
            issued_at: self.issued_at,
            expires_in: self.expires_in,
            salt: self.salt,
            services: 1,
        };
        let account = Account::from_uid(self.uid);
        head.seal(certificate, |out| write_rtc(out, self.channel.as_str(), account.as_str(), &self.privileges))
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
        let mut services: Vec<&Service> = self.services.iter().collect();
        services.sort_by_key(|service| service.kind());
        let head = Head {
            app_id: &self.app_id,
            issued_at: self.issued_at,
            expires_in: self.expires_in,
            salt: self.salt,
            services: services.len(),
        };
        head.seal(certificate, |out| services.iter().for_each(|service| service.write(out)))
    }
}

/// What stands before the services.
struct Head<'a> {
    app_id: &'a AppId,
    issued_at: u32,
    expires_in: u32,
    salt: u32,
    services: usize,
}

impl Head<'_> {
    /// Writes all of it into one buffer, with room in front for the signature over the rest.
    fn seal(&self, certificate: &AppCertificate, write_services: impl FnOnce(&mut Writer)) -> String {
        let mut out = Writer::with_capacity(USUAL_BYTES);
        out.counted(&[0; SIGNATURE_BYTES]);
        let signed_from = out.len();
        out.counted(self.app_id.as_str().as_bytes());
        out.u32(self.issued_at);
        out.u32(self.expires_in);
        out.u32(self.salt);
        out.u16(u16::try_from(self.services).expect("a token has a handful of services"));
        write_services(&mut out);
        let mut content = out.into_bytes();
        let (front, signed) = content.split_at_mut(signed_from);
        let signature = hmac(&signing_key(certificate, self.issued_at, self.salt), signed);
        front[signed_from - SIGNATURE_BYTES..].copy_from_slice(&signature);

        let packed = zlib::store(&content);
        let mut token = String::with_capacity(VERSION.len() + packed.len().div_ceil(3) * 4);
        token.push_str(VERSION);
        STANDARD.encode_string(&packed, &mut token);
        token
    }
}

/// The certificate is never the key itself: issue time and salt are folded in, one HMAC each.
pub(crate) fn signing_key(certificate: &AppCertificate, issued_at: u32, salt: u32) -> [u8; SIGNATURE_BYTES] {
    let dated = hmac(&issued_at.to_le_bytes(), certificate.expose().as_bytes());
    hmac(&salt.to_le_bytes(), &dated)
}
