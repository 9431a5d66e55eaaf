//! What lists cost in a large database: steps of SQLite's machine, the same on every computer. A page may cost what its
//! rows cost; what lies beyond it, or is other people's, must cost nothing.

use parley_domain::{MeetingId, RequestId, Role, SearchQuery};

use super::*;
use crate::{Cursor, suite::account};

const FEW: i64 = 200;
const MANY: i64 = 10_000;

/// A database with so many rows of everything for two people who know each other.
struct Large {
    world: World,
    client: UserId,
    request: RequestId,
    meeting: MeetingId,
    /// Before all changes.
    start: SyncCursor,
    _harness: SqliteHarness,
}

/// `?1` the client, `?2` the provider, `?3` a conversation, `?4` a project, `?5` a request, `?6` a meeting, `?7` how many.
const FILL: [&str; 11] = [
    "INSERT INTO requests (id, client_id, title, description, status, created_at)
     SELECT randomblob(16), ?1, 'open', 'x', 'OPEN', 0 FROM n",
    "INSERT INTO proposals (id, request_id, provider_id, price_amount, price_currency, scope, deadline, expires_at, created_at)
     SELECT randomblob(16), ?5, ?2, 1, 'USD', 'x', 0, 0, 0 FROM n",
    "INSERT INTO requests (id, client_id, title, description, status, created_at)
     SELECT randomblob(16), ?1, 'bulk', 'x', 'CONVERTED', 0 FROM n",
    "INSERT INTO proposals (id, request_id, provider_id, price_amount, price_currency, scope, deadline, expires_at,
         status, created_at)
     SELECT randomblob(16), id, ?2, 1, 'USD', 'x', 0, 0, 'ACCEPTED', 0 FROM requests WHERE title = 'bulk' AND client_id = ?1",
    "INSERT INTO projects (id, request_id, proposal_id, client_id, title, price_amount, price_currency, scope, deadline,
         terms_hash, created_at)
     SELECT randomblob(16), r.id, p.id, ?1, 'bulk', 1, 'USD', 'x', 0, '', 0 FROM requests r
     JOIN proposals p ON p.request_id = r.id WHERE r.title = 'bulk' AND r.client_id = ?1",
    "INSERT INTO project_providers SELECT id, 0, ?2 FROM projects WHERE title = 'bulk' AND client_id = ?1",
    "INSERT INTO conversations (id, project_id, activity, updated_at)
     SELECT randomblob(16), id, -position, 0 FROM projects WHERE title = 'bulk' AND client_id = ?1",
    "INSERT INTO participants (conversation_id, user_id, place)
     SELECT c.id, side.column1, side.column2 FROM conversations c JOIN projects p ON p.id = c.project_id
     JOIN (VALUES (?1, 0), (?2, 1)) AS side WHERE p.title = 'bulk' AND p.client_id = ?1",
    "INSERT INTO messages (id, conversation_id, seq, sender_id, type, content, created_at)
     SELECT randomblob(16), ?3, i, ?2, 'text', 'word ' || i, 0 FROM n",
    "INSERT INTO meetings (id, project_id, host_id, guest_id, channel_name, type, status, engine, end_reason,
         created_at, updated_at, host_uid, guest_uid, host_screen_uid, guest_screen_uid)
     SELECT randomblob(16), ?4, iif(i % 2, ?1, ?2), iif(i % 2, ?2, ?1), hex(randomblob(16)), 'instant', 'COMPLETED',
         'direct', 'ended', 0, 0, 1, 2, 3, 4 FROM n",
    "INSERT INTO meeting_log (meeting_id, user_id, event, at)
     SELECT ?6, ?1, iif(i % 2, 'screen_on', 'screen_off'), 0 FROM n",
];

impl Large {
    /// With so many rows of the client and the provider of the world, and so many of two others.
    async fn make(own: i64, others: i64) -> Self {
        let harness = fresh();
        let world = World::new(&harness).await;
        let client = world.client;
        let strangers = World {
            store: Arc::clone(&world.store),
            client: account(&*world.store, "nina", Role::Client).await,
            provider: account(&*world.store, "olaf", Role::Provider).await,
            stranger: world.stranger,
            project: world.project.clone(),
        };
        let project = crate::suite::agree(&*world.store, strangers.client, strangers.provider).await.project;
        let strangers = World { project, ..strangers };
        let start = world.store.sync(client, None, 1).await.unwrap().next_cursor;
        let mut raw = harness.raw();
        fill(&mut raw, &strangers, others).await;
        let (request, meeting) = fill(&mut raw, &world, own).await;
        while world.store.index_messages(256).await.unwrap() > 0 {}
        Self { client, request, meeting, start, world, _harness: harness }
    }

