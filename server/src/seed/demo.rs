//! The demo marketplace: one open request with a proposal that waits, one active project in mid-work, one that is done.

use std::time::Duration;

use parley_domain::{
    ConversationId, EngineKind, MeetingStep, MeetingType, MessageType, Project, ProjectStatus, Role, Timestamp, User,
};
use parley_store::{MeetingMove, NewMeeting, NewMessage, PageRequest, ProjectClosing};

use super::{
    Demo, DemoAccount, Offer, Person, SeededUser, Wish, ensure_account, ensure_project, ensure_proposal,
    ensure_request, money,
    story::{self, By, Line},
};
use crate::AppState;

const DAY: Duration = Duration::from_secs(24 * 3600);
const DAY_MILLIS: i64 = 24 * 3600 * 1000;

/// Makes the demo, or whatever of it is missing.
///
/// Errors if the store fails.
pub async fn demo(app: &AppState) -> anyhow::Result<Demo> {
    let hash = app.passwords.hash(story::PASSWORD.to_owned()).await?;
    let calendar = Calendar { now: app.now() };
    let client = Person {
        email: story::CLIENT.to_owned(),
        name: "Maren Aldous",
        role: Role::Client,
        time_zone: Some("Europe/London"),
    };
    let provider = Person {
        email: story::PROVIDER.to_owned(),
        name: "Tomas Okonjo-Reyes",
        role: Role::Provider,
        time_zone: Some("Europe/Berlin"),
    };
    let people = People {
        client: ensure_account(app, &client, &hash, calendar.ago(90, (9, 0))).await?,
        provider: ensure_account(app, &provider, &hash, calendar.ago(88, (9, 0))).await?,
    };
    past_project(app, &people, &calendar).await?;
    active_project(app, &people, &calendar).await?;
    open_request(app, &people, &calendar).await?;
    let account = |person: Person| DemoAccount {
        sign_in: SeededUser { email: person.email, password: story::PASSWORD.to_owned() },
        name: person.name.to_owned(),
        role: person.role,
    };
    Ok(Demo { accounts: vec![account(client), account(provider)] })
}

struct People {
    client: User,
    provider: User,
}

impl People {
    fn who(&self, by: By) -> &User {
        match by {
            By::Client => &self.client,
            By::Provider => &self.provider,
        }
    }
}

/// Days before the day of seeding.
struct Calendar {
    now: Timestamp,
}

impl Calendar {
    /// That time of day, so many days ago; never in the future.
    fn ago(&self, days: u64, (hour, minute): (u64, u64)) -> Timestamp {
        let midnight = Timestamp::from_millis(self.now.as_millis().div_euclid(DAY_MILLIS) * DAY_MILLIS);
        let at = midnight - DAY * u32::try_from(days).unwrap_or(0) + Duration::from_secs((hour * 60 + minute) * 60);
        at.min(self.now)
    }

    /// Noon in so many days.
    fn ahead(&self, days: u32) -> Timestamp {
        self.ago(0, (0, 0)) + DAY * days + DAY / 2
    }
}

async fn open_request(app: &AppState, people: &People, calendar: &Calendar) -> anyhow::Result<()> {
    let wish = Wish {
        title: story::OPEN_TITLE,
        description: story::OPEN_DESCRIPTION,
        budget: Some(money(420_000, "GBP")?),
        deadline: Some(calendar.ahead(60)),
        at: calendar.ago(3, (10, 5)),
    };
    let request = ensure_request(app, people.client.id, &wish).await?;
    let offer = Offer {
        price: money(385_000, "GBP")?,
        scope: story::OPEN_SCOPE,
        deadline: calendar.ahead(45),
        expires_at: calendar.ahead(365),
        at: calendar.ago(1, (18, 20)),
    };
    ensure_proposal(app, people.provider.id, &request, &offer).await?;
    Ok(())
}

async fn active_project(app: &AppState, people: &People, calendar: &Calendar) -> anyhow::Result<()> {
    let wish = Wish {
        title: story::ACTIVE_TITLE,
        description: story::ACTIVE_DESCRIPTION,
        budget: Some(money(900_000, "EUR")?),
        deadline: None,
        at: calendar.ago(14, (9, 30)),
    };
    let offer = Offer {
        price: money(840_000, "EUR")?,
        scope: story::ACTIVE_SCOPE,
        deadline: calendar.ahead(33),
        expires_at: calendar.ahead(2),
        at: calendar.ago(11, (16, 45)),
    };
    let Some(project) = agreed(app, people, &wish, &offer, calendar.ago(9, (7, 50))).await? else { return Ok(()) };
    if project.status != ProjectStatus::Active {
        return Ok(());
    }
    tell(app, people, project.conversation_id, calendar, story::ACTIVE_LINES).await?;
    // The client has not seen the last line yet, the provider has read everything.
    let seen = story::ACTIVE_LINES.len() - 1;
    read_up_to(app, &people.client, project.conversation_id, seen, calendar.ago(1, (16, 48))).await?;
    read_up_to(app, &people.provider, project.conversation_id, seen, calendar.ago(0, (7, 14))).await
}

