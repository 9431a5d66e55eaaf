//! The command line.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgGroup, Parser, ValueEnum};

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
        if let Some(clip) = &self.clip {
            words.extend(["--clip".into(), clip.into()]);
        }
        words
    }
}

/// Media engines that need nothing from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// The built-in one.
    Direct,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_process_is_given_what_this_one_was() {
        let words = "headless --server-program s --data-dir d --clip c --seconds 7 --log debug";
        let ours = Arguments::parse_from(words.split(' '));
        let words = std::iter::once("headless".into()).chain(ours.for_partner("http://127.0.0.1:1"));
        let theirs = Arguments::parse_from(words);
        assert!(theirs.as_provider && !ours.as_provider);
        assert_eq!(theirs.server.as_deref(), Some("http://127.0.0.1:1"));
        let shared = |arguments: &Arguments| {
            let Arguments { data_dir, clip, engine, seconds, log, .. } = arguments;
            (data_dir.clone(), clip.clone(), *engine, *seconds, log.clone())
        };
        assert_eq!(shared(&theirs), shared(&ours));
    }
}
