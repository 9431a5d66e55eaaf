//! The text packets of Engine.IO 4 and Socket.IO 5, as far as a client on the WebSocket transport meets them.
//!
//! Source: the Engine.IO and Socket.IO protocol documents of the Socket.IO project. Binary packets are not used by
//! Parley and are refused.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// One packet from the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Packet {
    /// Engine.IO `open`: how the line is kept alive.
    Open {
        /// The server pings this often.
        ping_interval: Duration,
        /// And lets us wait this much longer.
        ping_timeout: Duration,
    },
    /// Engine.IO `close`.
    Close,
    /// Engine.IO `ping`: answer with [`PONG`].
    Ping,
    /// Engine.IO `pong`, `noop`: nothing to do.
    Idle,
    /// We are in the namespace.
    Connect,
    /// We are out of the namespace.
    Disconnect,
    /// We were not let in; the text is a code.
    ConnectError(String),
    /// An event with its first argument (`null` when it has none).
    Event {
        /// Its name.
        name: String,
        /// Its payload.
        payload: Value,
    },
    /// The answer to our event of that number.
    Ack {
        /// Which event.
        id: u64,
        /// Its first argument.
        payload: Value,
    },
    /// Something of another namespace.
    Elsewhere,
}

/// Answers a ping.
pub const PONG: &str = "3";

/// The bytes are no packet that we know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a Socket.IO packet: {0}")]
pub struct NotAPacket(pub &'static str);

/// Asks to be let into `/`.
pub fn connect(auth: &Value) -> String {
    format!("40{auth}")
}

/// An event, with a number when an answer is wanted.
pub fn event(id: Option<u64>, name: &str, payload: &Value) -> String {
    let body = serde_json::json!([name, payload]);
    match id {
        Some(id) => format!("42{id}{body}"),
        None => format!("42{body}"),
    }
}

/// Leaves `/` politely.
pub const DISCONNECT: &str = "41";

/// Reads one text message of the WebSocket. Foreign bytes: anything may be in them.
///
/// # Errors
/// When it is no packet.
pub fn parse(text: &str) -> Result<Packet, NotAPacket> {
    let (kind, rest) = split_first(text).ok_or(NotAPacket("an empty message"))?;
    match kind {
        '0' => {
            let open: Open = serde_json::from_str(rest).map_err(|_| NotAPacket("an open without its times"))?;
            Ok(Packet::Open {
                ping_interval: Duration::from_millis(open.ping_interval),
                ping_timeout: Duration::from_millis(open.ping_timeout),
            })
        }
        '1' => Ok(Packet::Close),
        '2' => Ok(Packet::Ping),
        '3' | '6' => Ok(Packet::Idle),
        '4' => parse_message(rest),
        _ => Err(NotAPacket("an unknown Engine.IO type")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Open {
    ping_interval: u64,
    ping_timeout: u64,
}

fn parse_message(text: &str) -> Result<Packet, NotAPacket> {
    let (kind, mut rest) = split_first(text).ok_or(NotAPacket("an empty Socket.IO packet"))?;
    if rest.starts_with('/') {
        let (namespace, after) = rest.split_once(',').unwrap_or((rest, ""));
        if namespace != "/" {
            return Ok(Packet::Elsewhere);
        }
        rest = after;
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (id, body) = rest.split_at(digits);
    match kind {
        '0' => Ok(Packet::Connect),
        '1' => Ok(Packet::Disconnect),
        '2' => {
            let mut items = array(body)?.into_iter();
            let Some(Value::String(name)) = items.next() else {
                return Err(NotAPacket("an event without a name"));
            };
            Ok(Packet::Event { name, payload: items.next().unwrap_or(Value::Null) })
        }
        '3' => {
            let id = id.parse().map_err(|_| NotAPacket("an answer without a number"))?;
            Ok(Packet::Ack { id, payload: array(body)?.into_iter().next().unwrap_or(Value::Null) })
        }
        '4' => {
            let message = match serde_json::from_str(body) {
                Ok(Value::Object(mut object)) => object.remove("message"),
                Ok(other) => Some(other),
                Err(_) => None,
            };
            match message {
                Some(Value::String(message)) => Ok(Packet::ConnectError(message)),
                _ => Err(NotAPacket("a refusal without a message")),
            }
        }
        _ => Err(NotAPacket("an unknown Socket.IO type")),
    }
}

fn array(body: &str) -> Result<Vec<Value>, NotAPacket> {
    serde_json::from_str(body).map_err(|_| NotAPacket("arguments that are no array"))
}

fn split_first(text: &str) -> Option<(char, &str)> {
    let first = text.chars().next()?;
    Some((first, &text[first.len_utf8()..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_packet_is_refused() {
        for text in [
            "", "9", "é", "0", "0{}", "4", "49", "42", "42{}", "42[]", "42[7]", "43[1]", "44", "44{}", "430x", "451-[]",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_packets_of_a_server_are_read() {
        let open = r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}"#;
        assert_eq!(
            parse(open),
            Ok(Packet::Open { ping_interval: Duration::from_secs(25), ping_timeout: Duration::from_secs(20) })
        );
        assert_eq!(parse(r#"40{"sid":"x"}"#), Ok(Packet::Connect));
        assert_eq!(parse(r#"44{"message":"TOKEN_EXPIRED"}"#), Ok(Packet::ConnectError("TOKEN_EXPIRED".to_owned())));
        assert_eq!(parse("2"), Ok(Packet::Ping));
        let expected = Packet::Event { name: "message:new".to_owned(), payload: json!({"seq": 3}) };
        assert_eq!(parse(r#"42["message:new",{"seq":3}]"#), Ok(expected.clone()));
        assert_eq!(parse(r#"42/,17["message:new",{"seq":3},9]"#), Ok(expected));
        assert_eq!(parse(r#"4312[{"ok":true}]"#), Ok(Packet::Ack { id: 12, payload: json!({"ok": true}) }));
        assert_eq!(parse(r#"42/admin,["x"]"#), Ok(Packet::Elsewhere));
    }

    #[test]
    fn an_event_carries_its_number_before_its_body() {
        assert_eq!(event(Some(7), "join", &json!({"a": 1})), r#"427["join",{"a":1}]"#);
        assert_eq!(event(None, "leave", &json!(null)), r#"42["leave",null]"#);
        assert_eq!(connect(&json!({"token": "t"})), r#"40{"token":"t"}"#);
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,60}", digits in "[0-9]{0,4}") {
            let _ = parse(&text);
            let _ = parse(&format!("{digits}{text}"));
        }
    }
}