async fn past_project(app: &AppState, people: &People, calendar: &Calendar) -> anyhow::Result<()> {
    let wish = Wish {
        title: story::PAST_TITLE,
        description: story::PAST_DESCRIPTION,
        budget: Some(money(150_000, "GBP")?),
        deadline: Some(calendar.ago(50, (12, 0))),
        at: calendar.ago(70, (11, 0)),
    };
    let offer = Offer {
        price: money(140_000, "GBP")?,
        scope: story::PAST_SCOPE,
        deadline: calendar.ago(50, (12, 0)),
        expires_at: calendar.ago(60, (12, 0)),
        at: calendar.ago(68, (15, 10)),
    };
    let Some(project) = agreed(app, people, &wish, &offer, calendar.ago(65, (8, 30))).await? else { return Ok(()) };
    if project.status != ProjectStatus::Active {
        return Ok(());
    }
    tell(app, people, project.conversation_id, calendar, story::PAST_LINES).await?;
    let all = story::PAST_LINES.len();
    read_up_to(app, &people.client, project.conversation_id, all, calendar.ago(52, (19, 5))).await?;
    read_up_to(app, &people.provider, project.conversation_id, all, calendar.ago(52, (19, 6))).await?;
    past_call(app, people, &project, calendar).await?;
    // Last, so that a seeding that was broken off goes on where it stopped.
    app.store.close_project(people.client.id, project.id, ProjectClosing::Complete, calendar.ago(52, (19, 10))).await?;
    Ok(())
}

async fn agreed(
    app: &AppState,
    people: &People,
    wish: &Wish<'_>,
    offer: &Offer<'_>,
    at: Timestamp,
) -> anyhow::Result<Option<Project>> {
    let request = ensure_request(app, people.client.id, wish).await?;
    let Some(proposal) = ensure_proposal(app, people.provider.id, &request, offer).await? else { return Ok(None) };
    ensure_project(app, people.client.id, &proposal, at).await
}

/// Writes a history. Each line has a `clientId` of its own, so that none is written twice.
async fn tell(
    app: &AppState,
    people: &People,
    conversation: ConversationId,
    calendar: &Calendar,
    lines: &[Line],
) -> anyhow::Result<()> {
    for (index, line) in lines.iter().enumerate() {
        let message = NewMessage {
            kind: MessageType::Text,
            attachments: Vec::new(),
            sender: people.who(line.by).id,
            conversation,
            content: line.text.to_owned(),
            client_id: Some(format!("demo-{conversation}-{index}")),
            reply_to: None,
        };
        app.store.append_message(message, calendar.ago(line.days_ago, line.at)).await?;
    }
    Ok(())
}

/// Marks the first `count` lines as read.
async fn read_up_to(
    app: &AppState,
    reader: &User,
    conversation: ConversationId,
    count: usize,
    at: Timestamp,
) -> anyhow::Result<()> {
    let history = PageRequest { limit: 100, cursor: Some(parley_store::Cursor::after(0)) };
    let page = app.store.messages(reader.id, conversation, history).await?.read()?;
    if let Some(message) = count.checked_sub(1).and_then(|last| page.items.get(last)) {
        app.store.mark_read(reader.id, conversation, Some(message.id), at).await?;
    }
    Ok(())
}

/// A call of 26 minutes that was answered and ended by hand.
async fn past_call(app: &AppState, people: &People, project: &Project, calendar: &Calendar) -> anyhow::Result<()> {
    let known = app.store.meetings_of_project(people.client.id, project.id, PageRequest::first(1)).await?;
    if !known.items.is_empty() {
        return Ok(());
    }
    let times = app.config.timing.meeting.clone();
    let rung_at = calendar.ago(64, (9, 40));
    let call = NewMeeting {
        host: people.client.id,
        project: project.id,
        guest: None,
        kind: MeetingType::Instant,
        scheduled_at: None,
        engine: EngineKind::Direct,
        times: times.clone(),
        idempotency: None,
    };
    let meeting = app.store.create_meeting(call, rung_at).await?.into_inner().view.meeting.id;
    let step = |caller, step| MeetingMove { meeting, caller, step, times: times.clone() };
    let answered_at = rung_at + Duration::from_secs(6);
    app.store.move_meeting(step(people.provider.id, MeetingStep::Accept), answered_at).await?;
    let ended_at = answered_at + Duration::from_secs(26 * 60 + 14);
    app.store.move_meeting(step(people.client.id, MeetingStep::End), ended_at).await?;
    Ok(())
}
