//! Agora's library on this machine: what the settings show of it, and what it means for calls.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use parley_agora::sdk::{self, Fit, InstallError, Loaded, Place, Refusal, Source};
use parley_call::{EngineError, EnginePorts, MediaEngine};
use parley_domain::EngineKind;
use parley_protocol::{
    Code,
    app::{AppError, DownloadKind, LibraryState, LibraryView},
};
use tokio::task::spawn_blocking;

use crate::options::LibraryOptions;

/// Agora's own start-up reads files and starts threads; what takes longer than this hangs.
const LOADS_WITHIN: Duration = Duration::from_secs(30);

/// The library's place, and what is known of what lies there. Cloning shares it.
#[derive(Clone)]
pub(crate) struct Library(Arc<Inner>);

struct Inner {
    options: LibraryOptions,
    /// What came of loading it in a process of its own, so that this happens once for each library.
    tried: Mutex<Option<(Stamp, Result<Loaded, Refusal>)>>,
    /// What a call has opened in this process first, and why that one does not work, if it doesn't. It stays in memory:
    /// whatever takes its place on the disk counts from the next start on.
    opened: Mutex<Option<(Stamp, Option<Refusal>)>>,
    /// One installation or removal at a time.
    changing: tokio::sync::Mutex<()>,
}

/// Tells whether a file is still the one that was tried.
#[derive(Clone, PartialEq, Eq)]
struct Stamp {
    file: PathBuf,
    length: u64,
    modified: Option<std::time::SystemTime>,
}

impl Library {
    pub(crate) fn new(options: LibraryOptions) -> Self {
        Self(Arc::new(Inner {
            options,
            tried: Mutex::default(),
            opened: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        }))
    }

    /// What this machine can carry calls with. Reads the library's tables, which takes some milliseconds.
    pub(crate) async fn engines(&self) -> Vec<EngineKind> {
        let inner = Arc::clone(&self.0);
        let fits = spawn_blocking(move || inner.usable().is_ok()).await.unwrap_or(false);
        if fits { vec![EngineKind::Agora, EngineKind::Direct] } else { vec![EngineKind::Direct] }
    }

    /// The library as it lies there, tried if it was not yet.
    pub(crate) async fn view(&self) -> Result<LibraryView, AppError> {
        let inner = Arc::clone(&self.0);
        spawn_blocking(move || inner.view()).await.map_err(broke)
    }

    /// Lets the person choose a download and installs it. `None`: nothing was chosen.
    pub(crate) async fn install(&self, from: DownloadKind) -> Result<Option<LibraryView>, AppError> {
        let Some(picker) = self.0.options.picker.clone() else {
            return Err(AppError::new(Code::NotImplemented, "There is no dialog to choose files here."));
        };
        if self.0.options.named.is_some() {
            return Err(not_ours());
        }
        let chosen = picker.pick(from).await;
        if chosen.is_empty() {
            return Ok(None);
        }
        let _changing = self.0.changing.lock().await;
        let inner = Arc::clone(&self.0);
        let done = spawn_blocking(move || {
            let downloads: Vec<&Path> = chosen.iter().map(PathBuf::as_path).collect();
            let trial = |fit: &Fit| inner.tried(fit).transpose().map(drop);
            sdk::install(&downloads, &inner.installed(), trial).map_err(refused)?;
            Ok(inner.view())
        });
        done.await.map_err(broke)?.map(Some)
    }

    /// Takes the installed library away.
    pub(crate) async fn remove(&self) -> Result<LibraryView, AppError> {
        if self.0.options.named.is_some() {
            return Err(not_ours());
        }
        let _changing = self.0.changing.lock().await;
        let inner = Arc::clone(&self.0);
        let done = spawn_blocking(move || {
            sdk::remove(&inner.installed()).map_err(refused)?;
            Ok(inner.view())
        });
        done.await.map_err(broke)?
    }

