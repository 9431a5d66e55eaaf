//! The contract of a store as tests: [`crate::store_suite!`] runs every behaviour below on a fresh, empty store.

// This is a test, wherever it is compiled.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use parley_domain::{
    ConversationId, EngineKind, MeetingStep, MeetingTimes, MeetingType, Money, Project, ProposalId, RequestId, Role,
    Timestamp, UserId,
};

use crate::{
    Acceptance, Committed, Created, MeetingChange, MeetingError, MeetingMove, NewAccount, NewMeeting, NewMessage,
    NewProposal, NewRequest, Store,
};

pub mod accounts;
pub mod attachments;
pub mod changes;
pub mod durability;
pub mod mails;
pub mod market;
pub mod meetings;
pub mod messages;
pub mod revisions;
pub mod search;

/// A database of its own for one test.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Opens it, empty at first, later with all that was kept. The store that was opened before is closed by the test.
    async fn open(&self) -> Arc<dyn Store>;
}

/// Runs the whole suite: `store_suite!(path::to::fresh)` with `fn fresh() -> impl Harness`.
#[macro_export]
macro_rules! store_suite {
    ($fresh:path) => {
        $crate::store_suite! { @run $fresh;
            accounts:
                an_address_is_taken_once,
                providers_start_unapproved_and_nobody_else_is_approved,
                a_refresh_token_works_once_and_again_within_the_grace,
                a_reused_refresh_token_ends_its_family,
                unknown_and_old_refresh_tokens_give_nothing,
                a_changed_password_ends_the_other_sessions,
                a_secret_is_drawn_once,
                contacts_share_an_active_project;
            market:
                roles_decide_who_asks_and_who_proposes,
                strangers_know_of_nothing,
                an_idempotency_key_gives_the_first_answer_for_a_day,
                accepting_makes_everything_at_once,
                of_racing_accepts_exactly_one_wins,
                acceptance_is_refused_for_each_reason,
                a_proposal_is_decided_once,
                closing_a_project_closes_its_meetings,
                lists_come_in_pages_newest_first;
            messages:
                a_message_is_numbered_and_published,
                the_same_client_id_never_makes_a_second_message,
                numbers_have_no_gaps_under_racing_writers,
                strangers_and_closed_projects_take_no_message,
                history_comes_in_pages_oldest_first_inside,
                read_marks_never_go_back,
                unread_messages_are_those_of_others,
                who_read_a_message_and_when_stays_true;
            revisions:
                an_edited_message_is_the_same_everywhere,
                a_deleted_message_leaves_an_empty_row,
                a_message_is_revised_by_its_author_for_a_while;
            search:
                a_message_is_found_by_any_part_of_a_word_in_any_script,
                a_message_is_found_before_and_after_it_is_indexed,
                what_was_edited_or_deleted_is_found_as_it_is_now,
                strangers_find_nothing,
                what_is_found_comes_in_pages_newest_first;
            attachments:
                an_upload_is_seen_by_those_whom_it_was_sent_to,
                a_file_message_has_its_files_everywhere,
                only_ones_own_unsent_uploads_are_sent,
                the_files_of_a_deleted_message_are_gone,
                what_waits_to_be_sent_is_bounded_and_forgotten;
            meetings:
                two_instant_calls_at_once_end_in_one,
                of_racing_steps_one_wins,
                uids_and_channel_stay_the_same,
                a_call_in_progress_is_named,
                due_times_follow_the_state,
                an_expiry_is_claimed_by_one_and_comes_back_after_its_lease,
                reminders_are_logged_once_and_given_until_they_are_sent,
                a_new_time_drops_old_reminders,
                a_reminder_keeps_the_time_that_it_spoke_of,
                calendars_are_told_of_new_times_and_ends_by_number,
                a_clock_that_ran_ahead_keeps_nothing_back,
                late_timers_change_nothing,
                strangers_learn_nothing_of_meetings,
                the_same_key_makes_one_meeting,
                lists_are_filtered_and_paged,
                the_log_keeps_who_came_and_went,
                the_log_has_no_line_twice_and_ends_with_the_meeting,
                a_crash_takes_everybody_out_of_the_log,
                what_a_killed_server_held_is_given_to_the_next_one;
            mails:
                mails_are_written_only_where_they_are_sent,
                a_mail_is_given_until_it_is_sent,
                a_new_state_takes_waiting_mails_back,
                a_closed_project_drops_reminders_and_mails;
            changes:
                changes_come_in_commit_order_to_those_concerned,
                what_changed_several_times_comes_each_time_as_it_is_now,
                the_log_is_read_in_pages,
                an_old_cursor_is_refused_after_a_sweep,
                a_cursor_of_another_log_is_refused,
                the_feed_has_the_order_of_commits;
            durability:
                what_was_answered_survives_reopening,
                a_closed_store_says_so,
                a_caller_that_goes_away_leaves_its_write;
        }
    };
    (@run $fresh:path; $($module:ident: $($behaviour:ident),+;)+) => {$(
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    $crate::suite::$module::$behaviour(&$fresh()).await;
                }
            )+
        }
    )+};
}

