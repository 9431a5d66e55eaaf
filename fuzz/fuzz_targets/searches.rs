//! Searching: what somebody typed (the first line) against what somebody wrote (the rest), in a real store, so that
//! SQLite itself reads what the index is asked. Two pairs of people write the same; each finds its own, all of it, and
//! nothing of the other's.
#![no_main]

use std::{
    cell::RefCell,
    time::{Duration, Instant},
};

use libfuzzer_sys::{Corpus, fuzz_target};
use parley_domain::{ConversationId, MessageId, MessageType, Money, Role, SearchQuery, Timestamp, UserId, pieces};
use parley_store::{
    ConversationError, Found, NewAccount, NewMessage, NewProposal, NewRequest, PageRequest, Revision, SqliteOptions,
    SqliteStore, Store,
};
use tokio::runtime::{Builder, Runtime};

/// How long one run may take before its database is made anew: the change log grows with every message.
const RENEWED_AFTER: Duration = Duration::from_secs(30);

fn at(seconds: u64) -> Timestamp {
    let begun: Timestamp = "2026-01-01T00:00:00.000Z".parse().expect("an instant");
    begun + Duration::from_secs(seconds)
}

/// Two people, and what one of them wrote: one message that the index knows and a later one that it doesn't.
struct Pair {
    client: UserId,
    provider: UserId,
    conversation: ConversationId,
    indexed: MessageId,
    unindexed: MessageId,
}

struct Bench {
    runtime: Runtime,
    store: SqliteStore,
    pairs: [Pair; 2],
    begun: Instant,
}

async fn account(store: &SqliteStore, name: &str, role: Role) -> UserId {
    let account = NewAccount {
        email: format!("{name}@fuzz.test"),
        password_hash: "none".to_owned(),
        name: name.to_owned(),
        role,
        time_zone: None,
    };
    let user = store.create_account(account, at(0)).await.expect("an account");
    if role == Role::Provider {
        store.set_approval(user.id, true).await.expect("approval");
    }
    user.id
}

async fn write(store: &SqliteStore, sender: UserId, conversation: ConversationId) -> MessageId {
    let message = NewMessage {
        sender,
        conversation,
        kind: MessageType::Text,
        content: "first".to_owned(),
        client_id: None,
        reply_to: None,
        attachments: Vec::new(),
    };
    store.append_message(message, at(10)).await.expect("a message").message.id
}

async fn pair(store: &SqliteStore, number: usize) -> (UserId, UserId, ConversationId) {
    let client = account(store, &format!("client{number}"), Role::Client).await;
    let provider = account(store, &format!("provider{number}"), Role::Provider).await;
    let request = NewRequest {
        client,
        title: "Site".to_owned(),
        description: "All of it".to_owned(),
        budget: None,
        deadline: None,
        idempotency: None,
    };
    let request = store.create_request(request, at(1)).await.expect("a request").into_inner();
    let proposal = NewProposal {
        provider,
        request: request.id,
        price: Money { amount_minor: 1, currency: "USD".parse().expect("a currency") },
        scope: "Build it".to_owned(),
        deadline: at(9_000),
        expires_at: at(3_600),
        idempotency: None,
    };
    let proposal = store.create_proposal(proposal, at(2)).await.expect("a proposal").into_inner();
    let accepted = store.accept_proposal(client, proposal.id, at(3)).await.expect("a project");
    (client, provider, accepted.project.conversation_id)
}

