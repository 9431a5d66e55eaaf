//! The path, step by step.

use std::{io::Write, time::Duration};

use anyhow::{Context, Result, ensure};
use parley_call::{Opening, Phase};
use parley_client::ClientEvent;
use parley_domain::{EndReason, MeetingStatus, Project};
use parley_media::Tone;
use parley_testkit::{CLIENT, Caller, PROVIDER};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    arguments::Arguments,
    call::{Attending, Sending, Side},
    market,
    pictures::PictureFigures,
    report::{Failed, Findings, Report, findings, milliseconds, rounded},
    server::Server,
    sound::SoundFigures,
    usage,
};

/// Nothing of the path but the call itself takes longer than this.
const STEP_LIMIT: Duration = Duration::from_secs(30);
/// Starting a server (and making its demo the first time) may.
const SERVER_LIMIT: Duration = Duration::from_secs(90);
/// Two tones, so that nobody hears itself.
const CLIENT_TONE: Tone = Tone { frequency: 440.0, level: -20.0 };
const PROVIDER_TONE: Tone = Tone { frequency: 660.0, level: -23.0 };
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
    let (mut client, mut provider, project) =
        report.step("proposal.accepted", STEP_LIMIT, accept(arguments, server.address())).await?;
    let message = report.step("message.delivered", STEP_LIMIT, deliver(&client, &mut provider, &project)).await?;
    report.step("message.read", STEP_LIMIT, read(&mut client, &provider, message)).await?;

    let (host, guest) =
        report.step("meeting.ringing", STEP_LIMIT, ring(arguments, &client, &mut provider, &project)).await?;
    let (at_host, at_guest) = report
        .step("meeting.active", STEP_LIMIT, async {
            // Looking begins before anything can be seen, so that the first picture counts.
            let attending = (host.attend(&guest.sending, arguments)?, guest.attend(&host.sending, arguments)?);
            activate(&mut client, &mut provider, &host, &guest).await?;
            Ok((attending, Findings::new()))
        })
        .await?;
    report
        .step("call.connected", STEP_LIMIT, async {
            tokio::try_join!(host.connected(), guest.connected())?;
            Ok(((), findings(json!({ "engine": host.session.snapshot().engine.map(|kind| kind.as_str()) }))))
        })
        .await?;

    let limit = Duration::from_secs(arguments.seconds) + STEP_LIMIT;
    let sides = [(&host, at_host), (&guest, at_guest)];
    let sounds = report.step("call.video", limit, watch(arguments, sides)).await?;
    report.step("call.audio", STEP_LIMIT, listen(sounds)).await?;
    report.step("meeting.ended", STEP_LIMIT, hang_up(arguments, &mut provider, &host, &guest)).await?;
    report
        .step("done", STEP_LIMIT, async {
            host.finish().await?;
            guest.finish().await?;
            drop((client, provider));
            server.end().await?;
            Ok(((), findings(json!({ "total_ms": milliseconds(begun.elapsed()) }))))
        })
        .await
}

async fn accept(arguments: &Arguments, server: &str) -> Result<((Caller, Caller, Project), Findings)> {
    let begun = Instant::now();
    let (client_data, provider_data) = (arguments.data_dir.join("client"), arguments.data_dir.join("provider"));
    let (client, mut provider) = tokio::try_join!(
        Caller::sign_in(server, CLIENT, &client_data),
        Caller::sign_in(server, PROVIDER, &provider_data)
    )?;
    let signed_in = begun.elapsed();
    let (project, is_new) = market::accept_offer(&client, &mut provider).await?;
    let found = json!({
        "signed_in_ms": milliseconds(signed_in),
        "project": project.id,
        "offer": if is_new { "new" } else { "pending" },
    });
    Ok(((client, provider, project), findings(found)))
}

async fn deliver(
    client: &Caller,
    provider: &mut Caller,
    project: &Project,
) -> Result<(parley_domain::Message, Findings)> {
    let text = format!("Hello! Shall we talk about it? {}", project.id);
    let sent = Instant::now();
    client.client.send(project.conversation_id, text.clone()).await?;
    let message = provider
        .hear("the message", |event| match event {
            ClientEvent::Message(message) if message.content == text => Some(*message),
            _ => None,
        })
        .await?;
    ensure!(message.sender_id == client.client.user().id, "the message has another sender");
    let delivered = milliseconds(sent.elapsed());
    let seq = message.seq;
    Ok((message, findings(json!({ "seq": seq, "delivered_ms": delivered }))))
}

async fn read(client: &mut Caller, provider: &Caller, message: parley_domain::Message) -> Result<((), Findings)> {
    let reader = provider.client.user().id;
    provider.client.mark_read(message.conversation_id, message.seq).await?;
    let seq = client
        .hear("that the message was read", |event| match event {
            ClientEvent::Read { conversation_id, user_id, seq, .. } => {
                (conversation_id == message.conversation_id && user_id == reader && seq >= message.seq).then_some(seq)
            }
            _ => None,
        })
        .await?;
    Ok(((), findings(json!({ "seq": seq }))))
}

