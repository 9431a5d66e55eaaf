//! Pairs of people for a load test.

use futures_util::{StreamExt, TryStreamExt, stream};
use parley_domain::{ConversationId, Role};

use super::{
    Bench, Offer, Person, SeededUser, Wish, ensure_account, ensure_project, ensure_proposal, ensure_request, money,
};
use crate::AppState;

const PASSWORD: &str = "parley-bench";
/// So many pairs at once, that the store commits them in groups.
const AT_ONCE: usize = 64;
const YEAR: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3600);

/// Makes that many pairs, or finds those that are there.
///
/// Errors if the store fails.
pub async fn bench(app: &AppState, pairs: u32) -> anyhow::Result<Bench> {
    let hash = app.passwords.hash(PASSWORD.to_owned()).await?;
    let conversations: Vec<ConversationId> =
        stream::iter(0..pairs).map(|index| pair(app, index, &hash)).buffered(AT_ONCE).try_collect().await?;
    let users = (0..pairs)
        .flat_map(|index| emails(index).map(|email| SeededUser { email, password: PASSWORD.to_owned() }))
        .collect();
    Ok(Bench { users, conversations })
}

fn emails(index: u32) -> [String; 2] {
    [format!("client-{index}@bench.test"), format!("provider-{index}@bench.test")]
}

async fn pair(app: &AppState, index: u32, hash: &str) -> anyhow::Result<ConversationId> {
    let now = app.now();
    let [client, provider] = emails(index);
    let client = Person { email: client, name: "Bench Client", role: Role::Client, time_zone: None };
    let provider = Person { email: provider, name: "Bench Provider", role: Role::Provider, time_zone: None };
    let client = ensure_account(app, &client, hash, now).await?;
    let provider = ensure_account(app, &provider, hash, now).await?;
    let wish =
        Wish { title: "Bench", description: "A conversation under load.", budget: None, deadline: None, at: now };
    let request = ensure_request(app, client.id, &wish).await?;
    let offer =
        Offer { price: money(100, "USD")?, scope: "Messages.", deadline: now + YEAR, expires_at: now + YEAR, at: now };
    let proposal = ensure_proposal(app, provider.id, &request, &offer).await?;
    let proposal = proposal.ok_or_else(|| anyhow::anyhow!("the request of pair {index} was closed by hand"))?;
    let project = ensure_project(app, client.id, &proposal, now).await?;
    let project = project.ok_or_else(|| anyhow::anyhow!("the proposal of pair {index} was closed by hand"))?;
    Ok(project.conversation_id)
}
