//! The path, step by step.

use std::{io::Write, time::Duration};

use anyhow::{Context, Result, ensure};
use parley_call::{Opening, Phase};
use parley_client::ClientEvent;
use parley_domain::{EndReason, MeetingStatus, Message, Project};
use parley_protocol::socket::Invite;
use parley_testkit::{CLIENT, Caller};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    arguments::Arguments,
    call::{Attending, Heard, OF_CLIENT, OF_PROVIDER, SCREEN_SECONDS, Sending, Side, hear_active},
    clock::ClockZero,
    market,
    partner::Partner,
    pictures::PictureFigures,
    report::{Failed, Findings, Report, findings, milliseconds, rounded},
    server::Server,
    talk::{Ask, Over, SignedIn, Standing},
    usage,
};

/// Nothing of the path but the call itself takes longer than this.
const STEP_LIMIT: Duration = Duration::from_secs(30);
/// Starting a server (and making its demo the first time) may.
const SERVER_LIMIT: Duration = Duration::from_secs(90);
/// A call is worse than useless below this; what is wanted on an idle machine is [`TARGET_FPS`] and [`TARGET_P99_MS`].
const LEAST_FPS: f64 = 10.0;
const LEAST_PSNR_DB: f64 = 25.0;
const TARGET_FPS: f64 = 28.0;
const TARGET_P99_MS: f64 = 80.0;

/// Goes the whole path and writes a line a step; stops at the first that fails.
pub(crate) async fn walk<W: Write>(arguments: &Arguments, report: &mut Report<W>) -> Result<(), Failed> {
    let begun = Instant::now();
    let server = report
        .step("server.ready", SERVER_LIMIT, async {
            let server = Server::ready(arguments).await?;
            let address = server.address().to_owned();
            Ok((server, findings(json!({ "address": address }))))
        })
        .await?;
    let (mut people, project) =
        report.step("proposal.accepted", STEP_LIMIT, accept(arguments, server.address())).await?;
    let message = report.step("message.delivered", STEP_LIMIT, deliver(&mut people, &project)).await?;
    report.step("message.read", STEP_LIMIT, read(&mut people, message)).await?;

    let side = report.step("meeting.ringing", STEP_LIMIT, ring(arguments, &mut people, &project)).await?;
    let attending = report
        .step("meeting.active", STEP_LIMIT, async {
            // Looking begins before anything can be seen, so that the first picture counts.
            let attending = side.attend(OF_PROVIDER, people.clock, arguments)?;
            activate(&mut people, &side).await?;
            Ok((attending, Findings::new()))
        })
        .await?;
    let People { client, mut partner, clock } = people;
    report
        .step("call.connected", STEP_LIMIT, async {
            tokio::try_join!(side.reach(Phase::Connected), partner.ask::<()>(Ask::Connected))?;
            let mut found = findings(json!({ "engine": side.session.snapshot().engine.map(|kind| kind.as_str()) }));
            if let Some(library) = &arguments.agora_sdk {
                found.insert("library".into(), json!(library));
            }
            Ok(((), found))
        })
        .await?;

    let limit = Duration::from_secs(arguments.seconds) + STEP_LIMIT;
    let heard = report.step("call.video", limit, watch(arguments, &side, attending, &mut partner)).await?;
    report.step("call.audio", STEP_LIMIT, listen(heard, &mut partner)).await?;
    if arguments.engine.carries_screens() {
        report.step("call.screen", STEP_LIMIT, look_at_screen(&side, &mut partner, clock)).await?;
    }
    report.step("meeting.ended", STEP_LIMIT, hang_up(arguments, &side, &mut partner)).await?;
    report
        .step("done", STEP_LIMIT, async {
            tokio::try_join!(side.finish(), partner.ask::<()>(Ask::Finish))?;
            drop(client);
            partner.end().await?;
            server.end().await?;
            Ok(((), findings(json!({ "total_ms": milliseconds(begun.elapsed()) }))))
        })
        .await
}

/// The client here, the provider in another process.
struct People {
    client: Caller,
    partner: Partner,
    /// Of the provider's process.
    clock: ClockZero,
}