    /// The engine that carries a call over the library. Loads it into this process the first time.
    pub(crate) fn engine(&self, ports: EnginePorts) -> Result<Box<dyn MediaEngine>, EngineError> {
        self.0.open(ports).map_err(|refusal| {
            tracing::warn!(%refusal, "a call needs Agora's library");
            EngineError::Missing(match refusal.is_absence() {
                true => {
                    "This call goes over Agora, whose library is not on this computer. Install it in the settings, \
                         under Agora library, and call again."
                        .to_owned()
                }
                false => format!(
                    "This call goes over Agora, whose library can't be used here: {refusal}. The settings, under Agora \
                     library, say more."
                ),
            })
        })
    }

    /// In a few words, for a bug report.
    pub(crate) async fn spoken(&self) -> String {
        let inner = Arc::clone(&self.0);
        let words = spawn_blocking(move || match inner.usable() {
            Ok((_, fit)) => {
                let loaded = inner.known(&fit).and_then(Result::ok);
                let version = loaded.and_then(|loaded| loaded.version).unwrap_or_else(|| "not loaded yet".to_owned());
                format!("agora ({:?}, {version}), direct (built in)", fit.interface)
            }
            Err(refusal) if refusal.is_absence() => "direct (built in)".to_owned(),
            Err(refusal) => format!("direct (built in); not agora: {refusal}"),
        });
        words.await.unwrap_or_default()
    }
}

impl Inner {
    fn installed(&self) -> PathBuf {
        self.options.home.join(sdk::FOLDER)
    }

    fn place(&self) -> Result<Place, Refusal> {
        let nothing = || Refusal::NotFound { dir: self.installed() };
        sdk::place(None, self.options.named.as_deref(), &self.options.home).ok_or_else(nothing)
    }

    /// The library that a call would use: it fits, and is not known to fail when it is loaded.
    fn usable(&self) -> Result<(Place, Fit), Refusal> {
        let place = self.place()?;
        let fit = sdk::inspect(&place.dir)?;
        match self.barred(&fit).map(Err).or_else(|| self.known(&fit)) {
            Some(Err(refusal)) => Err(refusal),
            _ => Ok((place, fit)),
        }
    }

    fn open(&self, ports: EnginePorts) -> Result<Box<dyn MediaEngine>, Refusal> {
        let (place, fit) = self.usable()?;
        let made = parley_agora::engine(ports, &place.dir);
        // The others say that it did not come into memory.
        let is_open = match &made {
            Ok(_) => true,
            Err(refusal) => {
                matches!(refusal, Refusal::TooOld { .. } | Refusal::NotAgora { .. } | Refusal::MissingSymbol { .. })
            }
        };
        if is_open && let Ok(stamp) = stamp(&fit) {
            lock(&self.opened).get_or_insert_with(|| (stamp, made.as_ref().err().cloned()));
        }
        made
    }

    /// Why no call can go over a library that fits: the one that this process has in memory doesn't work.
    fn barred(&self, fit: &Fit) -> Option<Refusal> {
        let (opened, refusal) = lock(&self.opened).clone()?;
        let refusal = refusal?;
        if stamp(fit).is_ok_and(|now| now == opened) {
            return Some(refusal);
        }
        let reason = "one that does not work was opened before it; quit Parley and start it again".to_owned();
        Some(Refusal::CannotLoad { file: fit.library.clone(), reason })
    }

    /// Whether calls go on with one that was opened before this one took its place.
    fn is_for_the_next_start(&self, fit: &Fit) -> bool {
        let opened = lock(&self.opened);
        opened.as_ref().is_some_and(|(opened, refusal)| refusal.is_none() && stamp(fit).is_ok_and(|now| now != *opened))
    }

    /// What came of loading exactly this library, if it was tried.
    fn known(&self, fit: &Fit) -> Option<Result<Loaded, Refusal>> {
        let stamp = stamp(fit).ok()?;
        lock(&self.tried).as_ref().filter(|(tried, _)| *tried == stamp).map(|(_, outcome)| outcome.clone())
    }

