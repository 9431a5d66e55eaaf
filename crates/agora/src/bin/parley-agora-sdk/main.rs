//! `parley-agora-sdk`: puts Agora's library, downloaded by a person, where Parley finds it, and says whether it works.
//!
//! Each command says one sentence and ends with 0 (it fits, it is done), 1 (refused), 2 (wrong usage) or 3 (there is no
//! library). With an Agora account in the environment `check` also makes a call, and says a line for each step of it.

mod end;
mod pattern;
mod trial;

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{
    Parser, Subcommand,
    builder::{OsStringValueParser, TypedValueParser},
};
use parley_agora::sdk::{self, Fit, Loader, Place, Refusal, Source};

/// What is installed is loaded before, on a machine that may be busy. `check` can be told another patience.
const INSTALLED_LOADS_WITHIN: Duration = Duration::from_secs(60);

#[derive(Parser)]
#[command(version, about = "Installs, looks at and tries Agora's native library for Parley.")]
struct Arguments {
    /// The folder in which the library's own folder lies; without it, where the Parley app of this person looks.
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Look at the library in this folder instead of the installed one; empty means none.
    #[arg(long, global = true, env = "AGORA_SDK_DIR", value_name = "DIR", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    sdk_dir: Option<PathBuf>,
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Unpack a library that was downloaded from Agora, if it fits this machine. Iris and its native library come as two files.
    Install {
        /// Zip files or folders.
        #[arg(required = true, value_name = "FILE.zip|DIR")]
        downloads: Vec<PathBuf>,
    },
    /// Say where the library lies and whether it fits, without running it.
    Status,
    /// Load the library in a process of its own and say its version and which functions it has; if AGORA_APP_ID and
    /// AGORA_APP_CERTIFICATE are set, also make a call between two ends of ours over Agora's network.
    Check {
        /// How many seconds the library may take to load.
        #[arg(long, default_value_t = 60, value_name = "SECONDS")]
        within: u64,
    },
    /// Take the installed library away.
    Remove,
    /// What the process of `check` does.
    #[command(hide = true)]
    Load { library: PathBuf },
    /// What each of the two processes of the call in `check` does.
    #[command(hide = true, name = trial::END)]
    End { library: PathBuf },
}

/// What a command ends with, besides success.
enum Ending {
    /// Exit code 1.
    Refused(String),
    /// Exit code 3.
    Nothing(String),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match perform(&arguments) {
        Ok(sentence) => {
            println!("{sentence}");
            ExitCode::SUCCESS
        }
        Err(Ending::Refused(sentence)) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
        Err(Ending::Nothing(sentence)) => {
            eprintln!("{sentence}");
            ExitCode::from(3)
        }
    }
}

fn perform(arguments: &Arguments) -> Result<String, Ending> {
    // Asked for where it is needed: the processes of `check` are told all that they need.
    let data_dir = || match &arguments.data_dir {
        Some(dir) => Ok(dir.clone()),
        None => app_data_dir().ok_or_else(|| Ending::Refused("There is no home folder; say --data-dir.".to_owned())),
    };
    match &arguments.task {
        Task::Install { downloads } => {
            let downloads: Vec<&Path> = downloads.iter().map(PathBuf::as_path).collect();
            let loader = loader()?;
            let trial = |fit: &Fit| sdk::load_apart(&loader, fit, INSTALLED_LOADS_WITHIN).map(drop);
            let fit = sdk::install(&downloads, &data_dir()?.join(sdk::FOLDER), trial).map_err(refused)?;
            let named = arguments.sdk_dir.as_deref().filter(|dir| !dir.as_os_str().is_empty());
            let before = named.map(|dir| format!("; {} was named and goes before it", dir.display()));
            Ok(format!("Installed: {}{}.", described(&fit), before.unwrap_or_default()))
        }
        Task::Remove => {
            let data_dir = data_dir()?;
            sdk::remove(&data_dir.join(sdk::FOLDER)).map_err(refused)?;
            Ok(format!("{} has no library any more.", data_dir.display()))
        }
        Task::Status => {
            let (place, fit) = fitting(arguments, &data_dir()?)?;
            Ok(format!("It fits: {}{}.", described(&fit), origin(&place)))
        }
        Task::Check { within } => {
            let account = account().map_err(refused)?;
            let (_, fit) = fitting(arguments, &data_dir()?)?;
            let loader = loader()?;
            let loaded = sdk::load_apart(&loader, &fit, Duration::from_secs(*within)).map_err(refused)?;
            let lacking = match loaded.missing.as_slice() {
                [] => String::new(),
                missing => format!(" (not {})", missing.join(", ")),
            };
            let version = loaded.version.as_deref().unwrap_or("of a version that it does not tell");
            let build = loaded.build.map(|build| format!(", build {build}")).unwrap_or_default();
            let found = loaded.found;
            println!("It loads: version {version}{build}, {found} functions found{lacking}: {}.", described(&fit));
            let Some(account) = account else {
                let (app_id, certificate) = (trial::APP_ID, trial::CERTIFICATE);
                return Ok(format!(
                    "Joining was not tried; set {app_id} and {certificate} of an Agora project for that."
                ));
            };
            trial::run(&loader.program, &fit.library, &account, |step| println!("{step}")).map_err(refused)
        }
        Task::Load { library } => Ok(sdk::answer_of_loading(library)),
        Task::End { library } => Ok(end::run(library)),
    }
}