async fn accept(arguments: &Arguments, server: &str) -> Result<((People, Project), Findings)> {
    let begun = Instant::now();
    let mut partner = Partner::start(arguments, server)?;
    let client_data = arguments.data_dir.join("client");
    let (client, provider) = tokio::try_join!(
        Caller::sign_in(server, CLIENT, &client_data, arguments.engine.announced()),
        partner.ask::<SignedIn>(Ask::SignIn { clock: ClockZero::here() })
    )?;
    let signed_in = begun.elapsed();
    let (project, is_new) = market::accept_offer(&client, &mut partner, provider.user).await?;
    let found = json!({
        "signed_in_ms": milliseconds(signed_in),
        "project": project.id,
        "offer": if is_new { "new" } else { "pending" },
    });
    Ok(((People { client, partner, clock: provider.clock }, project), findings(found)))
}

async fn deliver(people: &mut People, project: &Project) -> Result<(Message, Findings)> {
    let text = format!("Hello! Shall we talk about it? {}", project.id);
    let sent = Instant::now();
    let client = &people.client.client;
    client.send(project.conversation_id, text.clone()).await?;
    let message: Message = people.partner.ask(Ask::HearMessage { text }).await?;
    let delivered = milliseconds(sent.elapsed());
    ensure!(message.sender_id == client.user().id, "the message has another sender");
    let seq = message.seq;
    Ok((message, findings(json!({ "seq": seq, "delivered_ms": delivered }))))
}

async fn read(people: &mut People, message: Message) -> Result<((), Findings)> {
    let Message { conversation_id: conversation, seq, .. } = message;
    let ours = people.client.client.user().id;
    people.partner.ask::<()>(Ask::MarkRead { conversation, seq }).await?;
    let read = people.client.hear("that the message was read", |event| match event {
        ClientEvent::Read { conversation_id, user_id, seq, .. } => {
            (conversation_id == conversation && user_id != ours && seq >= message.seq).then_some(seq)
        }
        _ => None,
    });
    Ok(((), findings(json!({ "seq": read.await? }))))
}

async fn ring(arguments: &Arguments, people: &mut People, project: &Project) -> Result<(Side, Findings)> {
    let People { client, partner, .. } = people;
    // Opened before the ring, as a camera is: the preview is there while it rings.
    let sending = Sending::start(OF_CLIENT, arguments)?;
    partner.ask::<()>(Ask::OpenSources).await?;
    let rung = Instant::now();
    let meeting = client.client.call(project.id, None).await.context("the call can't be placed")?;
    let side = Side::begin(client, meeting.id, Opening::Placed, sending, arguments);
    let invite: Invite = partner.ask(Ask::HearRing { meeting: meeting.id }).await?;
    let rings_after = milliseconds(rung.elapsed());
    ensure!(invite.host_id == client.client.user().id, "somebody else rings");
    tokio::try_join!(side.reach(Phase::RingingOut), partner.ask::<()>(Ask::Ringing))?;
    let found = json!({
        "meeting": meeting.id,
        "engine": meeting.engine,
        "rings_ms": rings_after,
        "expires_in_seconds": invite.expires_in_seconds,
    });
    Ok((side, findings(found)))
}

async fn activate(people: &mut People, side: &Side) -> Result<()> {
    let meeting = side.session.meeting();
    let People { client, partner, .. } = people;
    tokio::try_join!(partner.ask::<()>(Ask::Accept), hear_active(client, meeting))?;
    let meeting = client.client.rest().meeting(meeting).await?;
    ensure!(meeting.status == MeetingStatus::Active, "the meeting is {}", meeting.status);
    ensure!(meeting.accepted_at.is_some(), "the meeting is active but not accepted");
    Ok(())
}

async fn watch(
    arguments: &Arguments,
    side: &Side,
    attending: Attending,
    partner: &mut Partner,
) -> Result<(Heard, Findings)> {
    let waiting = Instant::now();
    tokio::try_join!(side.sees(), partner.ask::<()>(Ask::Sees))?;
    let first_picture = milliseconds(waiting.elapsed());
    let before = [side.stand(&attending)?, partner.ask(Ask::Stand).await?];
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_secs(arguments.seconds)).await;
    let seconds = begun.elapsed().as_secs_f64();
    let after = [side.stand(&attending)?, partner.ask(Ask::Stand).await?];
    let used = processor_seconds(&after).zip(processor_seconds(&before));
    let used = used.map(|(after, before)| rounded((after - before) / seconds * 100.0));
    let conditions = usage::conditions();

    let [by_client, by_provider] = [0, 1].map(|of| after[of].pictures - before[of].pictures);
    let ((to_client, heard), to_provider) =
        tokio::try_join!(attending.finish(by_provider), partner.ask::<PictureFigures>(Ask::Seen { sent: by_client }))?;
    let mut found = worse_of(&to_provider, &to_client)?;
    found.insert("source".into(), json!(side.sending.source));
    found.insert("first_picture_ms".into(), json!(first_picture));
    found.insert("processor_percent".into(), json!(used));
    found.insert("conditions".into(), conditions);
    let directions = [to_provider.to_json(OF_CLIENT.direction), to_client.to_json(OF_PROVIDER.direction)];
    found.insert("directions".into(), json!(directions));
    Ok((heard, found))
}

