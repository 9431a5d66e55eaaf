//! Rows of the local copy as the UI draws them.

use std::collections::HashMap;

use parley_client::{
    Client, OutboxEntry, OutboxState, ProjectRow,
    cache::{CacheResult, Db},
};
use parley_domain::{
    Conversation, Meeting, MeetingStatus, MeetingType, Message, Participant, ProjectStatus, Proposal, Request,
    Timestamp, UserId,
};
use parley_protocol::{
    app::{Delivery, MessageView, OfferCard, Person, ProjectCard, ProjectsView},
    socket::Presence,
};

/// A project as it is read on the database's thread: all but who is there.
pub(crate) struct Card {
    row: ProjectRow,
    last_message: Option<MessageView>,
}

/// Everything that the list shows, read at one moment.
pub(crate) struct Lists {
    cards: Vec<Card>,
    offers: Vec<(Proposal, Request)>,
    loaded: bool,
}

pub(crate) fn read_lists(db: &Db) -> CacheResult<Lists> {
    let cards: CacheResult<Vec<Card>> = db.projects()?.into_iter().map(|row| read_card(db, row)).collect();
    Ok(Lists { cards: cards?, offers: db.offers()?, loaded: db.is_loaded()? })
}

pub(crate) fn read_card(db: &Db, row: ProjectRow) -> CacheResult<Card> {
    let last_message = match (db.outbox_of(row.conversation.id)?.pop(), &row.conversation.last_message) {
        (Some(entry), _) => Some(of_entry(db.me(), &entry)),
        (None, Some(message)) => Some(of_message(db, &row.conversation, message)?),
        (None, None) => None,
    };
    Ok(Card { row, last_message })
}

/// The list. Offers whose time is over are not shown: nobody can accept them.
pub(crate) fn projects(client: &Client, lists: Lists, now: Timestamp) -> ProjectsView {
    let me = client.user().id;
    let (active, past) = lists
        .cards
        .into_iter()
        .filter_map(|card| project(client, me, card))
        .partition(|card| card.project.status == ProjectStatus::Active);
    let offers = lists.offers.into_iter().filter(|(proposal, _)| proposal.expires_at > now);
    let offers = offers.map(|(proposal, request)| OfferCard { proposal, request }).collect();
    ProjectsView { offers, active, past, loaded: lists.loaded }
}

/// One project's card; `None` for a conversation with nobody else in it.
pub(crate) fn project(client: &Client, me: UserId, card: Card) -> Option<ProjectCard> {
    let Card { row, last_message } = card;
    let ProjectRow { project, conversation, unread, meetings } = row;
    let other = other_of(&conversation, me)?;
    let other = person(other, client.presence(other.user_id));
    let mark = |who: &Participant| (who.user_id == me).then_some(who.last_read_seq);
    let last_read_seq = conversation.participants.iter().find_map(mark).unwrap_or(0);
    let (over, ahead): (Vec<Meeting>, Vec<Meeting>) =
        meetings.into_iter().partition(|it| matches!(it.status, MeetingStatus::Completed | MeetingStatus::Cancelled));
    let is_on = |it: &&Meeting| it.status == MeetingStatus::Active || it.kind == MeetingType::Instant;
    let active_meeting = ahead.iter().rev().find(is_on).cloned();
    let next_meeting = ahead.iter().filter(|it| !is_on(it)).min_by_key(|it| it.scheduled_at).cloned();
    Some(ProjectCard {
        updated_at: conversation.updated_at,
        project,
        other,
        last_message,
        unread,
        last_read_seq,
        active_meeting,
        next_meeting,
        past_meetings: over,
    })
}

/// The other side of a conversation, as one participant sees it.
pub(crate) fn other_of(conversation: &Conversation, me: UserId) -> Option<&Participant> {
    conversation.participants.iter().find(|participant| participant.user_id != me)
}

pub(crate) fn person(participant: &Participant, presence: Option<Presence>) -> Person {
    let (online, last_seen_at) = presence.map_or((false, None), |known| (known.online, known.last_seen_at));
    Person {
        user_id: participant.user_id,
        name: participant.name.clone(),
        role: participant.role,
        online,
        last_seen_at,
        time_zone: participant.time_zone.clone(),
    }
}

/// A message with what became of it.
pub(crate) fn of_message(db: &Db, conversation: &Conversation, message: &Message) -> CacheResult<MessageView> {
    let me = db.me();
    let (mut delivery, mut read_at) = (Delivery::Received, None);
    if message.sender_id == me {
        delivery = Delivery::Sent;
        for reader in conversation.participants.iter().filter(|reader| reader.user_id != me) {
            let told = message.read_by.iter().find(|read| read.user_id == reader.user_id).map(|read| read.read_at);
            if told.is_none() && reader.last_read_seq < message.seq {
                continue;
            }
            delivery = Delivery::Read;
            let at = match told {
                Some(at) => Some(at),
                None => db.read_at(conversation.id, reader.user_id, message.seq)?,
            };
            read_at = read_at.max(at);
        }
    }
    Ok(MessageView {
        conversation_id: message.conversation_id,
        client_id: message.client_id.clone(),
        sender_id: message.sender_id,
        content: message.content.clone(),
        created_at: message.created_at,
        delivery,
        read_at,
        error: None,
        message: Some(message.clone()),
    })
}

/// Messages of one or several conversations, with what became of each.
pub(crate) fn of_messages(db: &Db, messages: &[Message]) -> CacheResult<Vec<MessageView>> {
    let mut conversations = HashMap::new();
    let mut views = Vec::with_capacity(messages.len());
    for message in messages {
        let id = message.conversation_id;
        if !conversations.contains_key(&id)
            && let Some(conversation) = db.conversation(id)?
        {
            conversations.insert(id, conversation);
        }
        if let Some(conversation) = conversations.get(&id) {
            views.push(of_message(db, conversation, message)?);
        }
    }
    Ok(views)
}

/// A message of the outbox.
pub(crate) fn of_entry(me: UserId, entry: &OutboxEntry) -> MessageView {
    let (delivery, error) = match &entry.state {
        OutboxState::Waiting => (Delivery::Sending, None),
        OutboxState::Failed(error) => (Delivery::Failed, Some(error.clone())),
    };
    MessageView {
        message: None,
        conversation_id: entry.conversation_id,
        client_id: Some(entry.client_id.clone()),
        sender_id: me,
        content: entry.content.clone(),
        created_at: entry.created_at,
        delivery,
        read_at: None,
        error,
    }
}