impl Bench {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let folder = std::env::temp_dir().join(format!("parley-fuzz-searches-{}", std::process::id()));
        // What an earlier one left.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        let options = SqliteOptions { readers: 1, ..SqliteOptions::default() };
        let store = SqliteStore::open(folder.join("parley.sqlite3"), &options).expect("a store");
        let pairs = runtime.block_on(async {
            let people = [pair(&store, 0).await, pair(&store, 1).await];
            let indexed =
                [write(&store, people[0].0, people[0].2).await, write(&store, people[1].0, people[1].2).await];
            while store.index_messages(100).await.expect("indexing") > 0 {}
            let mut pairs = Vec::new();
            for ((client, provider, conversation), indexed) in people.into_iter().zip(indexed) {
                let unindexed = write(&store, client, conversation).await;
                pairs.push(Pair { client, provider, conversation, indexed, unindexed });
            }
            pairs.try_into().unwrap_or_else(|_| unreachable!("two pairs"))
        });
        Self { runtime, store, pairs, begun: Instant::now() }
    }

    async fn write_down(&self, content: &str) -> Result<(), ConversationError> {
        for pair in &self.pairs {
            for message in [pair.indexed, pair.unindexed] {
                self.store.revise_message(pair.client, message, Revision::Edit(content.to_owned()), at(20)).await?;
            }
        }
        Ok(())
    }

    async fn find(&self, reader: UserId, query: &SearchQuery, only: Option<ConversationId>) -> Vec<Found> {
        let page = self.store.search_messages(reader, query.clone(), only, PageRequest::first(100)).await;
        page.expect("nothing that somebody types is an error").items
    }

    async fn try_out(&self, query: &SearchQuery, content: &str) {
        match self.write_down(content).await {
            Ok(()) => {}
            Err(ConversationError::Content(_)) => return,
            Err(error) => panic!("what was written can't be kept: {error}"),
        }
        // Line ends are kept in one form.
        let expected = query.find(&content.replace("\r\n", "\n"));
        for [mine, other] in [[&self.pairs[0], &self.pairs[1]], [&self.pairs[1], &self.pairs[0]]] {
            for reader in [mine.client, mine.provider] {
                for only in [None, Some(mine.conversation)] {
                    let found = self.find(reader, query, only).await;
                    let ids: Vec<_> = found.iter().map(|found| found.message.id).collect();
                    let all = if expected.is_some() { vec![mine.unindexed, mine.indexed] } else { Vec::new() };
                    assert_eq!(ids, all, "each finds its own, the newest first, and nothing else");
                    assert!(found.iter().all(|found| Some(&found.snippet) == expected.as_ref()));
                }
            }
            let page = PageRequest::first(100);
            let spied = self.store.search_messages(mine.client, query.clone(), Some(other.conversation), page).await;
            assert!(matches!(spied, Err(ConversationError::NotFound)), "another's conversation is not there");
        }
    }
}

/// What the words of a query are found by, without a store.
fn check_snippet(query: &SearchQuery, content: &str) {
    let Some(snippet) = query.find(content) else { return };
    let held = pieces(content);
    let missing: Vec<_> = query.pieces().into_iter().filter(|piece| !held.contains(piece)).collect();
    assert!(missing.is_empty(), "the index would not have found this: {missing:?}");
    let units = snippet.text.encode_utf16().count();
    let mut end = 0;
    for range in &snippet.matches {
        assert!(end <= range.start && range.start < range.end, "matches in order, without overlaps: {snippet:?}");
        end = range.end;
    }
    assert!(!snippet.matches.is_empty() && end as usize <= units, "matches lie in the snippet: {snippet:?}");
    assert!(!snippet.text.contains(['\n', '\t']), "a snippet is one line: {snippet:?}");
}

thread_local!(static BENCH: RefCell<Option<Bench>> = const { RefCell::new(None) });

fuzz_target!(|input: &str| -> Corpus {
    let (typed, content) = input.split_once('\n').unwrap_or((input, ""));
    let Ok(query) = SearchQuery::new(typed) else { return Corpus::Reject };
    check_snippet(&query, content);
    BENCH.with_borrow_mut(|bench| {
        if bench.as_ref().is_some_and(|bench| bench.begun.elapsed() > RENEWED_AFTER)
            && let Some(old) = bench.take()
        {
            old.runtime.block_on(old.store.close()).expect("the store closes");
        }
        let bench = bench.get_or_insert_with(Bench::new);
        bench.runtime.block_on(bench.try_out(&query, content));
    });
    Corpus::Keep
});