/// Of both processes.
fn processor_seconds(both: &[Standing; 2]) -> Option<f64> {
    both.iter().map(|standing| standing.processor_seconds).sum()
}

/// The headline is the worse of the two directions, figure by figure.
fn worse_of(one: &PictureFigures, other: &PictureFigures) -> Result<Findings> {
    let (fps, psnr) = (one.fps.min(other.fps), one.psnr_db.min(other.psnr_db));
    let p99 = one.p99_ms.max(other.p99_ms);
    ensure!(fps >= LEAST_FPS, "only {fps:.1} pictures a second arrived");
    ensure!(psnr >= LEAST_PSNR_DB, "what arrived looks too different from what was sent: {psnr:.1} dB");
    let mut found = findings(json!({
        "frames": one.frames.min(other.frames),
        "fps": rounded(fps),
        "width": one.width.min(other.width),
        "height": one.height.min(other.height),
        "p50_ms": rounded(one.p50_ms.max(other.p50_ms)),
        "p99_ms": rounded(p99),
        "freezes": one.freezes.max(other.freezes),
        "psnr_db": rounded(psnr),
        "psnr_frames": one.compared.min(other.compared),
    }));
    found.insert("meets_target".into(), json!(fps >= TARGET_FPS && p99 < TARGET_P99_MS));
    Ok(found)
}

async fn listen(heard: Heard, partner: &mut Partner) -> Result<((), Findings)> {
    let (to_client, to_provider) = tokio::try_join!(heard.figures(), partner.ask::<Value>(Ask::Heard))?;
    let mut found = findings(to_provider.clone());
    found.remove("direction");
    found.insert("directions".into(), json!([to_provider, to_client]));
    Ok(((), found))
}

/// The provider shares a screen beside its camera; the client looks at it until it is gone again.
async fn look_at_screen(side: &Side, partner: &mut Partner, clock: ClockZero) -> Result<((), Findings)> {
    let pictures = side.look_at_screen(clock)?;
    let asked = Instant::now();
    partner.ask::<()>(Ask::ShareScreen).await?;
    side.sees_screen(true).await?;
    let first_picture = milliseconds(asked.elapsed());
    tokio::time::sleep(SCREEN_SECONDS).await;
    let hidden = Instant::now();
    let sent: u64 = partner.ask(Ask::HideScreen).await?;
    side.sees_screen(false).await?;
    let gone = milliseconds(hidden.elapsed());
    let figures = tokio::task::spawn_blocking(move || pictures.finish(sent)).await??;
    let mut found = worse_of(&figures, &figures)?;
    found.insert("first_picture_ms".into(), json!(first_picture));
    found.insert("gone_ms".into(), json!(gone));
    Ok(((), found))
}

async fn hang_up(arguments: &Arguments, side: &Side, partner: &mut Partner) -> Result<((), Findings)> {
    side.session.hang_up();
    let (ours, theirs) = tokio::try_join!(side.over(), partner.ask::<Over>(Ask::Over))?;
    let Over { ended, session_duration } = theirs;
    ensure!(ended.status == MeetingStatus::Completed, "the meeting is {}", ended.status);
    ensure!(ended.end_reason == Some(EndReason::Ended), "the meeting ended as {:?}", ended.end_reason);
    let duration = ended.duration.context("the meeting has no duration")?;
    ensure!(ours == Some(duration) && session_duration == Some(duration), "the sides see different durations");
    ensure!(duration.unsigned_abs() >= arguments.seconds, "the duration of {duration} s is too short");
    Ok(((), findings(json!({ "duration": duration, "end_reason": "ended" }))))
}
