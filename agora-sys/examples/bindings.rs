//! Writes the bindings anew: `cargo xtask bindings`.

#[path = "../tests/common/generate.rs"]
mod generate;

use std::{error::Error, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for interface in &generate::INTERFACES {
        fs::write(root.join(interface.bindings), generate::generate(root, interface))?;
    }
    Ok(())
}
