//! What can be wrong with the settings. Every sentence names the flag, the variable or the file.

use std::{io, path::PathBuf};

use crate::mail::smtp::SmtpError;

/// The settings contradict themselves or can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value has the wrong shape.
    #[error("{place} can't be used: {why}")]
    Value {
        /// The variable, or the key and its file.
        place: String,
        /// What was expected; never the value of a secret.
        why: String,
    },
    /// The settings file has a key that no setting has.
    #[error("{file} has the unknown setting `{key}`; the known ones are {known}")]
    UnknownKey {
        /// Which file.
        file: PathBuf,
        /// What it has.
        key: String,
        /// What it may have.
        known: String,
    },
    /// The settings file is no TOML.
    #[error("the settings file {file} can't be read: {why}")]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why and where, without its text.
        why: String,
    },
    /// Two settings need each other and one is missing.
    #[error("{given} is set, but {missing} is not; set both or neither")]
    Half {
        /// The one that is there.
        given: String,
        /// The one that isn't.
        missing: &'static str,
    },
    /// One layer gives a secret twice.
    #[error("{key} and {key}_file are both set in {layer}; keep one")]
    Twice {
        /// Which secret.
        key: &'static str,
        /// Where.
        layer: String,
    },
    /// The file of a secret can't be read.
    #[error("{place} names {file}, which can't be read: {source}")]
    SecretFile {
        /// The flag, the variable, or the key and its file.
        place: String,
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file of a secret is empty.
    #[error("{place} names {file}, whose first line is empty")]
    EmptySecret {
        /// The flag, the variable, or the key and its file.
        place: String,
        /// Which file.
        file: PathBuf,
    },
    /// The mail server is named by half, or can't be used.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    /// `*` among the origins, or something that no browser sends as an origin.
    #[error(
        "{place}: an allowed origin is named in full, such as https://app.example.org, without a path; {given} is none"
    )]
    NoOrigin {
        /// The flag, the variable, or the key and its file.
        place: String,
        /// What was given.
        given: String,
    },
    /// The named file is not there.
    #[error("there is no settings file {0}")]
    NoFile(PathBuf),
}