/// The time that the suite counts from.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_750_000_000_000 + seconds * 1_000)
}

pub(crate) async fn account(store: &dyn Store, name: &str, role: Role) -> UserId {
    let account = NewAccount {
        email: format!("{name}@parley.test"),
        password_hash: format!("hash of {name}"),
        name: name.to_owned(),
        role,
        time_zone: None,
    };
    let user = store.create_account(account, at(0)).await.unwrap();
    if role == Role::Provider {
        store.set_approval(user.id, true).await.unwrap();
    }
    user.id
}

pub(crate) fn new_request(client: UserId, title: &str) -> NewRequest {
    NewRequest {
        client,
        title: title.to_owned(),
        description: "All of it".to_owned(),
        budget: Some(price(200_000)),
        deadline: Some(at(1_000_000)),
        idempotency: None,
    }
}

pub(crate) fn new_proposal(provider: UserId, request: RequestId) -> NewProposal {
    NewProposal {
        provider,
        request,
        price: price(125_000),
        scope: "Build the site".to_owned(),
        deadline: at(900_000),
        expires_at: at(3_600),
        idempotency: None,
    }
}

pub(crate) fn price(amount_minor: i64) -> Money {
    Money { amount_minor, currency: "USD".parse().unwrap() }
}

/// A client, a provider, someone who has nothing to do with them, and their project.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) client: UserId,
    pub(crate) provider: UserId,
    pub(crate) stranger: UserId,
    pub(crate) project: Project,
}

impl World {
    pub(crate) async fn new(harness: &dyn Harness) -> Self {
        let store = harness.open().await;
        let client = account(&*store, "cleo", Role::Client).await;
        let provider = account(&*store, "pat", Role::Provider).await;
        let stranger = account(&*store, "sam", Role::Client).await;
        let project = agree(&*store, client, provider).await.project;
        Self { store, client, provider, stranger, project }
    }

    pub(crate) fn conversation(&self) -> ConversationId {
        self.project.conversation_id
    }

    pub(crate) fn message(&self, sender: UserId, content: &str) -> NewMessage {
        NewMessage {
            sender,
            conversation: self.conversation(),
            kind: parley_domain::MessageType::Text,
            content: content.to_owned(),
            client_id: None,
            reply_to: None,
            attachments: Vec::new(),
        }
    }

    pub(crate) async fn say(&self, sender: UserId, content: &str, seconds: i64) -> parley_domain::Message {
        let appended = self.store.append_message(self.message(sender, content), at(seconds)).await.unwrap();
        parley_domain::Message::clone(&appended.message)
    }

    pub(crate) fn instant(&self, host: UserId) -> NewMeeting {
        NewMeeting {
            host,
            project: self.project.id,
            guest: None,
            kind: MeetingType::Instant,
            scheduled_at: None,
            engine: EngineKind::Direct,
            times: MeetingTimes::default(),
            idempotency: None,
        }
    }

    pub(crate) fn scheduled(&self, host: UserId, seconds: i64) -> NewMeeting {
        NewMeeting { kind: MeetingType::Scheduled, scheduled_at: Some(at(seconds)), ..self.instant(host) }
    }

    pub(crate) async fn make(&self, meeting: NewMeeting, seconds: i64) -> MeetingChange {
        match self.store.create_meeting(meeting, at(seconds)).await.unwrap() {
            Created::New(change) => change,
            Created::Same(_) => panic!("no key was given"),
        }
    }

    pub(crate) async fn step(
        &self,
        meeting: parley_domain::MeetingId,
        caller: UserId,
        step: MeetingStep,
        seconds: i64,
    ) -> Result<MeetingChange, MeetingError> {
        let wanted = MeetingMove { meeting, caller, step, times: MeetingTimes::default() };
        self.store.move_meeting(wanted, at(seconds)).await
    }
}

/// From request to project.
pub(crate) async fn agree(store: &dyn Store, client: UserId, provider: UserId) -> Acceptance {
    let (_, proposal) = propose(store, client, provider).await;
    store.accept_proposal(client, proposal, at(3)).await.unwrap()
}

pub(crate) async fn propose(store: &dyn Store, client: UserId, provider: UserId) -> (RequestId, ProposalId) {
    let request = store.create_request(new_request(client, "Site"), at(1)).await.unwrap().into_inner();
    let proposal = store.create_proposal(new_proposal(provider, request.id), at(2)).await.unwrap().into_inner();
    (request.id, proposal.id)
}

/// What the feed holds now; the writes that it speaks of have been answered.
pub(crate) fn drain(feed: &mut crate::CommitFeed) -> Vec<Arc<Committed>> {
    std::iter::from_fn(|| feed.try_recv().ok()).collect()
}

pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