    /// Steps of every list, and of what is looked up with every call or in the background.
    async fn costs(&self) -> Vec<(&'static str, u64)> {
        let (store, client, provider) = (&*self.world.store, self.client, self.world.provider);
        let (conversation, project) = (self.world.conversation(), self.world.project.id);
        let first = PageRequest::first(50);
        let from = |cursor| PageRequest { limit: 50, cursor: Some(cursor) };
        let word = |text: &str| SearchQuery::new(text).unwrap();
        let middle = SyncCursor { seen: self.start.seen + 100, ..self.start };
        let mut costs = Vec::new();
        macro_rules! cost {
            ($name:literal, $call:expr) => {{
                let before = store.activity().steps;
                $call.await.unwrap();
                costs.push(($name, store.activity().steps - before));
            }};
        }
        cost!("a client's requests", store.requests(client, first));
        cost!("open requests", store.requests(provider, first));
        cost!("proposals", store.proposals(client, self.request, first));
        cost!("a provider's proposals", store.proposals(provider, self.request, first));
        cost!("projects", store.projects(client, first));
        cost!("conversations", store.conversations(client, first));
        cost!("messages", store.messages(client, conversation, first));
        cost!("older messages", store.messages(client, conversation, from(Cursor::before(100))));
        cost!("later messages", store.messages(client, conversation, from(Cursor::after(100))));
        cost!("a common word", store.search_messages(client, word("word"), None, first));
        cost!(
            "a common word in one conversation",
            store.search_messages(client, word("word"), Some(conversation), first)
        );
        cost!("an unknown word", store.search_messages(client, word("nowhere"), None, first));
        cost!("meetings of a project", store.meetings_of_project(client, project, first));
        cost!("meetings", store.meetings(client, MeetingFilter::default(), first));
        cost!("a meeting's log", store.meeting_log(client, self.meeting, first));
        cost!("changes", store.sync(client, Some(self.start), 50));
        cost!("later changes", store.sync(client, Some(middle), 50));
        cost!("live meetings", store.live_meetings_of(client));
        cost!("everybody's live meetings", store.live_meetings());
        cost!("one conversation", store.conversation(client, ConversationKey::Id(conversation)));
        cost!("one project", store.project(client, project));
        cost!("the next due time", store.next_due_at());
        cost!("a call", store.meeting(client, self.meeting));
        cost!("a message", store.append_message(self.world.message(client, "word"), at(9)));
        cost!("a read mark", store.mark_read(client, conversation, None, at(9)));
        costs
    }
}

async fn fill(raw: &mut Connection, world: &World, count: i64) -> (RequestId, MeetingId) {
    let (request, _) = crate::suite::propose(&*world.store, world.client, world.provider).await;
    let meeting = world.make(world.instant(world.client), 5).await.view.meeting.id;
    let tx = raw.transaction().unwrap();
    for sql in FILL {
        let sql = sql.replacen(
            "SELECT",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?7) SELECT",
            1,
        );
        let ids =
            (world.client.0, world.provider.0, world.conversation().0, world.project.id.0, request.0, meeting.0, count);
        tx.execute(&sql, ids).unwrap();
    }
    let last: i64 =
        tx.query_row("SELECT value FROM counters WHERE name = 'last_change'", (), |row| row.get(0)).unwrap();
    let conversation = world.conversation().0;
    tx.execute("UPDATE messages SET change_number = ?1 + seq WHERE conversation_id = ?2", (last, conversation))
        .unwrap();
    // As if each had been revised, too.
    for (user, first) in [(world.client, last + count), (world.provider, last + 2 * count)] {
        tx.execute(
            "INSERT INTO changes (user_id, number, kind, subject)
             SELECT ?1, ?2 + seq, 'message', id FROM messages WHERE conversation_id = ?3",
            (user.0, first, conversation),
        )
        .unwrap();
    }
    tx.execute("UPDATE counters SET value = value + 3 * ?1 WHERE name = 'last_change'", [count]).unwrap();
    let newest = "UPDATE conversations SET last_seq = ?1, activity = ?2 + ?1 WHERE id = ?3";
    tx.execute(newest, (count, last, conversation)).unwrap();
    // Unread messages are counted one by one; these are read.
    tx.execute("UPDATE participants SET last_read_seq = ?1 WHERE conversation_id = ?2", (count, conversation)).unwrap();
    tx.commit().unwrap();
    (request, meeting)
}

/// Names what costs more in the second than `allowed` says for it; a tenth more is what batches of pages differ by.
fn dearer(few: &[(&'static str, u64)], many: &[(&'static str, u64)], allowed: &[(&str, u64)]) -> Vec<String> {
    let mut dearer = Vec::new();
    for ((name, few), (_, many)) in few.iter().zip(many) {
        println!("{name}: {few} and {many}");
        let more = allowed.iter().find(|(allowed, _)| allowed == name).map_or(0, |(_, more)| *more);
        if *many > few + few / 10 + more {
            dearer.push(format!("{name}: {few} and {many}"));
        }
    }
    dearer
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_other_peoples_costs_nothing() {
    let (few, many) = (Large::make(FEW, FEW).await.costs().await, Large::make(FEW, MANY).await.costs().await);
    assert_eq!(dearer(&few, &many, &[]), [] as [String; 0]);
}

/// But for two lists that are sorted by what no index of a person's own rows has, and for changes, which ask each of a
/// person's conversations whether anything happened in it: keys, and no more of them, are gone through each time; nobody
/// has ten thousand projects. And a search of all conversations names the first few hundred.
#[tokio::test(flavor = "multi_thread")]
async fn what_lies_beyond_a_page_costs_nothing() {
    let (few, many) = (Large::make(FEW, FEW).await.costs().await, Large::make(MANY, FEW).await.costs().await);
    let (sorted, named) = (20 * MANY.unsigned_abs(), 4_000);
    let allowed = [
        ("projects", sorted),
        ("conversations", sorted),
        ("changes", sorted),
        ("later changes", sorted),
        ("a common word", named),
        ("an unknown word", named),
    ];
    assert_eq!(dearer(&few, &many, &allowed), [] as [String; 0]);
}
