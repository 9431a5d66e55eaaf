//! Which engine carries a call follows what is installed on both sides, and a call over Agora's library brings pictures.
//! The library is our stand-in: this shows that everything around it is joined together, nothing of Agora's.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "common/person.rs"]
mod person;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use parley_app::{AppOptions, LibraryOptions, Picker};
use parley_domain::{EngineKind, ProjectId};
use parley_protocol::app::{
    AcceptCall, AppEvent, CallPhase, CallView, Command, ConnectionState, DeviceChoice, DownloadKind, InstallLibrary,
    LibraryState, LibraryView, Nothing, OfProposal, ProjectCard, StartCall,
};
use parley_server::{Config, config::Secret};
use parley_testkit::{CLIENT, PROVIDER, TestServer};
use person::{Person, pictures};

const APP_ID: &str = "0123456789abcdef0123456789abcdef";
const CERTIFICATE: &str = "fedcba9876543210fedcba9876543210";

#[tokio::test(flavor = "multi_thread")]
async fn engine_follows_what_is_installed() {
    let dir = tempfile::tempdir().unwrap();
    let download = dir.path().join("download");
    std::fs::create_dir(&download).unwrap();
    parley_agora_standin::gateway(&download).unwrap();
    let config = Config {
        agora: Some((Secret::new(APP_ID), Secret::new(CERTIFICATE))),
        ..Config::new(dir.path().join("server"))
    };
    let server = TestServer::start_with(config, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await.unwrap();
    // The provider installs it while everything runs; the client names the same place. (One process can't hold two copies
    // of one library, and the apps share this one.)
    let place = dir.path().join("library/agora-sdk");
    let named = LibraryOptions { named: Some(place), ..library(dir.path(), &download) };
    let of_client = AppOptions { library: named, ..Person::options(&dir.path().join("client"), &server.url(), CLIENT) };
    let of_provider = AppOptions {
        library: library(dir.path(), &download),
        ..Person::options(&dir.path().join("provider"), &server.url(), PROVIDER)
    };
    let mut client = Person::open(of_client).await;
    let mut provider = Person::open(of_provider).await;
    let offers = client.ready().await.offers;
    provider.ready().await;
    let of = OfProposal { proposal_id: offers[0].proposal.id };
    let project = client.run::<ProjectCard>(Command::AcceptProposal(of)).await.unwrap().project.id;
    provider.sees("the project", |now| now.projects.active.iter().find(|it| it.project.id == project).map(drop)).await;
    for person in [&client, &provider] {
        let choice = DeviceChoice { camera: Some("card".to_owned()), microphone: None, speaker: None };
        let _: serde_json::Value = person.run(Command::ChooseDevices(choice)).await.unwrap();
    }

    let missing: LibraryView = provider.run(Command::Library(Nothing {})).await.unwrap();
    assert_eq!(missing.state, LibraryState::Missing);
    assert_eq!(call(&mut client, &mut provider, project).await, EngineKind::Direct);

    let install = Command::InstallLibrary(InstallLibrary { from: DownloadKind::Folder });
    let installed: Option<LibraryView> = provider.run(install).await.unwrap();
    assert_eq!(installed.unwrap().state, LibraryState::Fits);
    is_announced(&mut provider).await;
    assert_eq!(call(&mut client, &mut provider, project).await, EngineKind::Direct, "the other side has none yet");
    let seen: LibraryView = client.run(Command::Library(Nothing {})).await.unwrap();
    assert_eq!((seen.state, seen.named), (LibraryState::Fits, true));
    is_announced(&mut client).await;
    assert_eq!(call(&mut client, &mut provider, project).await, EngineKind::Agora);

    let removed: LibraryView = provider.run(Command::RemoveLibrary(Nothing {})).await.unwrap();
    assert_eq!(removed.state, LibraryState::Missing);
    is_announced(&mut provider).await;
    assert_eq!(call(&mut client, &mut provider, project).await, EngineKind::Direct);
    client.app.close().await;
    provider.app.close().await;
}

fn library(dir: &Path, download: &Path) -> LibraryOptions {
    let chosen = vec![download.to_owned()];
    let picker = Picker::new(move |_| Box::pin(std::future::ready(chosen.clone())));
    LibraryOptions { home: dir.join("library"), named: None, loader: None, picker: Some(picker) }
}

/// The line begins anew: the server knows.
async fn is_announced(person: &mut Person) {
    for state in [ConnectionState::Reconnecting, ConnectionState::Connected] {
        let is_there = |event| matches!(&event, AppEvent::Connection(line) if line.state == state).then_some(());
        person.until("the line beginning anew", is_there).await;
    }
}

/// A call with picture from ring to end; answers which engine carried it.
async fn call(client: &mut Person, provider: &mut Person, project_id: ProjectId) -> EngineKind {
    let placed: CallView = client.run(Command::StartCall(StartCall { project_id, camera: true })).await.unwrap();
    let ring = provider.sees("the ring", |now| now.ring.clone()).await;
    assert_eq!(ring.meeting_id, placed.meeting_id);
    let accept = AcceptCall { meeting_id: ring.meeting_id, camera: true };
    let _: CallView = provider.run(Command::AcceptCall(accept)).await.unwrap();
    let connected = |call: &CallView| call.phase == CallPhase::Connected;
    let mut engines = Vec::new();
    for person in [&mut *client, &mut *provider] {
        let view = person.call_is("the call", connected).await;
        // The other side's picture and the own small one; without a reader the other one isn't even sent.
        assert_eq!(pictures(&view.frames_url).await.unwrap(), [(1, 640, 360), (0, 1280, 720)].into());
        engines.push(view.engine);
    }
    assert_eq!(engines[0], engines[1]);
    let () = client.run(Command::LeaveCall(Nothing {})).await.unwrap();
    for person in [client, provider] {
        let over = person.call_is("the end", |call| call.phase == CallPhase::Ended).await;
        assert_eq!(over.error, None);
        let () = person.run(Command::LeaveCall(Nothing {})).await.unwrap();
    }
    engines[0]
}
