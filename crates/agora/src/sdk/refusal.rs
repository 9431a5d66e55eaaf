//! Why a library is not used. Each says what was found, in which file, and what is needed.

use std::path::{Path, PathBuf};

use super::{Interface, Machine};

/// Why there is no library to use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing of Agora's lies in the folder.
    #[error("{} has no library of Agora's; needed is {}", dir.display(), needed())]
    NotFound {
        /// Where was looked.
        dir: PathBuf,
    },
    /// The file or folder can't be read.
    #[error("{} can't be read ({reason}); it must be readable for you", file.display())]
    Unreadable {
        /// Which file or folder.
        file: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The library of another product of Agora's, which has other interfaces.
    #[error("{} belongs to {product}, another product of Agora's; needed is {}", file.display(), needed())]
    OtherProduct {
        /// Which file.
        file: PathBuf,
        /// Whose it is.
        product: &'static str,
    },
    /// The name is right but the content is no library at all.
    #[error("{} is {found}, not a library; unpack the download again", file.display())]
    NotALibrary {
        /// Which file.
        file: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// A library that ends too early or contradicts itself.
    #[error("{} is damaged ({what}); download it again", file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Made for another system or processor.
    #[error("{} was made for {found}; needed is the one for {needed}", file.display())]
    WrongArchitecture {
        /// Which file.
        file: PathBuf,
        /// What it was made for.
        found: Machine,
        /// What we run on.
        needed: Machine,
    },
    /// It needs another library of the download, which does not lie beside it.
    #[error("{} needs {sibling}, which lies neither beside it nor among this system's libraries; take all libraries of the download", file.display())]
    MissingSibling {
        /// Which file.
        file: PathBuf,
        /// The name of the library that it needs.
        sibling: String,
    },
    /// A library that has nothing of the interface.
    #[error("{} is not {}: it has no function {lacks}", file.display(), interface.product())]
    NotAgora {
        /// Which file.
        file: PathBuf,
        /// What its name promised.
        interface: Interface,
        /// A function without which nothing goes.
        lacks: &'static str,
    },
    /// From before the interface that we know.
    #[error("{} is too old ({found}); needed is {} {needed} or newer", file.display(), interface.product())]
    TooOld {
        /// Which file.
        file: PathBuf,
        /// Which interface it speaks.
        interface: Interface,
        /// What shows it: a version, or a function that is missing.
        found: String,
        /// The oldest version that is accepted.
        needed: &'static str,
    },
    /// New enough, but functions that we call are not in it.
    #[error("{} has no function {}; take another version of {}", file.display(), listed(symbols), interface.product())]
    MissingSymbol {
        /// Which file.
        file: PathBuf,
        /// Which interface it speaks.
        interface: Interface,
        /// Which functions, in the order of our list.
        symbols: Vec<String>,
    },
    /// The system would not load it, or it would not start.
    #[error("{} can't be loaded: {reason}", file.display())]
    CannotLoad {
        /// Which file.
        file: PathBuf,
        /// What the system or the library said.
        reason: String,
    },
}

impl Refusal {
    /// Whether there is nothing at all, as before anybody has installed anything.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// The system's loader said no; its own words stand at the end of the chain.
    pub(crate) fn of_loader(error: &agora_sys::OpenError) -> Self {
        let mut last: &dyn std::error::Error = error;
        while let Some(source) = last.source() {
            last = source;
        }
        Self::CannotLoad { file: error.file.clone(), reason: last.to_string() }
    }

    /// The same, said of the place where a person knows the file: `from` becomes `to`.
    pub(super) fn moved(mut self, from: &Path, to: &Path) -> Self {
        let (Self::NotFound { dir: file }
        | Self::Unreadable { file, .. }
        | Self::OtherProduct { file, .. }
        | Self::NotALibrary { file, .. }
        | Self::Damaged { file, .. }
        | Self::WrongArchitecture { file, .. }
        | Self::MissingSibling { file, .. }
        | Self::NotAgora { file, .. }
        | Self::TooOld { file, .. }
        | Self::MissingSymbol { file, .. }
        | Self::CannotLoad { file, .. }) = &mut self;
        if let Ok(inside) = file.strip_prefix(from) {
            // Joining nothing would add a slash.
            *file = if inside.as_os_str().is_empty() { to.to_owned() } else { to.join(inside) };
        }
        self
    }
}

/// What a person has to download for this machine, in words.
pub fn needed() -> String {
    let ours = Machine::ours();
    let product = match ours.system {
        super::System::Linux => Interface::Gateway.product(),
        super::System::MacOs | super::System::Windows => Interface::Iris.product(),
    };
    format!("{product} for {ours}")
}

/// At most three names, and how many more.
fn listed(symbols: &[String]) -> String {
    let shown = symbols.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
    match symbols.len().saturating_sub(3) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