    /// Loads it in a process of its own, unless it did that well before. Who failed gets another chance each time that
    /// somebody looks: what it lacked may have been installed, or the machine was too busy.
    fn tried(&self, fit: &Fit) -> Option<Result<Loaded, Refusal>> {
        let loader = self.options.loader.as_ref()?;
        if let Some(Ok(loaded)) = self.known(fit) {
            return Some(Ok(loaded));
        }
        let stamp = stamp(fit).ok()?;
        let outcome = sdk::load_apart(loader, fit, LOADS_WITHIN);
        *lock(&self.tried) = Some((stamp, outcome.clone()));
        Some(outcome)
    }

    fn view(&self) -> LibraryView {
        let place = self.place();
        let found = place.clone().and_then(|place| sdk::inspect(&place.dir));
        let (state, loaded, problem) = match &found {
            Ok(fit) => match self.barred(fit).map(Err).or_else(|| self.tried(fit)).transpose() {
                Ok(loaded) => (LibraryState::Fits, loaded, None),
                Err(refusal) => (LibraryState::Refused, None, Some(refusal)),
            },
            Err(refusal) if refusal.is_absence() => (LibraryState::Missing, None, None),
            Err(refusal) => (LibraryState::Refused, None, Some(refusal.clone())),
        };
        let dir = place.as_ref().map_or_else(|_| self.installed(), |place| place.dir.clone());
        let named = place.is_ok_and(|place| place.source != Source::Installed);
        LibraryView {
            state,
            needed: sdk::needed(),
            parts: sdk::PARTS,
            page: sdk::DOWNLOADS_PAGE.to_owned(),
            folder: dir.display().to_string(),
            named,
            restart: found.as_ref().is_ok_and(|fit| self.is_for_the_next_start(fit)),
            product: found.ok().map(|fit| format!("{} for {}", fit.interface.product(), fit.machine)),
            version: loaded.and_then(|loaded| Some(with_build(loaded.version?, loaded.build))),
            downloads: sdk::downloads(&dir),
            problem: problem.map(|refusal| format!("{refusal}.")),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with_build(version: String, build: Option<i32>) -> String {
    match build {
        Some(build) if build > 0 => format!("{version}, build {build}"),
        _ => version,
    }
}

fn stamp(fit: &Fit) -> io::Result<Stamp> {
    let metadata = fs::metadata(&fit.library)?;
    Ok(Stamp { file: fit.library.clone(), length: metadata.len(), modified: metadata.modified().ok() })
}

fn refused(error: InstallError) -> AppError {
    let code = match &error {
        InstallError::DiskFull { .. } | InstallError::Place { .. } | InstallError::Busy { .. } => Code::LocalStorage,
        _ => Code::LibraryRefused,
    };
    AppError::new(code, format!("{error}."))
}

fn not_ours() -> AppError {
    let words = "The library's folder was named when Parley was started (AGORA_SDK_DIR). Change it there.";
    AppError::new(Code::Forbidden, words)
}

/// Only a panic comes here.
fn broke(error: tokio::task::JoinError) -> AppError {
    AppError::new(Code::Internal, error.to_string())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used, reason = "helpers of tests")]

    use tempfile::TempDir;

    use super::*;
    use crate::{Loader, Picker};

    /// A data folder and a download with a library that fits.
    struct Room(TempDir);

    impl Room {
        fn new() -> Self {
            let room = tempfile::tempdir().unwrap();
            fs::create_dir(room.path().join("download")).unwrap();
            parley_agora_standin::gateway(&room.path().join("download")).unwrap();
            Self(room)
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// With a dialog in which the person chooses these.
        fn library(&self, chosen: &[&str]) -> Library {
            let chosen: Vec<PathBuf> = chosen.iter().map(|name| self.at(name)).collect();
            let picker = Picker::new(move |_| Box::pin(std::future::ready(chosen.clone())));
            Library::new(LibraryOptions { home: self.at("data"), named: None, loader: None, picker: Some(picker) })
        }
    }

    fn ports() -> EnginePorts {
        EnginePorts {
            events: tokio::sync::mpsc::channel(8).0,
            remote_video: Arc::default(),
            remote_screen: Arc::default(),
            remote_audio: Arc::new(parley_call::AudioQueue::new(8)),
        }
    }

    /// Another library, for all that can be told without running it.
    fn lengthen(file: &Path) {
        let mut bytes = fs::read(file).unwrap();
        bytes.extend([0; 16]);
        fs::write(file, bytes).unwrap();
    }

    #[tokio::test]
    async fn library_that_is_installed_can_carry_calls_until_it_is_removed() {
        let room = Room::new();
        let library = room.library(&["download"]);
        assert_eq!(library.engines().await, [EngineKind::Direct]);
        assert_eq!(library.view().await.unwrap().state, LibraryState::Missing);

        let view = library.install(DownloadKind::Folder).await.unwrap().unwrap();
        assert_eq!((view.state, view.downloads), (LibraryState::Fits, vec!["download".to_owned()]));
        assert!(view.product.unwrap().contains("gateway"));
        assert_eq!(library.engines().await, [EngineKind::Agora, EngineKind::Direct]);

        assert_eq!(library.remove().await.unwrap().state, LibraryState::Missing);
        assert_eq!(library.engines().await, [EngineKind::Direct]);
    }

    #[tokio::test]
    async fn nothing_chosen_changes_nothing_and_a_wrong_choice_says_why() {
        let room = Room::new();
        assert_eq!(room.library(&[]).install(DownloadKind::Zip).await.unwrap(), None);
        fs::write(room.at("page.zip"), "<html>Sign in</html>").unwrap();
        let error = room.library(&["page.zip"]).install(DownloadKind::Zip).await.unwrap_err();
        assert_eq!(error.code, Code::LibraryRefused);
        assert!(error.detail.contains("page.zip"), "{}", error.detail);
    }

    #[tokio::test]
    async fn folder_that_was_named_is_used_and_not_touched() {
        let room = Room::new();
        let named = Some(room.at("download"));
        let options = LibraryOptions { named, ..room.library(&[]).0.options.clone() };
        let library = Library::new(options);
        let view = library.view().await.unwrap();
        assert!(view.named && view.state == LibraryState::Fits);
        assert_eq!(library.remove().await.unwrap_err().code, Code::Forbidden);
        assert_eq!(library.install(DownloadKind::Zip).await.unwrap_err().code, Code::Forbidden);
        assert_eq!(library.engines().await, [EngineKind::Agora, EngineKind::Direct]);
    }

    #[tokio::test]
    async fn library_that_fails_to_load_no_longer_counts() {
        let room = Room::new();
        // Whatever it is told, this program ends without an answer.
        let loader = Loader { program: "/bin/false".into(), arguments: Vec::new() };
        let named = Some(room.at("download"));
        let library = Library::new(LibraryOptions { home: room.at("data"), named, loader: Some(loader), picker: None });
        assert_eq!(library.engines().await.len(), 2, "not tried yet");
        let view = library.view().await.unwrap();
        assert_eq!(view.state, LibraryState::Refused);
        assert!(view.problem.unwrap().contains("can't be loaded"));
        assert_eq!(library.engines().await, [EngineKind::Direct]);
        assert!(library.spoken().await.contains("not agora"));
        // Another file in its place is a new chance.
        lengthen(&room.at("download").join("libagora_rtc_sdk.so"));
        assert_eq!(library.engines().await.len(), 2);
    }

    #[tokio::test]
    async fn library_that_takes_the_place_of_one_in_use_counts_from_the_next_start() {
        let room = Room::new();
        let library = room.library(&["download"]);
        library.install(DownloadKind::Folder).await.unwrap();
        drop(library.engine(ports()).unwrap());
        assert!(!library.view().await.unwrap().restart);

        lengthen(&room.at("download").join("libagora_rtc_sdk.so"));
        let view = library.install(DownloadKind::Folder).await.unwrap().unwrap();
        assert!(view.restart && view.state == LibraryState::Fits);
        assert_eq!(library.engines().await.len(), 2, "calls go on with the one that is open");
        assert!(!room.library(&[]).view().await.unwrap().restart, "started again");
    }

    #[tokio::test]
    async fn library_that_failed_in_a_call_is_not_said_to_work_and_bars_the_next_one() {
        let room = Room::new();
        let library = room.library(&["download"]);
        library.install(DownloadKind::Folder).await.unwrap();
        let fit = sdk::inspect(&room.at("data").join(sdk::FOLDER)).unwrap();
        let (file, interface) = (fit.library.clone(), fit.interface);
        let refusal = Refusal::MissingSymbol { file, interface, symbols: vec!["agora_service_create".to_owned()] };
        *lock(&library.0.opened) = Some((stamp(&fit).unwrap(), Some(refusal.clone())));
        let view = library.view().await.unwrap();
        assert_eq!((view.state, view.problem), (LibraryState::Refused, Some(format!("{refusal}."))));
        assert_eq!(library.engines().await, [EngineKind::Direct]);

        lengthen(&room.at("download").join("libagora_rtc_sdk.so"));
        let view = library.install(DownloadKind::Folder).await.unwrap().unwrap();
        assert_eq!(view.state, LibraryState::Refused);
        assert!(view.problem.unwrap().contains("start it again"));
    }

    #[tokio::test]
    async fn library_that_could_not_be_loaded_is_tried_again_when_somebody_looks() {
        let room = Room::new();
        let answer = r#"parley-agora-sdk: {"Ok":{"version":"4.4.32.174","build":28020,"found":70,"missing":[]}}"#;
        let (script, mended) = (room.at("loader.sh"), room.at("mended"));
        fs::write(&script, format!("#!/bin/sh\n[ -e '{}' ] && echo '{answer}'\n", mended.display())).unwrap();
        let loader = Loader { program: "/bin/sh".into(), arguments: vec![script.into()] };
        let named = Some(room.at("download"));
        let library = Library::new(LibraryOptions { home: room.at("data"), named, loader: Some(loader), picker: None });
        assert_eq!(library.view().await.unwrap().state, LibraryState::Refused);
        fs::write(mended, "").unwrap();
        assert_eq!(library.view().await.unwrap().state, LibraryState::Fits);
        assert_eq!(library.engines().await, [EngineKind::Agora, EngineKind::Direct]);
    }

    #[tokio::test]
    async fn library_that_can_not_be_loaded_leaves_the_one_before() {
        let room = Room::new();
        let chosen = vec![room.at("download")];
        let picker = Picker::new(move |_| Box::pin(std::future::ready(chosen.clone())));
        sdk::install(&[&room.at("download")], &room.at("data").join(sdk::FOLDER), |_| Ok(())).unwrap();
        let loader = Some(Loader { program: "/bin/false".into(), arguments: Vec::new() });
        let library = Library::new(LibraryOptions { home: room.at("data"), named: None, loader, picker: Some(picker) });
        let installed = fs::metadata(room.at("data").join(sdk::FOLDER)).unwrap().modified().unwrap();
        let error = library.install(DownloadKind::Folder).await.unwrap_err();
        assert_eq!(error.code, Code::LibraryRefused);
        assert!(error.detail.contains("can't be loaded"), "{}", error.detail);
        assert_eq!(fs::metadata(room.at("data").join(sdk::FOLDER)).unwrap().modified().unwrap(), installed);
    }

    #[tokio::test]
    async fn version_comes_from_a_process_of_its_own() {
        let room = Room::new();
        let answer = r#"parley-agora-sdk: {"Ok":{"version":"4.4.32.174","build":28020,"found":70,"missing":[]}}"#;
        let script = room.at("loader.sh");
        fs::write(&script, format!("#!/bin/sh\necho noise\necho '{answer}'\n")).unwrap();
        let loader = Loader { program: "/bin/sh".into(), arguments: vec![script.into()] };
        let named = Some(room.at("download"));
        let library = Library::new(LibraryOptions { home: room.at("data"), named, loader: Some(loader), picker: None });
        let view = library.view().await.unwrap();
        assert_eq!(view.version.as_deref(), Some("4.4.32.174, build 28020"));
        assert!(library.spoken().await.contains("4.4.32.174"));
    }
}
