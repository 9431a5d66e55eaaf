//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgGroup, Parser, ValueEnum};
use parley_domain::EngineKind;

/// Two headless clients carry out the whole path against a real server, and measure the call.
#[derive(Debug, Parser)]
#[command(name = "parley-headless", version, group = ArgGroup::new("where").required(true))]
pub(crate) struct Arguments {
    /// Address of a running server that holds the demo marketplace.
    #[arg(long, group = "where")]
    pub(crate) server: Option<String>,
    /// Start this `parley-server` program on a free port, with its data below `--data-dir`.
    #[arg(long, alias = "start-server", value_name = "PROGRAM", group = "where")]
    pub(crate) server_program: Option<PathBuf>,
    /// Where the server and both clients keep their data; kept for the next run.
    #[arg(long)]
    pub(crate) data_dir: PathBuf,
    /// A video file (MP4, H.264) that both sides send; without it a moving card is drawn.
    #[arg(long)]
    pub(crate) clip: Option<PathBuf>,
    /// What carries the media.
    #[arg(long, value_enum, default_value_t = Engine::Direct)]
    pub(crate) engine: Engine,
    /// The folder of Agora's library.
    #[arg(long, value_name = "FOLDER", required_if_eq("engine", "agora"))]
    pub(crate) agora_sdk: Option<PathBuf>,
    /// How long the call is measured.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(4..=3_600))]
    pub(crate) seconds: u64,
    /// What to log to standard error, as `tracing` filters say it.
    #[arg(long, env = "PARLEY_LOG", default_value = "warn")]
    pub(crate) log: String,
    /// Play the provider for the process that started this one, by lines on standard input and output.
    #[arg(long, hide = true, requires = "server")]
    pub(crate) as_provider: bool,
}

impl Arguments {
    /// The command line of the process that plays the provider.
    pub(crate) fn for_partner(&self, server: &str) -> Vec<OsString> {
        let name = self.engine.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let mut words: Vec<OsString> = vec!["--as-provider".into(), "--server".into(), server.into()];
        words.extend(["--data-dir".into(), self.data_dir.clone().into(), "--engine".into(), name.into()]);
        words.extend(["--seconds".into(), self.seconds.to_string().into(), "--log".into(), self.log.clone().into()]);
        for (flag, path) in [("--clip", &self.clip), ("--agora-sdk", &self.agora_sdk)] {
            words.extend(path.iter().flat_map(|path| [flag.into(), path.into()]));
        }
        words
    }
}

/// Media engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// The built-in one.
    Direct,
    /// Agora's library, from `--agora-sdk`; the server needs an App ID and its certificate.
    Agora,
}

impl Engine {
    /// What both devices tell the server that they have.
    pub(crate) fn announced(self) -> &'static [EngineKind] {
        match self {
            Self::Direct => &[EngineKind::Direct],
            Self::Agora => &[EngineKind::Agora, EngineKind::Direct],
        }
    }

    /// Whether a shared screen goes beside the camera.
    pub(crate) fn carries_screens(self) -> bool {
        self == Self::Agora
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_process_is_given_what_this_one_was() {
        let words = "headless --server-program s --data-dir d --clip c --engine agora --agora-sdk a --seconds 7";
        let ours = Arguments::parse_from(words.split(' '));
        let words = std::iter::once("headless".into()).chain(ours.for_partner("http://127.0.0.1:1"));
        let theirs = Arguments::parse_from(words);
        assert!(theirs.as_provider && !ours.as_provider);
        assert_eq!(theirs.server.as_deref(), Some("http://127.0.0.1:1"));
        let shared = |arguments: &Arguments| {
            let Arguments { data_dir, clip, engine, agora_sdk, seconds, log, .. } = arguments;
            (data_dir.clone(), clip.clone(), *engine, agora_sdk.clone(), *seconds, log.clone())
        };
        assert_eq!(shared(&theirs), shared(&ours));
    }
}
