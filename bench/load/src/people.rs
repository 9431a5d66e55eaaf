//! Who there is: two people a conversation, each with a token.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::http::Connection;

/// Password hashing is slow on purpose; more at once than the server has cores brings nothing.
const SIGN_INS_AT_ONCE: usize = 4;

/// The people of conversation c are 2c and 2c+1.
pub(crate) struct People {
    pub(crate) tokens: Vec<String>,
    pub(crate) conversations: Vec<String>,
}

impl People {
    pub(crate) fn read(file: &Path) -> Result<Self> {
        let text = fs::read(file).with_context(|| format!("{} can't be read", file.display()))?;
        let value: Value = serde_json::from_slice(&text)?;
        Ok(Self { tokens: texts(&value["tokens"])?, conversations: texts(&value["conversations"])? })
    }

    /// The first so many conversations; an error if there are fewer.
    pub(crate) fn some(&self, conversations: usize) -> Result<&[String]> {
        self.conversations.get(..conversations).context("the server was seeded with fewer pairs")
    }
}

fn texts(list: &Value) -> Result<Vec<String>> {
    let list = list.as_array().context("a list is missing in the file of people")?;
    list.iter().map(|text| text.as_str().map(str::to_owned).context("a text is missing")).collect()
}

pub(crate) async fn sign_in(address: SocketAddr, seeded: &Path, people: &Path) -> Result<Value> {
    let seeded: Value = serde_json::from_slice(&fs::read(seeded)?)?;
    let users = seeded["users"].as_array().context("the seed lists its users")?.clone();
    let mut lanes = JoinSet::new();
    for lane in 0..SIGN_INS_AT_ONCE {
        let mine: Vec<(usize, Value)> =
            users.iter().cloned().enumerate().skip(lane).step_by(SIGN_INS_AT_ONCE).collect();
        lanes.spawn(async move { sign_in_all(address, mine).await });
    }
    let mut tokens = vec![String::new(); users.len()];
    while let Some(lane) = lanes.join_next().await {
        for (index, token) in lane?? {
            tokens[index] = token;
        }
    }
    ensure!(tokens.iter().all(|token| !token.is_empty()), "somebody has no token");
    let count = tokens.len();
    fs::write(people, json!({ "tokens": tokens, "conversations": seeded["conversations"] }).to_string())?;
    Ok(json!({ "signedIn": count }))
}

async fn sign_in_all(address: SocketAddr, users: Vec<(usize, Value)>) -> Result<Vec<(usize, String)>> {
    let mut connection = Connection::open(address).await?;
    let mut tokens = Vec::new();
    for (index, user) in users {
        let answer = connection.post("/api/v1/auth/login", None, user.to_string().as_bytes()).await?;
        let signed_in: Value = serde_json::from_slice(answer.expect(200)?)?;
        let token = signed_in["accessToken"].as_str().context("a sign-in without a token")?;
        tokens.push((index, token.to_owned()));
    }
    Ok(tokens)
}
