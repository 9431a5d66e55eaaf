//! The address of a server, as a person types it.

use std::net::IpAddr;

use url::{Host, Url};

use crate::ClientError;

/// Where a server is. Encrypted, on this machine, or plain by the person's consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress(Url);

impl ServerAddress {
    /// Reads `https://parley.example`, `parley.example` (https) or `http://127.0.0.1:8750`.
    ///
    /// # Errors
    /// [`ClientError::BadAddress`]; [`ClientError::PlainHttpRefused`] for plain http to another machine unless
    /// `allow_plain_http`.
    pub fn parse(text: &str, allow_plain_http: bool) -> Result<Self, ClientError> {
        let text = text.trim();
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let bad = || ClientError::BadAddress("A server's address looks like https://parley.example".to_owned());
        let mut url = Url::parse(&with_scheme).map_err(|_| bad())?;
        if url.host().is_none() || !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() {
            return Err(bad());
        }
        if url.scheme() == "http" && !allow_plain_http && !is_loopback(&url) {
            return Err(ClientError::PlainHttpRefused(url.origin().ascii_serialization()));
        }
        url.set_query(None);
        url.set_fragment(None);
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self(url))
    }

    /// The address without a trailing slash, to show and to store.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    /// Whether the server is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// `…/api/v1/` + `path`.
    pub(crate) fn api(&self, path: &str) -> Url {
        self.0.join("api/v1/").and_then(|base| base.join(path)).unwrap_or_else(|_| self.0.clone())
    }

    /// The Socket.IO endpoint, WebSocket transport only.
    pub(crate) fn socket(&self) -> String {
        let scheme = if self.0.scheme() == "https" { "wss" } else { "ws" };
        let rest = self.0.as_str().split_once("://").map_or("", |(_, rest)| rest);
        format!("{scheme}://{rest}socket.io/?EIO=4&transport=websocket")
    }
}

impl std::fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "ftp://x", "http://", "a b", "https://user:pw@host", "file:///etc/passwd"] {
            assert!(matches!(ServerAddress::parse(text, true), Err(ClientError::BadAddress(_))), "{text:?}");
        }
    }

    #[test]
    fn plain_http_goes_to_this_machine_only_unless_allowed() {
        assert!(matches!(ServerAddress::parse("http://parley.example", false), Err(ClientError::PlainHttpRefused(_))));
        assert!(matches!(
            ServerAddress::parse("http://127.0.0.1.example", false),
            Err(ClientError::PlainHttpRefused(_))
        ));
        for text in ["http://127.0.0.1:8750", "http://localhost:1", "http://[::1]:80"] {
            assert!(ServerAddress::parse(text, false).is_ok(), "{text}");
        }
        assert!(ServerAddress::parse("http://parley.example", true).is_ok());
    }

    #[test]
    fn a_bare_name_means_https_and_a_prefix_is_kept() {
        let address = ServerAddress::parse(" parley.example/tools ", false).unwrap();
        assert_eq!(address.api("auth/login").as_str(), "https://parley.example/tools/api/v1/auth/login");
        assert_eq!(address.socket(), "wss://parley.example/tools/socket.io/?EIO=4&transport=websocket");
        assert_eq!(address.as_str(), "https://parley.example/tools");
    }
}
