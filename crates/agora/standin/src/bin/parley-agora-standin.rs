//! Makes the stand-in libraries in a folder, for programs that are to run without Agora's.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, ValueEnum};

/// Compiles stand-ins for Agora's native libraries.
#[derive(Parser)]
struct Arguments {
    /// Which one.
    library: Library,
    /// Where to put it.
    dir: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Library {
    /// The server gateway's C interface.
    Gateway,
    /// The wrapper around the desktop SDK.
    Iris,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let path = match arguments.library {
        Library::Gateway => parley_agora_standin::gateway(&arguments.dir)?,
        Library::Iris => parley_agora_standin::iris(&arguments.dir)?,
    };
    println!("{}", path.display());
    Ok(())
}