/// This program again, to load a library apart.
fn loader() -> Result<Loader, Ending> {
    Ok(Loader { program: env::current_exe().map_err(refused)?, arguments: vec!["load".into()] })
}

/// The library that would be used.
fn fitting(arguments: &Arguments, data_dir: &Path) -> Result<(Place, Fit), Ending> {
    let nothing = |place: &Path| {
        let page = sdk::DOWNLOADS_PAGE;
        Ending::Nothing(format!(
            "{}; download it from {page} and install it.",
            Refusal::NotFound { dir: place.to_owned() }
        ))
    };
    let named = arguments.sdk_dir.as_deref().filter(|dir| !dir.as_os_str().is_empty());
    let Some(place) = sdk::place(None, named, data_dir) else {
        return Err(nothing(&data_dir.join(sdk::FOLDER)));
    };
    match sdk::inspect(&place.dir) {
        Ok(fit) => Ok((place, fit)),
        Err(refusal) if refusal.is_absence() => Err(nothing(&place.dir)),
        Err(refusal) => Err(refused(refusal)),
    }
}

fn described(fit: &Fit) -> String {
    let siblings = match fit.siblings.len() {
        0 => "alone".to_owned(),
        1 => "with 1 library beside it".to_owned(),
        number => format!("with {number} libraries beside it"),
    };
    format!("{}, {} for {}, {siblings}", fit.library.display(), fit.interface.product(), fit.machine)
}

fn origin(place: &Place) -> String {
    match place.source {
        Source::Setting | Source::Environment => " (the folder was named)".to_owned(),
        Source::Installed => match sdk::downloads(&place.dir).as_slice() {
            [] => String::new(),
            names => format!(" (from {})", names.join(" and ")),
        },
    }
}

fn refused(error: impl fmt::Display) -> Ending {
    Ending::Refused(format!("{error}."))
}

/// The Agora project to join with, if the environment names one.
fn account() -> Result<Option<trial::Account>, String> {
    let read = |name: &str| {
        let value = env::var_os(name)?.to_string_lossy().trim().to_owned();
        Some(value).filter(|value| !value.is_empty())
    };
    trial::Account::new(read(trial::APP_ID), read(trial::CERTIFICATE))
}

/// Where the desktop app keeps its files, as Tauri decides it for the identifier of the default profile.
#[expect(clippy::disallowed_methods, reason = "this program's configuration is read here, once")]
fn app_data_dir() -> Option<PathBuf> {
    let home = || env::home_dir().filter(|home| home.is_absolute());
    let base = if cfg!(windows) {
        PathBuf::from(env::var("LOCALAPPDATA").ok()?)
    } else if cfg!(target_os = "macos") {
        home()?.join("Library/Application Support")
    } else {
        match env::var("XDG_DATA_HOME").map(PathBuf::from) {
            Ok(dir) if dir.is_absolute() => dir,
            _ => home()?.join(".local/share"),
        }
    };
    Some(base.join("app.parley.desktop"))
}
