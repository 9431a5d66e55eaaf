//! The address of a client behind reverse proxies. `Forwarded` (RFC 7239) and `X-Forwarded-For` are believed from trusted
//! peers only, and read from the right: each trusted proxy vouches for the address it wrote, and for nothing left of it.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// No chain of real proxies is longer.
const MAX_HOPS: usize = 32;

/// A trusted proxy's address or network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyNet(IpNet);

/// Neither an address nor a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is neither an IP address nor a network such as 10.0.0.0/8")]
pub struct NoProxyNet;

impl FromStr for ProxyNet {
    type Err = NoProxyNet;

    fn from_str(text: &str) -> Result<Self, NoProxyNet> {
        let text = text.trim();
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(|one| IpNet::from(one.to_canonical())));
        net.map(Self).map_err(|_| NoProxyNet)
    }
}

impl fmt::Display for ProxyNet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The trusted proxies of a server.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustedProxies(Vec<ProxyNet>);

impl TrustedProxies {
    pub(crate) fn new(nets: Vec<ProxyNet>) -> Self {
        Self(nets)
    }

    /// Whether that address is a proxy's.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.0.contains(&address.to_canonical()))
    }

    /// Who sent a request that came from `peer`.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let forwarded = values(headers, &header::FORWARDED);
        let x_forwarded = values(headers, &X_FORWARDED_FOR);
        let by_forwarded = self.walk(peer, elements(&forwarded).rev().map(for_of));
        let by_x_forwarded = self.walk(peer, x_forwarded.rsplit(',').map(Some));
        match (forwarded.is_empty(), x_forwarded.is_empty()) {
            (true, true) => peer,
            (false, true) => by_forwarded,
            (true, false) => by_x_forwarded,
            // A proxy that writes one of the two may pass the client's own other one on: then neither is believed.
            (false, false) if by_forwarded == by_x_forwarded => by_forwarded,
            (false, false) => peer,
        }
    }

    /// From the peer leftwards as long as who wrote is trusted and what it wrote is an address.
    fn walk<'a>(&self, peer: IpAddr, hops: impl Iterator<Item = Option<&'a str>>) -> IpAddr {
        let mut client = peer;
        for hop in hops.take(MAX_HOPS) {
            if !self.trusts(client) {
                break;
            }
            let Some(address) = hop.and_then(node) else { break };
            client = address;
        }
        client
    }
}

/// All values of a header in one list. What is no text ends the list: nothing left of it counts.
fn values(headers: &HeaderMap, name: &HeaderName) -> String {
    let texts: Vec<_> = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?")).collect();
    texts.join(",")
}

/// The elements of a `Forwarded` list, quoted commas respected.
fn elements(list: &str) -> impl DoubleEndedIterator<Item = &str> {
    split_outside_quotes(list, ',').into_iter()
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut begin, mut is_quoted, mut is_escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            c if c == separator && !is_quoted => {
                parts.push(&text[begin..at]);
                begin = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// The `for` of an element.
fn for_of(element: &str) -> Option<&str> {
    split_outside_quotes(element, ';').into_iter().find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    })
}

/// An address as proxies write it: bare, quoted, in brackets, with a port.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text).trim();
    let address = if let Ok(address) = text.parse::<IpAddr>() {
        address
    } else if let Ok(with_port) = text.parse::<SocketAddr>() {
        with_port.ip()
    } else {
        text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, headers: &[(&'static str, &str)]) -> String {
        let proxies = TrustedProxies::new(trusted.iter().map(|net| net.parse().unwrap()).collect());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        proxies.client(peer.parse().unwrap(), &map).to_string()
    }

    const XFF: &str = "x-forwarded-for";

    #[test]
    fn an_untrusted_peer_speaks_for_itself_whatever_it_claims() {
        for headers in [[(XFF, "203.0.113.9")], [("forwarded", "for=203.0.113.9")]] {
            assert_eq!(client(&[], "198.51.100.1", &headers), "198.51.100.1");
            assert_eq!(client(&["10.0.0.0/8"], "198.51.100.1", &headers), "198.51.100.1");
        }
    }

    #[test]
    fn the_right_most_address_that_is_no_proxy_is_the_client() {
        let trusted = ["10.0.0.0/8", "192.0.2.7"];
        let table = [
            ("203.0.113.9", "203.0.113.9"),
            ("1.2.3.4, 203.0.113.9", "203.0.113.9"),
            ("1.2.3.4, 203.0.113.9, 10.1.1.1, 192.0.2.7", "203.0.113.9"),
            ("10.9.9.9, 10.1.1.1", "10.9.9.9"),
            ("203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8::5]:80, 10.1.1.1", "2001:db8::5"),
            ("2001:db8::5", "2001:db8::5"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ];
        for (list, expected) in table {
            assert_eq!(client(&trusted, "10.0.0.1", &[(XFF, list)]), expected, "{list}");
        }
    }

    #[test]
    fn garbage_ends_the_walk_at_the_last_proxy_that_wrote_sense() {
        for garbage in ["", "unknown", "_hidden", "1.2.3", "203.0.113.9 evil", "\"", "[::1", "[]:1", ",,,", "\u{7f}?"] {
            assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &[(XFF, garbage.trim_matches('\u{7f}'))]), "10.0.0.1");
            let list = format!("203.0.113.9, {}, 10.2.2.2", garbage.trim_matches('\u{7f}'));
            assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &[(XFF, &list)]), "10.2.2.2", "{list}");
        }
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = [(XFF, "1.2.3.4"), (XFF, "203.0.113.9, 10.1.1.1")];
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &lines), "203.0.113.9");
    }

    #[test]
    fn forwarded_is_read_with_its_quotes_and_parameters() {
        let table = [
            ("for=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9"),
            ("For=\"[2001:db8::5]:4711\"", "2001:db8::5"),
            ("for=1.2.3.4, proto=http; for=203.0.113.9", "203.0.113.9"),
            ("for=203.0.113.9;host=\"a, for=6.6.6.6\"", "203.0.113.9"),
            ("for=203.0.113.9, proto=https", "10.0.0.1"),
            ("for=unknown", "10.0.0.1"),
        ];
        for (list, expected) in table {
            assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &[("forwarded", list)]), expected, "{list}");
        }
    }

    #[test]
    fn two_headers_that_disagree_are_both_disbelieved() {
        let agree = [(XFF, "203.0.113.9"), ("forwarded", "for=203.0.113.9")];
        assert_eq!(client(&["10.0.0.1"], "10.0.0.1", &agree), "203.0.113.9");
        let spoofed = [(XFF, "203.0.113.9"), ("forwarded", "for=6.6.6.6")];
        assert_eq!(client(&["10.0.0.1"], "10.0.0.1", &spoofed), "10.0.0.1");
    }

    #[test]
    fn a_mapped_ipv4_peer_is_its_ipv4_address() {
        assert_eq!(client(&["127.0.0.1"], "::ffff:127.0.0.1", &[(XFF, "203.0.113.9")]), "203.0.113.9");
    }

    #[test]
    fn a_long_chain_is_not_walked_for_ever() {
        let list = vec!["10.0.0.2"; 5_000].join(",");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &[(XFF, &format!("203.0.113.9,{list}"))]), "10.0.0.2");
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "proxy.example", "10.0.0.0/33", "10.0.0"] {
            assert_eq!(text.parse::<ProxyNet>(), Err(NoProxyNet), "{text}");
        }
    }
}