async fn ring(
    arguments: &Arguments,
    client: &Caller,
    provider: &mut Caller,
    project: &Project,
) -> Result<((Side, Side), Findings)> {
    // Opened before the ring, as a camera is: the preview is there while it rings.
    let clip = arguments.clip.as_deref();
    let (ours, theirs) =
        (Sending::start(clip, "CLIENT", CLIENT_TONE)?, Sending::start(clip, "PROVIDER", PROVIDER_TONE)?);
    let rung = Instant::now();
    let meeting = client.client.call(project.id, None).await.context("the call can't be placed")?;
    let host = Side::begin(client, meeting.id, Opening::Placed, ours, arguments.engine);
    let invite = provider
        .hear("the ring", |event| match event {
            ClientEvent::Invite(invite) if invite.meeting_id == meeting.id => Some(invite),
            _ => None,
        })
        .await?;
    let rings_after = milliseconds(rung.elapsed());
    ensure!(invite.host_id == client.client.user().id, "somebody else rings");
    let opening = Opening::Invited { ring_for: Duration::from_secs(invite.expires_in_seconds) };
    let guest = Side::begin(provider, meeting.id, opening, theirs, arguments.engine);
    host.reach(Phase::RingingOut).await?;
    guest.reach(Phase::RingingIn { accepting: false }).await?;
    let found = json!({
        "meeting": meeting.id,
        "engine": meeting.engine,
        "rings_ms": rings_after,
        "expires_in_seconds": invite.expires_in_seconds,
    });
    Ok(((host, guest), findings(found)))
}

async fn activate(client: &mut Caller, provider: &mut Caller, host: &Side, guest: &Side) -> Result<()> {
    let meeting = host.session.meeting();
    guest.session.accept();
    for person in [&mut *client, provider] {
        person
            .hear("that the meeting is active", |event| match event {
                ClientEvent::MeetingStarted(started) if started.meeting_id == meeting => Some(()),
                _ => None,
            })
            .await?;
    }
    let meeting = client.client.rest().meeting(meeting).await?;
    ensure!(meeting.status == MeetingStatus::Active, "the meeting is {}", meeting.status);
    ensure!(meeting.accepted_at.is_some(), "the meeting is active but not accepted");
    Ok(())
}

/// What each side heard, with what it should have heard.
type Sounds = Vec<(Vec<i16>, Tone, &'static str)>;

async fn watch(arguments: &Arguments, sides: [(&Side, Attending); 2]) -> Result<(Sounds, Findings)> {
    let waiting = Instant::now();
    let [(host, at_host), (guest, at_guest)] = sides;
    tokio::try_join!(host.sees(), guest.sees())?;
    let first_picture = milliseconds(waiting.elapsed());
    let sent_before = [host.sending.picture_count(), guest.sending.picture_count()];
    let (begun, used_before) = (Instant::now(), usage::processor_seconds());
    tokio::time::sleep(Duration::from_secs(arguments.seconds)).await;
    let seconds = begun.elapsed().as_secs_f64();
    let used = usage::processor_seconds().zip(used_before).map(|(now, before)| (now - before) / seconds * 100.0);
    for side in [host, guest] {
        side.sending.ensure_alive()?;
        ensure!(!side.session.snapshot().is_over(), "the call ended while it was measured");
    }
    let conditions = usage::conditions();

    let to_host = at_host.pictures.finish(guest.sending.picture_count() - sent_before[1]);
    let to_guest = at_guest.pictures.finish(host.sending.picture_count() - sent_before[0]);
    let sounds = vec![
        (at_guest.sound.finish().await?, host.sending.expected, TO_GUEST),
        (at_host.sound.finish().await?, guest.sending.expected, TO_HOST),
    ];
    let (to_guest, to_host) = (to_guest.context(TO_GUEST)?, to_host.context(TO_HOST)?);
    let mut found = worse_of(&to_guest, &to_host)?;
    found.insert("source".into(), json!(host.sending.source));
    found.insert("first_picture_ms".into(), json!(first_picture));
    found.insert("processor_percent".into(), json!(used.map(rounded)));
    found.insert("conditions".into(), conditions);
    found.insert("directions".into(), json!([to_guest.to_json(TO_GUEST), to_host.to_json(TO_HOST)]));
    Ok((sounds, found))
}

const TO_GUEST: &str = "client to provider";
const TO_HOST: &str = "provider to client";

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

async fn listen(sounds: Sounds) -> Result<((), Findings)> {
    // Searching for a tone takes some tenths of a second of computing.
    let figures = tokio::task::spawn_blocking(move || {
        let figures = sounds.iter().map(|(samples, expected, direction)| {
            SoundFigures::of(samples, *expected).context(*direction).map(|figures| figures.to_json(direction))
        });
        figures.collect::<Result<Vec<Value>>>()
    });
    let directions = figures.await??;
    let mut found = directions.first().cloned().map(findings).unwrap_or_default();
    found.remove("direction");
    found.insert("directions".into(), json!(directions));
    Ok(((), found))
}

async fn hang_up(arguments: &Arguments, provider: &mut Caller, host: &Side, guest: &Side) -> Result<((), Findings)> {
    let meeting = host.session.meeting();
    host.session.hang_up();
    let (at_host, at_guest) = tokio::try_join!(host.over(), guest.over())?;
    let ended = provider
        .hear("that the meeting is over", |event| match event {
            ClientEvent::MeetingEnded(ended) if ended.meeting_id == meeting => Some(ended),
            _ => None,
        })
        .await?;
    ensure!(ended.status == MeetingStatus::Completed, "the meeting is {}", ended.status);
    ensure!(ended.end_reason == Some(EndReason::Ended), "the meeting ended as {:?}", ended.end_reason);
    let duration = ended.duration.context("the meeting has no duration")?;
    ensure!(at_host == Some(duration) && at_guest == Some(duration), "the sides see different durations");
    ensure!(duration.unsigned_abs() >= arguments.seconds, "the duration of {duration} s is too short");
    Ok(((), findings(json!({ "duration": duration, "end_reason": "ended" }))))
}
