//! What is sent: a line of text as people write it.

use serde_json::json;

/// A hundred and twenty characters, the same that the Node server is seeded with.
const CONTENT: &str = include_str!("../../content.txt").trim_ascii_end();

/// The body of `POST /messages`; `name` must be new for its sender.
pub(crate) fn body(conversation: &str, name: &str) -> Vec<u8> {
    json!({ "conversationId": conversation, "content": CONTENT, "type": "text", "clientId": name }).to_string().into()
}
